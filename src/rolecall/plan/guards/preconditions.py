"""Check that the org accepts every step of the plan, in the order of the plan (R1, R3, R4, R20, R33, R34)."""

from __future__ import annotations

from rolecall.access.entitlements import ORG
from rolecall.model import normalise
from rolecall.model.change import Change
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, read_settings
from rolecall.plan.guards.write_preconditions import Refusal, check_preconditions
from rolecall.plan.headline import enumerate_words
from rolecall.plan.impact.compute import groups_and_traits
from rolecall.plan.value import Detail


def preconditions(guard_input: GuardInput) -> Finding:
    """Block a plan with a step that the org would reject; cannot be overridden. Not evaluated where that was not read.

    A plan without changes is checked too: a config may ask for what no write can reach (R20).
    """
    checked = check_preconditions(guard_input.plan_input, guard_input.changes)
    refusals = (*checked.refusals, *_caller(guard_input))
    if refusals:
        return _block(refusals)
    if checked.unread:
        names = enumerate_words(checked.unread)
        message = f"Not read: {names}, so it is unknown whether the org accepts every step"
        return Finding("not judged", message, fixes=read_settings(guard_input, checked.unread), unread_settings=True)
    return PASS


def _block(refusals: tuple[Refusal, ...]) -> Finding:
    lines = dict.fromkeys(Detail(f"{refusal.address}: {refusal.message}", refusal.source) for refusal in refusals)
    steps = "1 step" if len(refusals) == 1 else f"{len(refusals):,} steps"
    return Finding(
        "block",
        f"The org would reject {steps} of this plan",
        actual=len(refusals),
        items=tuple(Item(1, (refusal.address,)) for refusal in refusals),
        source=refusals[0].source,
        target=refusals[0].address,
        firm=True,
        fixes=tuple(dict.fromkeys(refusal.fix for refusal in refusals)),
        details=tuple(lines),
    )


def _caller(guard_input: GuardInput) -> tuple[Refusal, ...]:
    """Return a refusal where the user of the token loses org admin before the last step that rolecall writes (R34)."""
    email, timeline = guard_input.plan_input.live.facts.caller.email, guard_input.impact_result.timeline
    directory = guard_input.impact_result.forecast.directory
    number = guard_input.impact_result.admins().get(normalise.email(email)) if email else None
    if timeline is None or directory is None or number not in guard_input.impact_result.admins_before:
        return ()
    steps = [(step, change) for step, change in enumerate(guard_input.changes, 1) if change.via == "api"]
    groups, traits = groups_and_traits(directory, number)
    lost = next((change for step, change in steps if not timeline.mask(groups, traits, step) & ORG), None)
    if lost is None:
        return ()
    left = [c for _, c in steps if c is not lost and (c.wave, c.level) >= (lost.wave, lost.level)]
    if not left:
        return ()
    message = f"{email} would no longer be org admin, so the org would reject the remaining {_count(left)} (R34)."
    return (
        Refusal(lost.address, message, "To apply this plan, use the account of another org admin.", lost.intent.source),
    )


def _count(changes: list[Change]) -> str:
    return "change" if len(changes) == 1 else f"{len(changes)} changes"
