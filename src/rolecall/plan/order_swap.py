"""After the greedy order: around people who would still lack something, try every order of their few steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, permutations, product

from rolecall.model.change import Change
from rolecall.model.settings import Address
from rolecall.plan.order_risk import Risk
from rolecall.plan.transients import Timeline, weight

MOST_STEPS = 6
_MOST_TRIES = 64
_MOST_SHARING = 400


def improved(steps: Sequence[Change], risks: Sequence[Risk], timeline: Timeline) -> list[Change]:
    """The steps in the best order found by permuting, inside their waves, up to six steps around one person."""
    by = {change.address: change for change in steps}
    sharing = _sharing(risks)
    tried: set[tuple[Address, ...]] = set()
    for risk in risks:
        own = risk.mappings
        if not 2 <= len(own) <= MOST_STEPS or own in tried or not timeline.gaps(risk):
            continue
        tried.add(own)
        touched = list({id(other): other for at in own for other in sharing[at]}.values())
        if len(touched) <= _MOST_SHARING:
            timeline = _best(timeline, own, by, touched)
        if len(tried) >= _MOST_TRIES:
            break
    placed = list(steps)
    for own in tried:
        for at in own:
            placed[timeline.steps[at] - 1] = by[at]
    return placed


def _best(timeline: Timeline, own: Sequence[Address], by: dict[Address, Change], touched: Sequence[Risk]) -> Timeline:
    best, least = timeline, weight(timeline, touched)
    for swapped in _orders(timeline, own, by):
        if not least:
            break
        other = timeline.moved(swapped)
        if (weighed := weight(other, touched)) < least:
            best, least = other, weighed
    return best


def _orders(timeline: Timeline, own: Sequence[Address], by: dict[Address, Change]) -> Iterator[dict[Address, int]]:
    """Every way to hand these steps' own places around, none leaving its wave."""
    listed = sorted(own, key=lambda at: timeline.steps[at])
    waves = [list(members) for _, members in groupby(listed, key=lambda at: by[at].wave)]
    for orders in product(*(permutations(members) for members in waves)):
        yield {
            at: timeline.steps[place]
            for members, order in zip(waves, orders, strict=True)
            for at, place in zip(order, members, strict=True)
        }


def _sharing(risks: Sequence[Risk]) -> dict[Address, list[Risk]]:
    by: dict[Address, list[Risk]] = {}
    for risk in risks:
        for at in risk.mappings:
            by.setdefault(at, []).append(risk)
    return by
