"""Block changes that weaken protected entries; an entry is protected by the config, or was at the last apply."""

from __future__ import annotations

from rolecall.model.change import Change
from rolecall.model.roles import RANK
from rolecall.model.settings import Address, GroupMapping
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item
from rolecall.plan.value import Detail


def protect(guard_input: GuardInput) -> Finding:
    """Block where a protected entry is removed, unmapped, gets a lower role, loses a team, or gets an end date."""
    applied, desired = guard_input.plan_input.applied, guard_input.plan_input.desired
    listed = {at for at, intent in desired.intents.items() if intent.protect}
    guarded = applied.protected | listed
    weakened = [(change, how) for change in guard_input.effective if (how := _weakened(guard_input, change, guarded))]
    weakened += [(change, "would expire") for change in _ending(guard_input, guarded)]
    if not guarded or not weakened:
        return PASS._replace(actual=len(guarded) or None)
    entries = "1 protected entry" if len(weakened) == 1 else f"{len(weakened):,} protected entries"
    return Finding(
        "block",
        f"{entries} would be weakened",
        actual=len(weakened),
        items=tuple(Item(1, (change.address,)) for change, _ in weakened),
        source=weakened[0][0].intent.source,
        target=weakened[0][0].address,
        fixes=("To allow it, remove `protect` from the entry, apply that, then make this change.",),
        details=tuple(Detail(f"{change.address} {how}", change.intent.source) for change, how in weakened),
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
            return f"would change from {before.role or 'the default role'} to {after.role or 'the default role'}"
    return f"would lose {', '.join(lost)}" if lost else ""


def _ending(guard_input: GuardInput, guarded: frozenset[Address]) -> list[Change]:
    """Return protected entries that get an end date which they did not have at the last apply."""
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
