"""After the greedy order: around users who would still lack something, find the best order of their few steps.

The search is bounded by work, not by time, so that equal plans have equal orders on every machine. Each improvement
stands by itself: when the limit is reached, the order is the best one so far, and never worse than the one it began
with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rolecall.model.change import Change
from rolecall.model.settings import Address
from rolecall.plan.order.risk import Risk
from rolecall.plan.order.transients import Timeline, weight
from rolecall.plan.order.window import Window, Work, WorkLimitError

MOST_STEPS = 6
WORK = 3_000_000
"""Evaluations that the search may take, about a second."""

Mappings = tuple[Address, ...]


class Improved(NamedTuple):
    """Steps in their order; ``limited`` if the search ended because of its limit."""

    steps: list[Change]
    limited: bool


def improved(steps: Sequence[Change], risks: Sequence[Risk], timeline: Timeline, limit: int = WORK) -> Improved:
    """Return the steps in the best order found by permuting, inside their waves, up to six steps around one user."""
    by_address = {change.address: change for change in steps}
    sharing = _sharing(risks)
    around = _around(risks)
    work, limited = Work(limit), False
    moved: set[Address] = set()
    for own in _most_for_least(around, sharing, timeline):
        if not any(timeline.gaps(risk) for risk in around[own]):
            continue
        try:
            swapped = _best(timeline, own, by_address, _affected(own, sharing), work)
        except WorkLimitError:
            limited = True
            break
        if swapped:
            timeline = timeline.moved(swapped)
            moved.update(swapped)
    placed = list(steps)
    for at in moved:
        placed[timeline.steps[at] - 1] = by_address[at]
    return Improved(placed, limited)


def _best(
    timeline: Timeline, own: Mappings, by_address: dict[Address, Change], affected: Sequence[Risk], work: Work
) -> dict[Address, int]:
    """Return the mappings' places in their best order, the waves kept; empty if it is no better than the present one.

    The way to a set of mappings that are done is the cheapest one, whatever follows, so that sets are gone through by
    size, and of each only the cheapest order is kept.
    """
    work.spend(len(affected))
    window = Window(timeline, own, affected, work)
    waves = [by_address[at].wave for at in window.addresses]
    cheapest: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for place, wave in enumerate(waves):
        longer: dict[int, tuple[int, tuple[int, ...]]] = {}
        for done, (cost, order) in cheapest.items():
            for step in (n for n, own_wave in enumerate(waves) if own_wave == wave and not done >> n & 1):
                way = cost + window.cost(place, done, step), (*order, step)
                longer[done | 1 << step] = min(way, longer.get(done | 1 << step, way))
        cheapest = longer
    ((cost, order),) = cheapest.values()
    if cost >= _present(window):
        return {}
    return {window.addresses[step]: place for step, place in zip(order, window.places, strict=True)}


def _present(window: Window) -> int:
    """Return the weight of the order as it is."""
    return sum(window.cost(place, (1 << place) - 1, place) for place in range(len(window.places)))


def _around(risks: Iterable[Risk]) -> dict[Mappings, list[Risk]]:
    """Return the users around whom steps may be permuted, by their mappings: two to six."""
    found: dict[Mappings, list[Risk]] = {}
    for risk in risks:
        if 2 <= len(risk.mappings) <= MOST_STEPS:
            found.setdefault(risk.mappings, []).append(risk)
    return found


def _most_for_least(
    around: dict[Mappings, list[Risk]], sharing: dict[Address, list[Risk]], timeline: Timeline
) -> list[Mappings]:
    """Return the sets of mappings by the work that each takes, roughly, for what could be gained; no gain is last."""

    def rank(own: Mappings) -> tuple[bool, int, Mappings]:
        work = (1 << len(own)) * sum(len(sharing[at]) for at in own)
        gain = weight(timeline, around[own])
        return not gain, work // max(gain, 1), own

    return sorted(around, key=rank)


def _affected(own: Mappings, sharing: dict[Address, list[Risk]]) -> list[Risk]:
    return list({id(risk): risk for at in own for risk in sharing[at]}.values())


def _sharing(risks: Iterable[Risk]) -> dict[Address, list[Risk]]:
    by_address: dict[Address, list[Risk]] = {}
    for risk in risks:
        for at in risk.mappings:
            by_address.setdefault(at, []).append(risk)
    return by_address
