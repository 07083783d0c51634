"""Improve the greedy order: for users who would still lose access for a time, find the best order of their steps.

The search is bounded by work, not by time, so that equal plans have equal orders on every machine. Each improvement
is complete in itself: when the limit is reached, the order is the best one so far, never worse than the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from rolecall.access.evaluate import settle
from rolecall.model.change import Change
from rolecall.model.settings import Address
from rolecall.plan.order.risk import Risk
from rolecall.plan.order.transients import Timeline, weight


class WorkLimitError(Exception):
    """The search reached its limit."""


class Work:
    """Count evaluations against a limit: one for each group that is evaluated, four for each set of rules applied."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def spend(self, evaluations: int) -> None:
        """Count work that is about to be done. Raises WorkLimitError once there is more than the limit."""
        self.left -= evaluations
        if self.left < 0:
            raise WorkLimitError


class Window:
    """Mappings that may change places, and the users that they affect.

    The mappings share out the window's places, the steps that they have now; everything else keeps its place. A set of
    mappings that are done is a number, in which bit n stands for the n-th. What a user lacks or has too much of after a
    place depends on that set alone, so that each set is evaluated once, however many orders lead through it.

    ``addresses`` are in the order of their present places, ``places`` their step numbers.
    """

    def __init__(self, timeline: Timeline, own: Sequence[Address], risks: Sequence[Risk], work: Work) -> None:
        self.addresses = tuple(sorted(own, key=timeline.steps.__getitem__))
        self.places = tuple(timeline.steps[at] for at in self.addresses)
        numbers = {at: number for number, at in enumerate(self.addresses)}
        self._crowds = [_Crowd(timeline, risk, numbers, self.places, work) for risk in risks]
        self._affected = [[crowd for crowd in self._crowds if crowd.own >> n & 1] for n in range(len(self.addresses))]
        self._stays: dict[tuple[int, int], int] = {}

    def cost(self, place: int, done: int, step: int) -> int:
        """Return users times entitlements that begin to be missing or extra if mapping ``step`` takes a place.

        Counts from that place, by its number, up to the next one; ``done`` are the mappings before it.
        """
        begins = sum(crowd.begins(place, done, done | 1 << step) for crowd in self._affected[step])
        key = place, done | 1 << step
        if key not in self._stays:
            self._stays[key] = sum(crowd.between(*key) for crowd in self._crowds)
        return begins + self._stays[key]


class _Crowd:
    """Users who are alike. ``own`` has the window's mappings that affect them, as a set."""

    def __init__(
        self, timeline: Timeline, risk: Risk, numbers: dict[Address, int], places: Sequence[int], work: Work
    ) -> None:
        self._timeline, self._risk, self._places, self._work = timeline, risk, places, work
        self._bits = {timeline.steps[at]: 1 << numbers[at] for at in risk.mappings if at in numbers}
        self.own = sum(self._bits.values())
        outside_steps = {timeline.steps[at] for at in risk.mappings if at not in numbers}
        self._events = _by_place(sorted(outside_steps.union(timeline.barriers)), places)
        self._granted: dict[int, int] = {}
        self._gaps: dict[tuple[int, int], int] = {}

    def begins(self, place: int, before: int, after: int) -> int:
        """Return users times entitlements that begin to be missing or extra at a place."""
        step = self._places[place]
        self._work.spend(1)
        return self._weight(self.gap(step, after) & ~self.gap(step - 1, before))

    def between(self, place: int, done: int) -> int:
        """Return the same for the steps outside the window that follow a place."""
        weight, last = 0, self._places[place]
        for step in self._events[place]:
            weight += self._weight(self.gap(step, done) & ~self.gap(last, done))
            last = step
        return weight

    def gap(self, step: int, done: int) -> int:
        """Return the entitlements missing or extra after a step, when these mappings of the window are done."""
        key = step, done & self.own
        if key not in self._gaps:
            before, after = self._ends
            mask = self._mask(*key)
            self._gaps[key] = (before & after & ~mask) | (mask & ~(before | after))
        return self._gaps[key]

    def _weight(self, entitlements: int) -> int:
        return len(self._risk.numbers) * entitlements.bit_count() if entitlements else 0

    @cached_property
    def _ends(self) -> tuple[int, int]:
        last = max(self._timeline.steps.values())
        return self._mask(0, 0), self._mask(last, self.own)

    def _mask(self, step: int, done: int) -> int:
        segment = self._timeline.segment(step)
        if step not in self._granted:
            self._granted[step] = self._granted_outside(step)
        self._work.spend(4 + len(self._bits))
        granted = self._granted[step]
        for group, bit in self._groups:
            granted |= (segment.new if done & bit else segment.old)[group]
        return segment.rules.entitlements.access_bits(settle(segment.rules, granted, self._risk.traits))

    def _granted_outside(self, step: int) -> int:
        """Return what the groups outside the window give after a step."""
        segment = self._timeline.segment(step)
        self._work.spend(len(self._risk.groups))
        granted = 0
        for group in self._risk.groups:
            at = self._timeline.step_of(group)
            if at not in self._bits:
                granted |= (segment.new if at <= step else segment.old)[group]
        return granted

    @cached_property
    def _groups(self) -> list[tuple[int, int]]:
        steps = ((group, self._timeline.step_of(group)) for group in self._risk.groups)
        return [(group, self._bits[step]) for group, step in steps if step in self._bits]


def _by_place(events: Sequence[int], places: Sequence[int]) -> list[list[int]]:
    """Return for each place the steps between it and the next one; for the last, all after it."""
    ends = (*places[1:], None)
    return [
        [step for step in events if step > place and (end is None or step < end)]
        for place, end in zip(places, ends, strict=True)
    ]


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
    """Return the mappings' places in their best order, the waves kept; empty if it is not better than the current one.

    The way to a set of mappings that are done is the cheapest one, whatever follows, so that sets are visited by
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
    """Return the users whose steps can be permuted, by their mappings: two to six."""
    by_mappings: dict[Mappings, list[Risk]] = {}
    for risk in risks:
        if 2 <= len(risk.mappings) <= MOST_STEPS:
            by_mappings.setdefault(risk.mappings, []).append(risk)
    return by_mappings


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
