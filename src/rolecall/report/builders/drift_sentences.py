"""What a look for drift found, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from rolecall.drift.compare import DriftClass
from rolecall.drift.value import UNDETERMINED, Acknowledgement, AlarmKind, DriftReport, NewAdmin
from rolecall.model.authorship import Blame
from rolecall.model.kinds import split_address
from rolecall.model.outcome import Event
from rolecall.model.paste import shell_pattern, shell_word, yaml_pattern
from rolecall.model.settings import Address
from rolecall.plan.headline import enumerate_words, people
from rolecall.plan.value import Impact, Who
from rolecall.report.builders.plan import Note, Tone
from rolecall.report.builders.users import change_told, moves_by_address
from rolecall.report.coverage import sections_sentence, unread_sections, users_sentence
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

_CHECKS: Mapping[AlarmKind, str] = {"watch": "watched roles", "limit": "limits", "access_test": "access tests"}

_NAMED = 5
_SHORT_COMMIT = 8


def moment_words(at: datetime) -> str:
    """``22 Nov 2026 12:03 UTC``."""
    return f"{at.day} {at:%b %Y %H:%M} UTC"


def who_words(who: Who) -> str:
    """The name that may be shown, or that it is one person."""
    return visible(who.email) if who.email else "1 person"


def event_words(event: Event) -> str:
    """``by bo@acme.com from 10.0.0.7, 22 Nov 2026 12:03 UTC, by console``."""
    place = f" from {visible(event.source_ip)}" if event.source_ip else ""
    return f"by {visible(event.actor)}{place}, {moment_words(event.at)}, by {visible(event.channel)}"


def written_words(said: Blame) -> str:
    """``the config's side: Ann, 3 Nov 2026, 1a2b3c4d Map the brand team``."""
    day = f"{said.at.day} {said.at:%b %Y}"
    commit = f"{said.commit[:_SHORT_COMMIT]} {visible(said.summary)}".rstrip()
    return f"the config's side: {visible(said.author)}, {day}, {commit}"


def headline(found: DriftReport) -> str:
    """Return how much drifted; first that drift cannot be determined, or what was not read."""
    unknown = "" if found.determined else undetermined_sentence()
    sentences = (unknown, sections_sentence(found.coverage), users_sentence(found.coverage), _drifted(found))
    return " ".join(filter(None, sentences))


def undetermined_sentence() -> str:
    """Return what every report says first if no apply is recorded."""
    return f"{UNDETERMINED[0].upper()}{UNDETERMINED[1:]}."


def _drifted(found: DriftReport) -> str:
    drifts = found.drifts
    if not found.determined:
        return _differs(found)
    if not drifts and found.alarms:
        return "No setting drifted, but the org is not as the config says it must be."
    if not drifts and found.unread:
        what = "settings that were read" if unread_sections(found.coverage) else "settings"
        return f"No drift in the {what}{_unknown_checks(found)}."
    if not drifts:
        return "Nothing drifted."
    return f"{count(len(drifts), 'setting')} drifted."


def _differs(found: DriftReport) -> str:
    """Return what is known without a record of an apply."""
    differs = sum(row.kind == "differs" and row.address not in found.waiting for row in found.rows)
    verb = "differs" if differs == 1 else "differ"
    settings = f"{count(differs, 'setting')} {verb} from the config." if differs else ""
    alarms = "The org is not as the config says it must be." if found.alarms else ""
    return " ".join(filter(None, (settings, alarms)))


def _unknown_checks(found: DriftReport) -> str:
    """``; limits and access tests were not evaluated``, or nothing."""
    names = [_CHECKS[kind] for kind in found.not_evaluated]
    return f"; {enumerate_words(names)} were not evaluated" if names else ""


def impact_lines(found: DriftReport) -> Iterator[str]:
    """What the drift did to people, and what bringing it back would do."""
    if found.did is not None:
        yield f"What it did: {_impact(found.did.impact)}"
    if found.revert is not None:
        yield f"Reverting it: {_impact(found.revert.impact)}"


def _impact(impact: Impact) -> str:
    return " ".join(visible(text) for text in (impact.headline, impact.problem) if text) or "Nobody's access changes."


def basis_words(found: DriftReport) -> str:
    """What live was compared with."""
    basis = found.basis
    at = f" ({moment_words(basis.at)})" if basis.at else ""
    if basis.kind == "journal":
        return f"Compared with what {basis.name}{at} and those before left, and with the config."
    if basis.kind in ("file", "git"):
        return f"Compared with {visible(basis.name)}{at} in place of a journal, and with the config."
    return (
        "Compared with the config only. To record an apply: `rolecall apply`, even if there is nothing to change. "
        "To compare with a snapshot or a commit: --baseline."
    )


def people_told(found: DriftReport, at: Address, *, managed: bool = True) -> Iterator[tuple[str, Tone]]:
    """What the drift at one address did to people, and what reverting it would do; nothing does where the section is
    not ``managed``."""
    for title, plan in (("did", found.did), ("reverting", found.revert)):
        if title == "reverting" and not managed:
            yield "reverting: not by rolecall, because the section is unmanaged; change it in the console", "plain"
            continue
        if plan is None:
            continue
        if plan.impact.people is None:
            yield f"{title}: {visible(plan.impact.problem or 'users were not read')}", "plain"
            continue
        told = list(change_told(plan, at, moves_by_address(plan.impact).get(at, ())))
        if not told:
            yield f"{title}: nobody's access", "dim"
        for item in told:
            yield f"{title}: {item.text}", "risk" if item.grave else "plain"


def acknowledged_words(row: Acknowledgement) -> str:
    """``1a2b3c4d5e6f7a8b acknowledged by ann@acme.com, 29 Nov 2026 08:13 UTC (run 12): the new IT lead``."""
    by = f"{visible(row.by)}, {moment_words(row.at)} (run {row.run})"
    return f"{row.fingerprint} acknowledged by {by}: {visible(row.reason)}"


def news_notes(found: DriftReport) -> Iterator[Note]:
    """What is no drift: people and groups that came, went and moved."""
    yield from (Note(text, tone) for text, tone in (*_people_news(found), *_group_news(found)))


def _people_news(found: DriftReport) -> Iterator[tuple[str, Tone]]:
    news = found.people
    if news is None or not news.any:
        return
    said = [f"{news.joined:,} joined"] if news.joined else []
    said += [f"{news.left:,} left"] if news.left else []
    said += [f"{news.moved:,} changed groups"] if news.moved else []
    if news.new_admins:
        said.append(f"{count(len(news.new_admins), 'new org admin')}{_admins(news.new_admins)}")
    if news.former_admins:
        gone = listed((who.email for who in news.former_admins if who.email), _NAMED)
        said.append(f"{people(len(news.former_admins))} no longer org admin{f': {gone}' if gone else ''}")
    tone: Tone = "risk" if news.new_admins else "plain"
    yield f"People since {moment_words(news.since)}: {', '.join(said)}.", tone
    for row in news.new_admins[:_NAMED]:
        yield f"{who_words(row.who)}: fingerprint {row.fingerprint}", "dim"


def _admins(rows: Iterable[NewAdmin]) -> str:
    told = [f"{who_words(row.who)}, {visible(row.by)}" for row in rows]
    more = f" and {len(told) - _NAMED:,} more" if len(told) > _NAMED else ""
    return f": {'; '.join(told[:_NAMED])}{more}"


def _group_news(found: DriftReport) -> Iterator[tuple[str, Tone]]:
    news = found.groups
    for key in news.ready:
        yield f"`{visible(key)}` waited for the IdP and has arrived: run apply.", "warn"
    for row in news.renamed:
        hint = (
            f"; rename the key `{visible(row.key)}`: rolecall fmt --renames" if row.key not in (None, row.now) else ""
        )
        yield f"`{visible(row.was)}` is now called `{visible(row.now)}` in the IdP{hint}.", "warn" if hint else "plain"
    if news.arrived:
        yield f"{count(len(news.arrived), 'group')} arrived from the IdP: {listed(news.arrived, _NAMED)}.", "plain"
    if news.vanished:
        yield f"{count(len(news.vanished), 'group')} left the IdP: {listed(news.vanished, _NAMED)}.", "plain"


def summary_line(found: DriftReport) -> str:
    """``Drift: 2 console, 1 both. Beside it: 1 unapplied.``"""
    counted = Counter(row.kind for row in found.drifts)
    rows = [row for row in found.rows if row.fingerprint not in found.counted]
    aside = Counter("waiting" if row.address in found.waiting else row.kind for row in rows)
    said = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counted.items()))
    beside = ", ".join(f"{number:,} {kind}" for kind, number in sorted(aside.items()))
    none = f"No drift found, but not everything was read{_unknown_checks(found)}." if found.unread else "No drift."
    none = none if found.determined else "Drift is unknown."
    line = f"Drift: {said}." if said else none
    return f"{line} Beside it: {beside}." if beside else line


def unwritten_words(addresses: Sequence[Address]) -> str:
    """Return why a revert leaves these addresses as they are, and what to do instead."""
    sections = sorted({split_address(at)[0] for at in addresses})
    keys = listed(f"manage.{section}" for section in sections)
    verb = "is" if len(addresses) == 1 else "are"
    return f"{listed(addresses, _NAMED)} {verb} in a section that is unmanaged ({keys}). Change it in the console."


def ways_on(found: DriftReport) -> Iterator[tuple[str, str, str]]:
    """What can be done about drift: a label, what to type, and what is to be known of it."""
    env = f" -e {shell_word(found.org.env)}" if found.org.env else ""
    left = [row for row in found.drifts if not row.managed]
    rest = "".join(f" --ignore {shell_pattern(row.address)}" for row in left[:_NAMED])
    if len(left) < len(found.drifts):
        yield "Keep it", f"rolecall drift{env} --accept{rest}", "which changes the YAML here, to be reviewed"
        yield "Undo it", f"rolecall drift{env} --revert --out revert.json", f"then rolecall apply{env} revert.json"
    watched = any(alarm.kind == "watch" for alarm in found.alarms)
    if found.drifts or watched or (found.people and found.people.new_admins):
        command = f"rolecall drift{env} --acknowledge FINGERPRINT --reason TEXT"
        yield "Leave it", command, "which is recorded, and counts until the next apply"
    for row in left[:_NAMED]:
        entry = f"ignore: [{{address: {yaml_pattern(row.address)}, reason: ...}}]"
        yield "Keep it", entry, "in the config; the section is unmanaged, so rolecall does not write it"
