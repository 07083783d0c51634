"""Inside wave 2: whoever gains what changes hands comes before whoever loses it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from rolecall.model.change import Change
from rolecall.model.settings import Address
from rolecall.plan.order.risk import Risk
from rolecall.plan.outlook import Outlook

MIXED = 2


def sorted_by_hand_over(steps: Sequence[Change], risks: Iterable[Risk], outlook: Outlook) -> list[Change]:
    """The steps with wave 2 in topological order; where needs go in a circle, the first address breaks it."""
    mixed = {change.address: change for change in steps if change.wave == MIXED}
    if len(mixed) < 2:
        return list(steps)
    listed = iter(_topological(sorted(mixed), _needs(mixed, risks, outlook)))
    return [mixed[next(listed)] if change.wave == MIXED else change for change in steps]


def _needs(mixed: Mapping[Address, Change], risks: Iterable[Risk], outlook: Outlook) -> dict[Address, set[Address]]:
    """Address -> those that must come after it, because they take what it gives to somebody."""
    old, new = outlook.before.scim.masks, outlook.after.scim.masks
    gives, takes = {}, {}
    for at in mixed:
        name = at.partition("/")[2]
        was, will = old.get(name, 0), new.get(name, 0)
        gives[at], takes[at] = will & ~was, was & ~will
    after: dict[Address, set[Address]] = {at: set() for at in mixed}
    for risk in risks:
        own = [at for at in risk.steps if at in mixed]
        for giver in own:
            shared = gives[giver] & risk.handover
            if shared:
                after[giver].update(taker for taker in own if takes[taker] & shared)
    return after


def _topological(addresses: Sequence[Address], after: Mapping[Address, set[Address]]) -> list[Address]:
    waits = dict.fromkeys(addresses, 0)
    for followers in after.values():
        for at in followers:
            waits[at] += 1
    free = [at for at in addresses if not waits[at]]
    heapify(free)
    circled = iter(addresses)
    done: dict[Address, None] = {}
    while len(done) < len(addresses):
        at = heappop(free) if free else next(at for at in circled if at not in done)
        if at in done:
            continue
        done[at] = None
        for follower in after[at]:
            waits[follower] -= 1
            if not waits[follower] and follower not in done:
                heappush(free, follower)
    return list(done)
