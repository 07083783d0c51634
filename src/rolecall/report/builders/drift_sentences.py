"""Describe the result of a drift check in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rolecall.drift.compare import Drift, DriftClass
from rolecall.drift.value import UNDETERMINED, Acknowledgement, DriftReport, NewAdmin, ViolationKind
from rolecall.model.kinds import split_address
from rolecall.model.lineage import Blame
from rolecall.model.outcome import Event
from rolecall.model.paste import shell_pattern, yaml_pattern
from rolecall.model.settings import Address
from rolecall.plan.commands import env_flag
from rolecall.plan.dates import day, moment_words
from rolecall.plan.headline import count_users, enumerate_words
from rolecall.plan.value import Impact, Plan, Who
from rolecall.report.builders.header import sections_sentence, unread_sections, users_sentence
from rolecall.report.builders.shares import Share, shares_by_address
from rolecall.report.builders.users import change_notes, escalations
from rolecall.report.document import EscalationText, NextStep, Note
from rolecall.report.phrases import count, listed, visible

CLASSES: Mapping[DriftClass, str] = {
    "in_sync": "Matches the config",
    "converged": "Changed in the console to match the config",
    "differs": "Differs from the config",
    "unapplied": "Changed in the config, not applied yet",
    "console": "Changed in the console",
    "both": "Changed in the console and in the config",
    "other_run": "Changed by a run that is not in this journal",
    "idp": "Group deleted or replaced in the IdP",
    "unknown": "Not read",
}

_DRIFTED: Mapping[DriftClass, tuple[str, str]] = {
    "console": ("setting", "changed in the console"),
    "both": ("setting", "changed in the console and in the config"),
    "other_run": ("setting", "changed by a run that is not in this journal"),
    "idp": ("group", "deleted or replaced in the IdP"),
    "differs": ("setting", "different from the config"),
    "unapplied": ("setting", "changed in the config and not applied yet"),
}
"""Parts of the summary about drift that counts."""

_NOT_COUNTED: Mapping[str, tuple[str, str]] = {
    "acknowledged": ("1 drift is acknowledged", "{} drifts are acknowledged"),
    "waiting": ("1 change is pending", "{} changes are pending"),
    "unapplied": ("1 change is not applied yet", "{} changes are not applied yet"),
    "differs": ("1 setting differs from the config", "{} settings differ from the config"),
    "converged": (
        "1 setting was changed in the console to match the config",
        "{} settings were changed in the console to match the config",
    ),
    "idp": ("1 group without users was deleted in the IdP", "{} groups without users were deleted in the IdP"),
    "unknown": ("1 setting was not read", "{} settings were not read"),
}
"""Sentences of the summary about differences that do not count as drift."""

_CHECKS: Mapping[ViolationKind, str] = {"watch": "watched roles", "limit": "limits", "access_test": "access tests"}

_NO_EFFECT = "No user's access changes."
_NAMED = 5
_SHORT_COMMIT = 8


def who_words(who: Who) -> str:
    """Return the name of a user where it may be shown, or that it is one user."""
    return visible(who.email) if who.email else "1 user"


def event_words(event: Event) -> str:
    """Return ``by bo@acme.com, 22 Nov 2026, 12:03 UTC (API, from 10.0.0.7)``, without the channel for the console."""
    channel = "" if event.channel == "console" else visible(event.channel)
    address = f"from {visible(event.source_ip)}" if event.source_ip else ""
    details = ", ".join(filter(None, (channel, address)))
    return f"by {visible(event.actor)}, {moment_words(event.at)}{f' ({details})' if details else ''}"


def written_words(blame: Blame) -> str:
    """Return ``Config line written by Ann, 3 Nov 2026: 1a2b3c4d Map the brand team``."""
    commit = f"{blame.commit[:_SHORT_COMMIT]} {visible(blame.summary)}".rstrip()
    return f"Config line written by {visible(blame.author)}, {day(blame.at)}: {commit}"


def overview_notes(report: DriftReport) -> Iterator[Note]:
    """Yield what is unknown, and how many policy violations there are."""
    unknown = "" if report.determined else undetermined_sentence()
    for text in filter(None, (unknown, sections_sentence(report.coverage), users_sentence(report.coverage))):
        yield Note(text, "warn")
    if report.alarms:
        yield Note(f"{count(len(report.alarms), 'policy violation')}.", "risk")


def undetermined_sentence() -> str:
    """Return what every report says first if no apply is recorded."""
    return f"{UNDETERMINED[0].upper()}{UNDETERMINED[1:]}."


def _unknown_checks(report: DriftReport) -> str:
    """Return ``; limits and access tests were not evaluated``, or nothing."""
    names = [_CHECKS[kind] for kind in report.not_evaluated]
    return f"; {enumerate_words(names)} were not evaluated" if names else ""


def impact_sentences(report: DriftReport) -> Iterator[str]:
    """Yield the effect of the drift on users, and that of reverting it."""
    if report.did is not None:
        yield f"Effect on users: {_impact(report.did.impact)}"
    if report.revert is not None:
        yield f"Effect of reverting: {_impact(report.revert.impact)}"


def _impact(impact: Impact) -> str:
    return " ".join(visible(text) for text in (impact.headline, impact.problem) if text) or _NO_EFFECT


def basis_words(report: DriftReport) -> str:
    """Return what the org was compared with."""
    basis = report.basis
    at = f" ({moment_words(basis.at)})" if basis.at else ""
    if basis.kind == "journal":
        return f"Compared with the last apply: {basis.name}{at}."
    if basis.kind in ("file", "git"):
        return f"Compared with {visible(basis.name)}{at}."
    return "Compared with the config only."


REVERTING = "Reverting it"
"""The start of notes about the effect of reverting."""


class Effect(NamedTuple):
    """The effect of drift, or of reverting it: its title, the plan that has it, and what each change has a share in."""

    title: str
    plan: Plan | None
    shares: Mapping[Address, tuple[Share, ...]]


def effects_of(report: DriftReport) -> tuple[Effect, ...]:
    """Return the effect of the drift, and that of reverting it."""
    plans = (("Effect", report.did), (REVERTING, report.revert))
    return tuple(Effect(title, plan, {} if plan is None else shares_by_address(plan.impact)) for title, plan in plans)


def affected_users(effects: Sequence[Effect], at: Address, *, managed: bool = True) -> Iterator[Note]:
    """Yield the effects at one address on users; rolecall cannot revert the drift where the section is not
    ``managed``."""
    for title, plan, shares in effects:
        if title == REVERTING and not managed:
            yield Note("To revert it, change it in the console: the section is unmanaged.")
            continue
        if plan is None:
            continue
        if plan.impact.people is None:
            yield Note(f"{title}: {visible(plan.impact.problem or 'unknown, because users were not read.')}")
            continue
        notes = list(change_notes(plan, at, shares.get(at, ())))
        if not notes:
            yield Note(f"{title}: {_no_access_change(plan.impact)}.", "dim")
        yield from (note._replace(text=f"{title}: {note.text}") for note in notes)


def _no_access_change(impact: Impact) -> str:
    """Return that no user's access changes; of those that were read, if the effect on the others is unknown."""
    return "no access changes for the users that were read" if impact.problem else "no user's access changes"


def acknowledged_words(item: Acknowledgement) -> str:
    """Return ``Acknowledged: 1a2b3c4d5e6f7a8b by ann@acme.com, 29 Nov 2026, 08:13 UTC (run 12): the new IT lead``."""
    by = f"{visible(item.by)}, {moment_words(item.at)} (run {item.run})"
    return f"Acknowledged: {item.fingerprint} by {by}: {visible(item.reason)}"


def news_notes(report: DriftReport) -> Iterator[Note]:
    """Yield changes of users and groups that are not drift."""
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
    text = f"Users since {moment_words(news.since)}: {', '.join(changes)}."
    yield Note(text, "more" if news.new_admins else "plain")
    if news.left:
        yield Note(f"Documents of {count(news.left, 'user')} who left are transferred to an org admin (R23).")
    for admin in news.new_admins[:_NAMED]:
        yield Note(f"{who_words(admin.who)}: fingerprint {admin.fingerprint}", "dim")


def _admins(admins: Iterable[NewAdmin]) -> str:
    names = [f"{who_words(admin.who)}, {visible(admin.by)}" for admin in admins]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f": {'; '.join(names[:_NAMED])}{more}"


def _group_news(report: DriftReport) -> Iterator[Note]:
    news = report.groups
    for key in news.ready:
        yield Note(f"`{visible(key)}` is no longer pending: the IdP has pushed it. To map it: `rolecall apply`", "warn")
    for group in news.renamed:
        text = f"`{visible(group.was)}` is now called `{visible(group.now)}` in the IdP"
        if group.key is None or group.key == group.now:
            yield Note(f"{text}.")
        else:
            rename = f"To rename the key `{visible(group.key)}`: `rolecall fmt --renames`"
            yield Note(f"{text}. {rename}", "warn")
    if news.arrived:
        yield Note(f"{count(len(news.arrived), 'new group')} from the IdP: {listed(news.arrived, _NAMED)}.")
    if news.vanished:
        yield Note(f"{count(len(news.vanished), 'group')} deleted in the IdP: {listed(news.vanished, _NAMED)}.")


def summary_line(report: DriftReport) -> str:
    """Return ``Drift: 2 settings changed in the console. 1 change is pending.``"""
    kinds = Counter(drift.kind for drift in report.drifts)
    drifted = [f"{count(kinds[kind], noun)} {text}" for kind, (noun, text) in _DRIFTED.items() if kinds[kind]]
    aside = Counter(_not_counted(report, drift) for drift in report.entries if drift.fingerprint not in report.counted)
    sentences = [_counted(kind, aside[kind]) for kind in _NOT_COUNTED if aside[kind]]
    if drifted:
        text = f"Drift: {', '.join(drifted)}."
    elif not report.determined:
        text = "Drift is unknown."
    elif report.unread:
        what = "settings that were read" if unread_sections(report.coverage) else "settings"
        text = f"No drift in the {what}{_unknown_checks(report)}."
    elif report.outdated:
        text = "No drift in the settings as they were last read."
    else:
        text = "No drift."
    return " ".join((text, *(f"{sentence}." for sentence in sentences)))


def _not_counted(report: DriftReport, drift: Drift) -> str:
    if drift.fingerprint in report.acknowledged:
        return "acknowledged"
    return "waiting" if drift.address in report.waiting else drift.kind


def _counted(kind: str, number: int) -> str:
    singular, plural = _NOT_COUNTED[kind]
    return singular if number == 1 else plural.format(f"{number:,}")


def unwritten_words(addresses: Sequence[Address]) -> str:
    """Return why a revert does not change these addresses, and what to do instead."""
    sections = sorted({split_address(at)[0] for at in addresses})
    keys = listed(f"manage.{section}" for section in sections)
    verb = "is" if len(addresses) == 1 else "are"
    return f"{listed(addresses, _NAMED)} {verb} in an unmanaged section ({keys}). Change it in the console."


def next_steps(report: DriftReport, *, reverts: bool = False) -> Iterator[NextStep]:
    """Yield what to do about drift, as commands; not how to revert it if the check itself does (``reverts``)."""
    env = env_flag(report.org)
    unmanaged = [drift for drift in report.drifts if not drift.managed]
    ignored = "".join(f" --ignore {shell_pattern(drift.address)}" for drift in unmanaged[:_NAMED])
    if len(unmanaged) < len(report.drifts):
        yield NextStep("To keep the drift, update the config", command=f"rolecall drift{env} --accept{ignored}")
        if not reverts:
            revert = f"rolecall drift{env} --revert --out revert.json"
            yield NextStep("To revert the drift, save a plan", command=revert)
            yield NextStep("Then apply it", command=f"rolecall apply{env} revert.json")
    for drift in unmanaged[:_NAMED]:
        entry = f"ignore: [{{address: {yaml_pattern(drift.address)}, reason: ...}}]"
        yield NextStep(f"To keep {visible(drift.address)}, which is unmanaged, add to the config", command=entry)
    if prints := _acknowledgeable(report):
        which = prints[0] if len(prints) == 1 else "FINGERPRINT"
        command = f"rolecall drift{env} --acknowledge {which} --reason TEXT"
        yield NextStep("To acknowledge it until the next apply", command=command)
    if not report.determined:
        yield NextStep("To record an apply, even without changes", command=f"rolecall apply{env}")
        yield NextStep("To compare with a snapshot or a commit", command=f"rolecall drift{env} --baseline FILE|git:REF")
    elif any(_not_counted(report, drift) == "unapplied" for drift in report.entries):
        yield NextStep("To plan the changes that are not applied yet", command=f"rolecall plan{env}")


def _acknowledgeable(report: DriftReport) -> list[str]:
    """Return the fingerprints of what can be acknowledged: drift, users with a watched role, and new org admins."""
    watched = (alarm.fingerprint for alarm in report.alarms if alarm.kind == "watch")
    admins = (admin.fingerprint for admin in report.people.new_admins) if report.people else ()
    return [*(drift.fingerprint for drift in report.drifts), *watched, *admins]


def drift_escalations(report: DriftReport) -> Iterator[EscalationText]:
    """Yield the users who gained roles above member, by drift or in the IdP: org admins first."""
    if report.did is not None:
        yield from escalations(report.did)
    for admin in report.people.new_admins if report.people else ():
        causes = (visible(admin.address),) if admin.address else ()
        yield EscalationText(f"{who_words(admin.who)} is a new org admin, {visible(admin.by)}", True, causes)
