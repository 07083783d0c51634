"""Guard plans of an org that was not read completely, or was observed too long ago."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rolecall.model.kinds import IDP_SECTIONS, SECTIONS
from rolecall.plan.commands import reread_fix
from rolecall.plan.coverage import changed_sentence, sections_of
from rolecall.plan.dates import day
from rolecall.plan.guards.guard import PASS, READ_IDP, Finding, GuardInput, Item, bounds, know_users, read_settings
from rolecall.plan.headline import enumerate_words
from rolecall.plan.value import Detail, Verdict

OBSERVE = "To read it again: rolecall observe"


def unread(guard_input: GuardInput) -> Finding:
    """Block where a managed section, or users that a guard needs, were not read completely; of an observed org, require
    approval where only users were not read, unless the IdP could not be read, which is no different there."""
    coverage_by_section = (guard_input.coverage or {}) if guard_input.effective else {}
    sections = sorted(name for name, coverage in coverage_by_section.items() if coverage.state != "complete")
    on_settings = {name: finding for name, finding in guard_input.unjudged.items() if finding.unread_settings}
    users = _users(guard_input, [name for name in guard_input.unjudged if name not in on_settings])
    if not sections and not users and not on_settings:
        return PASS
    observed = guard_input.plan_input.live.facts.observed
    verdict: Verdict = "review" if not sections and observed and not _idp_unread(guard_input) else "block"
    lines = []
    if sections:
        why = [_section(name, coverage_by_section[name].problem) for name in sections]
        lines.append(f"Not read: {enumerate_words(why, 9)}; not part of this plan")
    lines += _by_reason(on_settings)
    lines += [users] if users else []
    items = tuple(Item(1) for _ in (*sections, *on_settings, *(("people",) if users else ())))
    fixes = _fixes(guard_input, sections)
    fixes = list(dict.fromkeys((*fixes, *(fix for finding in on_settings.values() for fix in finding.fixes))))
    if users:
        fixes += [fix for fix in know_users(guard_input) if fix not in fixes]
    details = tuple(map(Detail, lines[1:]))
    return Finding(verdict, lines[0], actual=len(items), items=items, fixes=tuple(fixes), details=details)


def _by_reason(unjudged: Mapping[str, Finding]) -> list[str]:
    """Return a line for each reason, with all guards that it keeps from being evaluated."""
    names: dict[str, list[str]] = {}
    for name, finding in unjudged.items():
        names.setdefault(finding.message, []).append(name)
    return [f"{enumerate_words(guards, 9)} cannot be evaluated. {why}" for why, guards in names.items()]


def _idp_unread(guard_input: GuardInput) -> bool:
    effect = guard_input.impact_result.forecast.effect
    unknown = effect is not None and effect.problem is not None
    return unknown or any(READ_IDP in finding.fixes for finding in guard_input.unjudged.values())


def _users(guard_input: GuardInput, guards: Sequence[str]) -> str:
    """Return why users are unknown that the plan, or one of these guards, needs; nothing where none are."""
    forecast = guard_input.impact_result.forecast
    if forecast.problem or not guards:
        return forecast.problem or ""
    state = "Users were not read" if forecast.directory is None else "Not all users were read"
    return f"{state}, so {enumerate_words(guards)} cannot be evaluated"


def _section(name: str, problem: str | None) -> str:
    return f"{name} ({problem})" if problem else name


def _fixes(guard_input: GuardInput, unread: list[str]) -> list[str]:
    """Return what to do about sections and fields that were not read."""
    observed = guard_input.plan_input.live.facts.observed
    in_idp = [name for name in unread if name in IDP_SECTIONS]
    unread = [name for name in unread if name not in in_idp]
    fields = [name for name in unread if name not in SECTIONS]
    fixes = [READ_IDP] if in_idp else []
    if unread and (observed or len(fields) < len(unread)):
        fixes += read_settings(guard_input, unread)
    if fields:
        where = "the org's file has" if observed else "the org's response or the snapshot has"
        fixes.append(f"Check that {where} {enumerate_words(fields, 3)}, or remove it from the configuration.")
    return fixes


def observed_age(guard_input: GuardInput) -> Finding:
    """Limit how many days ago an observed org was read, by the oldest section that the plan depends on. Require
    approval where one of them was changed since."""
    if not guard_input.plan_input.live.facts.observed:
        return PASS
    taken = [
        at for name in _relied(guard_input) if (at := guard_input.plan_input.live.covered(name).taken_at) is not None
    ]
    limits = bounds(guard_input.policies, "observed_age", 0, "days")
    if not taken:
        return PASS._replace(limit=limits.text)
    if max(taken) > guard_input.plan_input.created_at + timedelta(days=1):
        message = f"`taken_at` in the org's file is in the future ({day(max(taken))})"
        return Finding("review", message, limits.text, items=(Item(1),), fixes=("Correct `taken_at`.", OBSERVE))
    days = _days(min(taken), guard_input.plan_input.created_at)
    verdict = limits.verdict_for(days)
    if verdict == "pass" and (changed := _changed(guard_input)) is not None:
        return changed._replace(limit=limits.text, actual=days)
    return Finding(
        verdict,
        f"The org was observed {days:,} days ago; {limits.exceeded(days, ' days')}" if verdict != "pass" else "",
        limits.text,
        days,
        (Item(days),),
        verdict_for=limits.verdict_for,
        fixes=(OBSERVE,),
    )


def _changed(guard_input: GuardInput) -> Finding | None:
    """Return the finding that sections were changed after they were read; None if none were."""
    plan_input = guard_input.plan_input
    covered = ((name, plan_input.live.covered(name).changed_since) for name in _relied(guard_input))
    changes = [(name, change) for name, change in covered if change is not None]
    if not changes:
        return None
    first, *more = [changed_sentence(name, change) for name, change in changes]
    fixes = tuple(reread_fix(plan_input.org, name) for name, _ in changes)
    return Finding("review", first, items=(Item(1),), fixes=fixes, details=tuple(map(Detail, more)))


def _relied(guard_input: GuardInput) -> list[str]:
    return [
        *sections_of(guard_input.coverage or ()),
        *(("people",) if guard_input.impact_result.forecast.moves else ()),
    ]


def _days(then: datetime, now: datetime) -> int:
    return max(0, (now - then).days)
