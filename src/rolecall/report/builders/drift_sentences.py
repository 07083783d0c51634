"""What a drift check found, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from rolecall.drift.compare import DriftClass
from rolecall.drift.value import UNDETERMINED, Acknowledgement, DriftReport, NewAdmin, ViolationKind
from rolecall.model.change import Event
from rolecall.model.kinds import split_address
from rolecall.model.lineage import Blame
from rolecall.model.paste import shell_pattern, shell_word, yaml_pattern
from rolecall.model.settings import Address
from rolecall.plan.dates import day
from rolecall.plan.headline import count_users, enumerate_words
from rolecall.plan.value import Impact, Who
from rolecall.report.builders.header import sections_sentence, unread_sections, users_sentence
from rolecall.report.builders.users import change_notes, moves_by_address
from rolecall.report.document import NextStep, Note
from rolecall.report.phrases import count, listed, visible

CLASSES: Mapping[DriftClass, str] = {
    "in_sync": "as the config asks",
    "converged": "as the config asks, though nobody applied it",
    "differs": "differs",
    "unapplied": "not applied yet",
    "console": "changed in the org",
    "both": "changed in the org, and in the config to something else",
    "other_run": "changed by a run that this journal does not have",
    "idp": "the IdP no longer has this group, or another one bears its name",
    "unknown": "not read",
}

_CHECKS: Mapping[ViolationKind, str] = {"watch": "watched roles", "limit": "limits", "access_test": "access tests"}

_NAMED = 5
_SHORT_COMMIT = 8


def moment_words(at: datetime) -> str:
    """Return ``22 Nov 2026 12:03 UTC``."""
    return f"{day(at)} {at:%H:%M} UTC"


def who_words(who: Who) -> str:
    """Return the name that may be shown, or that it is one person."""
    return visible(who.email) if who.email else "1 user"


def event_words(event: Event) -> str:
    """Return ``by bo@acme.com from 10.0.0.7, 22 Nov 2026 12:03 UTC, by console``."""
    address = f" from {visible(event.source_ip)}" if event.source_ip else ""
    return f"by {visible(event.actor)}{address}, {moment_words(event.at)}, by {visible(event.channel)}"


def written_words(blame: Blame) -> str:
    """Return ``the config's side: Ann, 3 Nov 2026, 1a2b3c4d Map the brand team``."""
    commit = f"{blame.commit[:_SHORT_COMMIT]} {visible(blame.summary)}".rstrip()
    return f"the config's side: {visible(blame.author)}, {day(blame.at)}, {commit}"


def headline(report: DriftReport) -> str:
    """Return how much drifted; first that drift cannot be determined, or what was not read."""
    unknown = "" if report.determined else undetermined_sentence()
    sentences = (unknown, sections_sentence(report.coverage), users_sentence(report.coverage), _drifted(report))
    return " ".join(filter(None, sentences))


def undetermined_sentence() -> str:
    """Return what every report says first if no apply is recorded."""
    return f"{UNDETERMINED[0].upper()}{UNDETERMINED[1:]}."


def _drifted(report: DriftReport) -> str:
    drifts = report.drifts
    if not report.determined:
        return _differs(report)
    if not drifts and report.alarms:
        return "No setting drifted, but the org is not as the config says it must be."
    if not drifts and report.unread:
        what = "settings that were read" if unread_sections(report.coverage) else "settings"
        return f"No drift in the {what}{_unknown_checks(report)}."
    if not drifts:
        return "Nothing drifted."
    return f"{count(len(drifts), 'setting')} drifted."


def _differs(report: DriftReport) -> str:
    """Return what is known without a record of an apply."""
    number = sum(drift.kind == "differs" and drift.address not in report.waiting for drift in report.entries)
    verb = "differs" if number == 1 else "differ"
    settings = f"{count(number, 'setting')} {verb} from the config." if number else ""
    violations = "The org is not as the config says it must be." if report.alarms else ""
    return " ".join(filter(None, (settings, violations)))


def _unknown_checks(report: DriftReport) -> str:
    """Return ``; limits and access tests were not evaluated``, or nothing."""
    names = [_CHECKS[kind] for kind in report.not_evaluated]
    return f"; {enumerate_words(names)} were not evaluated" if names else ""


def impact_sentences(report: DriftReport) -> Iterator[str]:
    """Yield what the drift did to users, and what undoing it would do."""
    if report.did is not None:
        yield f"What it did: {_impact(report.did.impact)}"
    if report.revert is not None:
        yield f"Reverting it: {_impact(report.revert.impact)}"


def _impact(impact: Impact) -> str:
    return " ".join(visible(text) for text in (impact.headline, impact.problem) if text) or "Nobody's access changes."


def basis_words(report: DriftReport) -> str:
    """Return what the org was compared with."""
    basis = report.basis
    at = f" ({moment_words(basis.at)})" if basis.at else ""
    if basis.kind == "journal":
        return f"Compared with what {basis.name}{at} and those before left, and with the config."
    if basis.kind in ("file", "git"):
        return f"Compared with {visible(basis.name)}{at} in place of a journal, and with the config."
    return (
        "Compared with the config only. To record an apply: `rolecall apply`, even if there is nothing to change. "
        "To compare with a snapshot or a commit: --baseline."
    )


def affected_users(report: DriftReport, at: Address, *, managed: bool = True) -> Iterator[Note]:
    """Yield what the drift at one address did to users, and what reverting it would do; nothing does where the section
    is not ``managed``."""
    for title, plan in (("did", report.did), ("reverting", report.revert)):
        if title == "reverting" and not managed:
            yield Note("reverting: not by rolecall, because the section is unmanaged; change it in the console")
            continue
        if plan is None:
            continue
        if plan.impact.people is None:
            yield Note(f"{title}: {visible(plan.impact.problem or 'users were not read')}")
            continue
        notes = list(change_notes(plan, at, moves_by_address(plan.impact).get(at, ())))
        if not notes:
            yield Note(f"{title}: nobody's access", "dim")
        yield from (note._replace(text=f"{title}: {note.text}") for note in notes)


def acknowledged_words(item: Acknowledgement) -> str:
    """Return ``1a2b3c4d5e6f7a8b acknowledged by ann@acme.com, 29 Nov 2026 08:13 UTC (run 12): the new IT lead``."""
    by = f"{visible(item.by)}, {moment_words(item.at)} (run {item.run})"
    return f"{item.fingerprint} acknowledged by {by}: {visible(item.reason)}"


def news_notes(report: DriftReport) -> Iterator[Note]:
    """Yield what is not drift: users and groups that joined, left and moved."""
    yield from _user_news(report)
    yield from _group_news(report)


def _user_news(report: DriftReport) -> Iterator[Note]:
    news = report.people
    if news is None or not news.any:
        return
    changes = [f"{news.joined:,} joined"] if news.joined else []
    changes += [f"{news.left:,} left"] if news.left else []
    changes += [f"{news.moved:,} changed groups"] if news.moved else []
    if news.new_admins:
        changes.append(f"{count(len(news.new_admins), 'new org admin')}{_admins(news.new_admins)}")
    if news.former_admins:
        names = listed((who.email for who in news.former_admins if who.email), _NAMED)
        changes.append(f"{count_users(len(news.former_admins))} no longer org admin{f': {names}' if names else ''}")
    text = f"People since {moment_words(news.since)}: {', '.join(changes)}."
    yield Note(text, "risk" if news.new_admins else "plain")
    if news.left:
        yield Note(f"Documents of the {count(news.left, 'user')} who left are transferred to an org admin (R23).")
    for admin in news.new_admins[:_NAMED]:
        yield Note(f"{who_words(admin.who)}: fingerprint {admin.fingerprint}", "dim")


def _admins(admins: Iterable[NewAdmin]) -> str:
    names = [f"{who_words(admin.who)}, {visible(admin.by)}" for admin in admins]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f": {'; '.join(names[:_NAMED])}{more}"


def _group_news(report: DriftReport) -> Iterator[Note]:
    news = report.groups
    for key in news.ready:
        yield Note(f"`{visible(key)}` waited for the IdP and has arrived: run apply.", "warn")
    for group in news.renamed:
        text = f"`{visible(group.was)}` is now called `{visible(group.now)}` in the IdP"
        if group.key is None or group.key == group.now:
            yield Note(f"{text}.")
        else:
            yield Note(f"{text}; rename the key `{visible(group.key)}`: rolecall fmt --renames.", "warn")
    if news.arrived:
        yield Note(f"{count(len(news.arrived), 'group')} arrived from the IdP: {listed(news.arrived, _NAMED)}.")
    if news.vanished:
        yield Note(f"{count(len(news.vanished), 'group')} left the IdP: {listed(news.vanished, _NAMED)}.")


def summary_line(report: DriftReport) -> str:
    """Return ``Drift: 2 console, 1 both. Beside it: 1 unapplied.``"""
    drifted = _counts(drift.kind for drift in report.drifts)
    aside = _counts(
        "waiting" if drift.address in report.waiting else drift.kind
        for drift in report.entries
        if drift.fingerprint not in report.counted
    )
    if drifted:
        text = f"Drift: {drifted}."
    elif not report.determined:
        text = "Drift is unknown."
    elif report.unread:
        text = f"No drift found, but not everything was read{_unknown_checks(report)}."
    else:
        text = "No drift."
    return f"{text} Beside it: {aside}." if aside else text


def _counts(kinds: Iterable[str]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in sorted(Counter(kinds).items()))


def unwritten_words(addresses: Sequence[Address]) -> str:
    """Return why a revert leaves these addresses as they are, and what to do instead."""
    sections = sorted({split_address(at)[0] for at in addresses})
    keys = listed(f"manage.{section}" for section in sections)
    verb = "is" if len(addresses) == 1 else "are"
    return f"{listed(addresses, _NAMED)} {verb} in a section that is unmanaged ({keys}). Change it in the console."


def next_steps(report: DriftReport) -> Iterator[NextStep]:
    """Yield what can be done about drift."""
    env = f" -e {shell_word(report.org.env)}" if report.org.env else ""
    unmanaged = [drift for drift in report.drifts if not drift.managed]
    ignored = "".join(f" --ignore {shell_pattern(drift.address)}" for drift in unmanaged[:_NAMED])
    if len(unmanaged) < len(report.drifts):
        accept, revert = f"rolecall drift{env} --accept{ignored}", f"rolecall drift{env} --revert --out revert.json"
        yield NextStep("Keep it", command=accept, note="which changes the YAML here, to be reviewed")
        yield NextStep("Undo it", command=revert, note=f"then rolecall apply{env} revert.json")
    watched = any(alarm.kind == "watch" for alarm in report.alarms)
    if report.drifts or watched or (report.people and report.people.new_admins):
        command = f"rolecall drift{env} --acknowledge FINGERPRINT --reason TEXT"
        yield NextStep("Leave it", command=command, note="which is recorded, and counts until the next apply")
    for drift in unmanaged[:_NAMED]:
        line = f"ignore: [{{address: {yaml_pattern(drift.address)}, reason: ...}}]"
        note = "in the config; the section is unmanaged, so rolecall does not write it"
        yield NextStep("Keep it", command=line, note=note)
