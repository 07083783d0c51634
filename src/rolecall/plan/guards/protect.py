"""Entries that the config, now or when last applied, says must not be weakened."""

from __future__ import annotations

from rolecall.model.change import Change
from rolecall.model.roles import RANK
from rolecall.model.settings import Address, GroupMapping
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, at


def protect(guard_input: GuardInput) -> Finding:
    """No protected entry goes, goes blank, gives a lower role or a team less, or gets an end."""
    applied, desired = guard_input.plan_input.applied, guard_input.plan_input.desired
    listed = {at for at, intent in desired.intents.items() if intent.protect}
    guarded = applied.protected | listed
    weakened = [(change, how) for change in guard_input.effective if (how := _weakened(guard_input, change, guarded))]
    weakened += [(change, "would expire") for change in _ending(guard_input, guarded)]
    if not guarded or not weakened:
        return PASS._replace(actual=len(guarded) or None)
    listing = "; ".join(f"{change.address} {how}{at(change.intent.source)}" for change, how in weakened)
    return Finding(
        "block",
        f"{listing}; what is protected must not be weakened.",
        actual=len(weakened),
        items=tuple(Item(1, (change.address,)) for change, _ in weakened),
        source=weakened[0][0].intent.source,
        target=weakened[0][0].address,
        fixes=("Drop `protect` from the entry in a plan of its own, apply that, then make this change.",),
    )


def _weakened(guard_input: GuardInput, change: Change, guarded: frozenset[Address]) -> str:
    names = {change.address}
    if change.moved is not None:
        names |= set(change.moved)
    if not names & guarded:
        return ""
    after = change.after
    if change.moved is not None and change.address == change.moved.before:
        after = next(
            (counterpart.after for counterpart in guard_input.effective if counterpart.address == change.moved.after),
            None,
        )
    if change.before is None:
        return ""
    if after is None:
        return "would be removed"
    if isinstance(change.before, GroupMapping) and isinstance(after, GroupMapping):
        return _weaker(change.before, after)
    return ""


def _weaker(before: GroupMapping, after: GroupMapping) -> str:
    lost = sorted(before.teams - after.teams)
    if before.role != after.role:
        was, now = RANK.get(before.role or ""), RANK.get(after.role or "")
        if was is None or now is None or now < was:
            return f"would give {after.role or 'the default role'} instead of {before.role or 'the default role'}"
    return f"would lose {', '.join(lost)}" if lost else ""


def _ending(guard_input: GuardInput, guarded: frozenset[Address]) -> list[Change]:
    """Entries that get an end they did not have when last applied."""
    ends = guard_input.plan_input.applied.expires
    if ends is None:
        return []
    return [
        Change(address, "update", None, None, intent=intent)
        for address, intent in sorted(guard_input.plan_input.desired.intents.items())
        if address in guarded
        and address in guard_input.plan_input.applied.protected
        and intent.expires
        and address not in ends
    ]
