"""What was not read, and what was read too long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from rolecall.model.kinds import SECTIONS
from rolecall.plan.coverage import sections_of
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, bounds, read_users
from rolecall.plan.headline import enumerate_words
from rolecall.plan.value import Verdict

OBSERVE = "Observe it again."


def unread(guard_input: GuardInput) -> Finding:
    """A managed section, or people that a guard needs, not read whole: block; people of an observed org: review."""
    coverage_by_section = guard_input.coverage or {}
    sections = sorted(name for name, coverage in coverage_by_section.items() if coverage.state != "complete")
    people = guard_input.impact_result.forecast.problem
    on_settings = {name: finding for name, finding in guard_input.unjudged.items() if finding.unread_settings}
    on_users = [name for name in guard_input.unjudged if name not in on_settings]
    if not people and on_users:
        state = (
            "Users were not read" if guard_input.impact_result.forecast.directory is None else "Not all users were read"
        )
        people = f"{state}, and {enumerate_words(on_users)} cannot be evaluated without them."
    if not sections and not people and not on_settings:
        return PASS
    verdict: Verdict = "review" if not sections and guard_input.plan_input.live.facts.observed else "block"
    sentences = []
    if sections:
        why = [
            f"{name} ({coverage_by_section[name].problem})" if coverage_by_section[name].problem else name
            for name in sections
        ]
        sentences.append(
            f"Not read whole: {enumerate_words(why, 9)}; nothing is planned there, nothing is known of it."
        )
    sentences += [f"{name} cannot be evaluated: {finding.message}" for name, finding in on_settings.items()]
    if people:
        sentences.append(people)
    items = tuple(Item(1) for _ in (*sections, *on_settings, *(("people",) if people else ())))
    observed = guard_input.plan_input.live.facts.observed
    fixes = _fixes(sections, observed=observed)
    fixes += [fix for finding in on_settings.values() for fix in finding.fixes if fix not in fixes]
    if people:
        fixes.append(read_users(guard_input))
    return Finding(verdict, " ".join(sentences), actual=len(items), items=items, fixes=tuple(fixes))


def _fixes(unread: list[str], *, observed: bool) -> list[str]:
    """Return what to do about sections and fields that were not read."""
    fields = [name for name in unread if name not in SECTIONS]
    fixes = []
    if observed and unread:
        fixes.append(OBSERVE)
    elif len(fields) < len(unread):
        fixes.append("Check the token's rights.")
    if fields:
        where = "the org's file has" if observed else "the org's answer or the snapshot has"
        fixes.append(f"Check that {where} {enumerate_words(fields, 3)}, or remove it from the configuration.")
    return fixes


def observed_age(guard_input: GuardInput) -> Finding:
    """How many days ago an observed org was looked at, by the oldest section that the plan relies on."""
    if not guard_input.plan_input.live.facts.observed:
        return PASS
    taken = [
        at for name in _relied(guard_input) if (at := guard_input.plan_input.live.covered(name).taken_at) is not None
    ]
    limits = bounds(guard_input.policies, "observed_age", 0, "days")
    if not taken:
        return PASS._replace(limit=limits.text)
    if max(taken) > guard_input.plan_input.created_at + timedelta(days=1):
        message = f"The org was looked at on {max(taken):%Y-%m-%d}, says the file; that day is yet to come."
        return Finding("review", message, limits.text, items=(Item(1),), fixes=(f"Mend `taken_at`. {OBSERVE}",))
    days = _days(min(taken), guard_input.plan_input.created_at)
    return Finding(
        limits.verdict_for(days),
        f"The org was looked at {days:,} days ago; {limits.text} days.",
        limits.text,
        days,
        (Item(days),),
        verdict_for=limits.verdict_for,
        fixes=(OBSERVE,),
    )


def _relied(guard_input: GuardInput) -> list[str]:
    return [
        *sections_of(guard_input.coverage or ()),
        *(("people",) if guard_input.impact_result.forecast.moves else ()),
    ]


def _days(then: datetime, now: datetime) -> int:
    return max(0, (now - then).days)
