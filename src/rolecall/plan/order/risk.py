"""Find the users who are affected by the order of steps, and the steps that may run in parallel.

B and A are a user's entitlements before and after. What changes hands is (B∩A) − ⋃g (before_g ∩ after_g): in effect at
both ends, but from no single source throughout. Only where that is not empty, or manual edits count, and two steps or
more touch the user, can anything be missing or extra in between, whatever the order inside a wave. SCIM on or off and
the steps of the upgrade are barriers: every user who is affected by another step too is at risk. Users affected by the
two steps of ``scim`` only are at risk if their access between these steps is that of neither end.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import groupby, pairwise
from operator import and_, or_
from typing import NamedTuple

from rolecall.access.candidates import SCIM
from rolecall.access.entitlements import BY_DEFAULT
from rolecall.access.evaluate import group_masks, settle
from rolecall.model.change import Change
from rolecall.model.directory import Directory, Traits
from rolecall.model.kinds import BY_SECTION, FOR_ALL_USERS, address, split_address
from rolecall.model.settings import Address
from rolecall.plan.forecast import AccessForecast, follow, regime_moves
from rolecall.plan.value import Plan


class Risk(NamedTuple):
    """Users at risk with the same groups (numbers of the directory) and the same traits.

    ``handover`` are the entitlements that change hands, ``steps`` the changes that affect them, ``numbers`` the users.
    """

    groups: tuple[int, ...]
    traits: Traits
    handover: int
    steps: tuple[Address, ...]
    numbers: array[int]

    @property
    def mappings(self) -> tuple[Address, ...]:
        """Return the steps that are mappings; other steps affect all users alike."""
        return tuple(at for at in self.steps if at.startswith("idp_groups/"))


def at_risk(forecast: AccessForecast) -> tuple[Risk, ...]:
    """Return all users at risk, alike users together, in the order of the directory."""
    directory = forecast.directory
    if directory is None or (len(forecast.touched) < 2 and len(_scim_steps(forecast)) < 2):
        return ()
    sources = _Sources(forecast, directory)
    regime = regime_moves(forecast.first, forecast.last)
    between = _Between(forecast, directory)
    crowds: dict[tuple[tuple[int, ...], Traits], tuple[int, array[int]]] = {}
    members, offsets, groups_after = directory.members, directory.offsets, forecast.groups_after
    for number, by_scim_alone in _touched_twice(forecast, directory):
        former = members[offsets[number] : offsets[number + 1]]
        groups = tuple(groups_after.get(number, former))
        traits = directory.traits(number)
        known = crowds.get((groups, traits))
        if known is not None:
            known[1].append(number)
        elif by_scim_alone:
            if between.differs(groups, traits):
                crowds[groups, traits] = 0, array("I", (number,))
        else:
            handover = _handover(forecast, groups, traits, sources)
            if handover or regime or _edited(forecast, traits):
                crowds[groups, traits] = handover, array("I", (number,))
    steps = _Steps(forecast, directory)
    return tuple(
        Risk(groups, traits, handover, steps.of(groups, numbers[0]), numbers)
        for (groups, traits), (handover, numbers) in crowds.items()
    )


def _scim_steps(forecast: AccessForecast) -> tuple[Change, ...]:
    """Return the steps of ``scim``: a switch or toggle, a part of the upgrade, or both."""
    return tuple(change for change in forecast.written if change.address == SCIM)


def _touched_twice(forecast: AccessForecast, directory: Directory) -> Iterator[tuple[int, bool]]:
    """Return users affected by two steps or more, ascending, each with whether only the two steps of ``scim`` affect
    them. Users who get the app in the IdP or lose it are left out."""
    touching = bytearray(len(directory))
    joined = {} if forecast.placed is None else forecast.placed.joined
    for at, numbers in forecast.touched.items():
        for number in numbers if at != SCIM and at not in joined else ():
            if touching[number] < 2:
                touching[number] += 1
    twice = len(_scim_steps(forecast)) > 1
    for number in forecast.touched.get(SCIM, ()):
        touching[number] = min(2, touching[number] + 1) if touching[number] or not twice else _BY_SCIM
    for number in forecast.later:
        touching[number] = 0
    for number, count in enumerate(touching):
        if count > 1:
            yield number, count == _BY_SCIM


_BY_SCIM = 3
"""Marks users who are affected by the two steps of ``scim`` only."""


class _Between:
    """The access of users between the two steps of ``scim``, in either order, if no other step affects them."""

    def __init__(self, forecast: AccessForecast, directory: Directory) -> None:
        self._entitlements = forecast.before.entitlements
        states = [follow(forecast.first, (change,)) for change in _scim_steps(forecast)]
        rules = (forecast.before, forecast.after, *(forecast.rules(state, forecast.first) for state in states))
        self._rules = [(each, group_masks(each, directory)) for each in rules]

    def differs(self, groups: Sequence[int], traits: Traits) -> bool:
        """Return whether a user lacks what both ends give, or has what neither end gives."""
        before, after, *between = (
            self._entitlements.access_bits(
                settle(rules, reduce(or_, (group_grants[group] for group in groups), 0), traits)
            )
            for rules, group_grants in self._rules
        )
        return any(before & after & ~mask | mask & ~(before | after) for mask in between)


class _Sources:
    """The access from each group before, after, throughout, and at most: a mapping without a role gives one thing or
    another as the default's role moves (R31)."""

    def __init__(self, forecast: AccessForecast, directory: Directory) -> None:
        self.before = group_masks(forecast.before, directory)
        self.after = group_masks(forecast.after, directory)
        self.kept = list(map(and_, self.before, self.after))
        self.most = list(map(or_, self.before, self.after))
        if "defaults" in forecast.touched:
            first, last = forecast.first, forecast.last
            for rules in (forecast.rules(first, last), forecast.rules(last, first)):
                granted = group_masks(rules, directory)
                self.kept = list(map(and_, self.kept, granted))
                self.most = list(map(or_, self.most, granted))


def _handover(forecast: AccessForecast, groups: Sequence[int], traits: Traits, sources: _Sources) -> int:
    """Return the entitlements that move between groups, and those that a group gives only in between."""
    gave = gives = lasting = most = 0
    for group in groups:
        gave |= sources.before[group]
        gives |= sources.after[group]
        lasting |= sources.kept[group]
        most |= sources.most[group]
    before, after = settle(forecast.before, gave, traits), settle(forecast.after, gives, traits)
    if before & after & BY_DEFAULT or "legacy" in (forecast.before.scim.endpoint, forecast.after.scim.endpoint):
        lasting |= forecast.before.scim.default_mask & forecast.after.scim.default_mask
    adrift = most & ~(gave | gives)
    return forecast.before.entitlements.access_bits(before & after & ~lasting | adrift)


def _edited(forecast: AccessForecast, traits: Traits) -> bool:
    editing = forecast.before.scim.editing or forecast.after.scim.editing
    return bool(traits.manual) and traits.origin == "scim" and editing


class _Steps:
    """The changes that affect a user: those of their groups, and those for all users that reach them."""

    def __init__(self, forecast: AccessForecast, directory: Directory) -> None:
        self._groups: dict[int, Address] = {}
        for number, name in enumerate(directory.groups):
            if (at := address("idp_groups", name)) in forecast.touched:
                self._groups[number] = at
        wide = (at for at in map(address, FOR_ALL_USERS) if at in forecast.touched)
        self._wide = [(at, frozenset(forecast.touched[at])) for at in wide]

    def of(self, groups: Sequence[int], number: int) -> tuple[Address, ...]:
        own = [self._groups[group] for group in groups if group in self._groups]
        return tuple(sorted({*own, *(at for at, numbers in self._wide if number in numbers)}))


def levels(plan: Plan) -> tuple[tuple[Change, ...], ...]:
    """Return the writes in groups: steps of a group may run in parallel, the groups run one after another.

    No group spans two waves.
    """
    grouped = groupby(plan.writes, key=lambda change: (change.wave, change.level))
    return tuple(tuple(members) for _, members in grouped)


def with_levels(steps: Sequence[Change], risks: Iterable[Risk]) -> tuple[Change, ...]:
    """Return the steps with their levels, sorted by wave and level; steps that affect the same user keep their order.

    Mappings wait for earlier ones that share a user at risk. Domains share a level; every other step has its own:
    two steps of ``scim``, a switch and a part of the upgrade, decide each other's effect (R20, R33).
    """
    place = {change.address: number for number, change in enumerate(steps)}
    before = _earlier(risks, place, steps)
    levels: list[int] = []
    floor, kind = 0, ""
    for number, change in enumerate(steps):
        section = split_address(change.address)[0]
        same_wave = number and steps[number - 1].wave == change.wave
        if not same_wave:
            floor = 0
        elif section != kind or not BY_SECTION[section].keyed:
            floor = max(level for level, step in zip(levels, steps, strict=False) if step.wave == change.wave) + 1
        kind = section
        levels.append(max((levels[earlier] + 1 for earlier in before.get(number, ())), default=floor))
        levels[-1] = max(levels[-1], floor)
    leveled = [change._replace(level=level) for change, level in zip(steps, levels, strict=True)]
    return tuple(sorted(leveled, key=lambda change: (change.wave, change.level)))


def _earlier(risks: Iterable[Risk], place: dict[Address, int], steps: Sequence[Change]) -> dict[int, set[int]]:
    """Return for each mapping the one before it in its wave that affects the same user at risk."""
    before: dict[int, set[int]] = {}
    for shared in {tuple(sorted(place[at] for at in risk.mappings)) for risk in risks}:
        for first, second in pairwise(shared):
            if steps[first].wave == steps[second].wave:
                before.setdefault(second, set()).add(first)
    return before
