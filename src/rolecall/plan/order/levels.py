"""Which steps may be made side by side: those of one wave that share nobody at risk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from rolecall.model.change import Change
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.settings import Address
from rolecall.plan.order.risk import Risk
from rolecall.plan.value import Plan


def levels(plan: Plan) -> tuple[tuple[Change, ...], ...]:
    """What apply writes, in groups: a group's steps may run side by side, the groups run one after another.

    No group spans two waves.
    """
    grouped = groupby(plan.writes, key=lambda change: (change.wave, change.level))
    return tuple(tuple(members) for _, members in grouped)


def with_levels(steps: Sequence[Change], risks: Iterable[Risk]) -> tuple[Change, ...]:
    """The steps with their levels, sorted by wave and level; the order of steps that share somebody stays.

    Mappings wait for earlier ones that share a user at risk. Domains share a level; every other step has its own:
    two steps of ``scim``, a switch and a part of the upgrade, decide each other's effect (R20, R33).
    """
    place = {change.address: number for number, change in enumerate(steps)}
    before = _earlier(risks, place, steps)
    found: list[int] = []
    floor, kind = 0, ""
    for number, change in enumerate(steps):
        section = split_address(change.address)[0]
        same_wave = number and steps[number - 1].wave == change.wave
        if not same_wave:
            floor = 0
        elif section != kind or not BY_SECTION[section].keyed:
            floor = max(level for level, step in zip(found, steps, strict=False) if step.wave == change.wave) + 1
        kind = section
        found.append(max((found[other] + 1 for other in before.get(number, ())), default=floor))
        found[-1] = max(found[-1], floor)
    leveled = [replace(change, level=level) for change, level in zip(steps, found, strict=True)]
    return tuple(sorted(leveled, key=lambda change: (change.wave, change.level)))


def _earlier(risks: Iterable[Risk], place: dict[Address, int], steps: Sequence[Change]) -> dict[int, set[int]]:
    """Mapping -> the mapping just before it in its wave for somebody at risk."""
    before: dict[int, set[int]] = {}
    for shared in {tuple(sorted(place[at] for at in risk.mappings)) for risk in risks}:
        for one, other in pairwise(shared):
            if steps[one].wave == steps[other].wave:
                before.setdefault(other, set()).add(one)
    return before
