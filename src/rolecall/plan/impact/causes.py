"""Find the changes that cause each loss and gain of a user: those without which it would not happen.

A loss or gain is a bit of the user's mask that differs between the start and the end of a plan. For each of them the
plan is evaluated again without some of its changes. A change without which the bit does not differ is a cause by
itself; where there are several of these, each is enough alone. Where there is none, the causes are changes that all
have to be left out, and none of them is redundant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rolecall.access.candidates import DEFAULTS, SCIM
from rolecall.access.entitlements import BY_DEFAULT
from rolecall.access.evaluate import group_masks, settle, suffixes
from rolecall.access.rules import Rules, compile_access
from rolecall.model.directory import PLAIN, Directory, Traits
from rolecall.model.kinds import split_address
from rolecall.model.settings import Address
from rolecall.plan.forecast import AccessForecast, follow

WIDE = (SCIM, DEFAULTS)
"""The changes that reach users of every group."""


class CausedBits(NamedTuple):
    """Bits that are lost or gained, and the changes that cause it.

    ``each``: it is enough to leave out any one of ``addresses``; otherwise all of them have to be left out. The bit
    ``BY_DEFAULT`` is for falling back to default access.
    """

    bits: int
    addresses: tuple[Address, ...]
    each: bool = False


class World(NamedTuple):
    """The org after the plan without some of its wide changes.

    ``planned`` is what each group gives with its mapping as planned, ``former`` with its mapping as it was before.
    ``number`` is the same for worlds whose ``planned`` are equal.
    """

    rules: Rules
    planned: tuple[int, ...]
    former: tuple[int, ...]
    number: int


class Causes:
    """Causes for the users of one plan. Users who are alike in all that matters are evaluated once."""

    def __init__(self, forecast: AccessForecast, directory: Directory) -> None:
        self._forecast, self._directory, self._moved = forecast, directory, forecast.later
        self._worlds: dict[frozenset[Address], World] = {}
        self._planned: dict[tuple[int, ...], int] = {}
        self._known: dict[tuple[object, ...], tuple[CausedBits, ...]] = {}
        self._change_sets: dict[tuple[Address, ...], _ChangeSet] = {}
        mapped = {split_address(change.address)[1] for change in forecast.written if is_mapping(change.address)}
        self._numbers = {name: number for number, name in enumerate(directory.groups) if name in mapped}

    @property
    def worked_out(self) -> int:
        """Return how many kinds of users were evaluated."""
        return len(self._known)

    def of(self, number: int, touching: tuple[Address, ...], before: int, after: int) -> tuple[CausedBits, ...]:
        """Return the causes of all that a user loses and gains. ``touching`` are changes that may affect the user.

        A user who loses the app by several changes in the IdP keeps it if any one of them is left out.
        """
        if len(touching) == 1:
            return (CausedBits(self._differing(before, after), touching),)
        if number in self._moved:
            return (CausedBits(self._differing(before, after), touching, each=not after),)
        change_set = self._change_sets.get(touching)
        if change_set is None:
            change_set = self._change_sets[touching] = self._prepare(touching)
        directory = self._directory
        groups = directory.members[directory.offsets[number] : directory.offsets[number + 1]]
        traits = directory.others.get(number, PLAIN)
        granted = tuple(_granted(world.planned, groups, change_set.own) for world in change_set.differing)
        key = (touching, granted, traits, before, after)
        causes = self._known.get(key)
        if causes is None:
            case = _Case(change_set, granted, traits, before, self._differing(before, after))
            causes = self._known[key] = tuple(case.causes())
        return causes

    def _differing(self, before: int, after: int) -> int:
        """Return the levels that are lost and gained, and the fall to default access."""
        lost = before & ~after & ~BY_DEFAULT
        return (lost | after & ~before) & ~self._forecast.before.entitlements.team_bits

    def _prepare(self, touching: tuple[Address, ...]) -> _ChangeSet:
        groups = tuple(None if at in WIDE else self._numbers[split_address(at)[1] or ""] for at in touching)
        differing: dict[int, World] = {}
        worlds = {}
        for undone in _subsets([at for at in touching if at in WIDE]):
            world = self.world(undone)
            differing.setdefault(world.number, world)
            worlds[undone] = world, list(differing).index(world.number)
        own = frozenset(number for number in groups if number is not None)
        mappings = tuple((index, group) for index, group in enumerate(groups) if group is not None)
        return _ChangeSet(touching, groups, own, mappings, worlds, tuple(differing.values()))

    def world(self, undone: frozenset[Address]) -> World:
        """Return the org after the plan without these wide changes."""
        world = self._worlds.get(undone)
        if world is None:
            forecast = self._forecast
            changes = [change for change in forecast.written if change.address not in undone]
            wide = [change for change in changes if not is_mapping(change.address)]
            planned, former = (follow(forecast.first, some) for some in (changes, wide))
            entitlements = forecast.before.entitlements
            rules = (
                forecast.after
                if not undone
                else compile_access(planned.settings, planned.facts, entitlements=entitlements)
            )
            before = compile_access(former.settings, former.facts, entitlements=entitlements)
            masks, former_masks = (tuple(group_masks(compiled, self._directory)) for compiled in (rules, before))
            number = self._planned.setdefault(masks, len(self._planned))
            world = self._worlds[undone] = World(rules, masks, former_masks, number)
        return world


class _ChangeSet(NamedTuple):
    """A set of changes with what is needed to leave out any of them.

    ``groups`` has the directory's number of the group for each change that is a mapping, ``own`` all of these, and
    ``mappings`` the places of those changes with their groups.
    ``worlds`` has each world and its place in ``differing``, where worlds whose groups give the same are one.
    """

    touching: tuple[Address, ...]
    groups: tuple[int | None, ...]
    own: frozenset[int]
    mappings: tuple[tuple[int, int], ...]
    worlds: Mapping[frozenset[Address], tuple[World, int]]
    differing: tuple[World, ...]


class _Case:
    """One kind of user. Sets of changes are ints, one bit for each change in ``touching``.

    ``granted`` is what all groups outside ``touching`` give, in each world of ``differing``.
    """

    def __init__(self, change_set: _ChangeSet, granted: Sequence[int], traits: Traits, before: int, bits: int) -> None:
        self._change_set, self._granted, self._traits = change_set, granted, traits
        self._lost, self._gained = bits & before, bits & ~before
        self._avoided: dict[int, int] = {}

    def causes(self) -> Iterator[CausedBits]:
        """Return causes in which every bit that differs is in exactly one."""
        alone: dict[int, int] = {0: self._lost | self._gained}
        for index, avoided in enumerate(self._avoided_alone()):
            for chosen, bits in list(alone.items()):
                if bits & avoided:
                    alone[chosen | 1 << index] = bits & avoided
                    alone[chosen] = bits & ~avoided
        joint = alone.pop(0)
        for chosen, bits in alone.items():
            if bits:
                yield CausedBits(bits, self._addresses(chosen), each=chosen.bit_count() > 1)
        while joint:
            chosen = self._shrink(joint & -joint)
            bits = joint & (joint & -joint | self._exactly(chosen))
            yield CausedBits(bits, self._addresses(chosen))
            joint &= ~bits

    def _avoided_alone(self) -> list[int]:
        """Return the bits that do not differ if a change is left out, by change. What all others give is the union of
        those before and those after it, so that a user in many groups takes one step for each of them."""
        world, slot, mappings = self._mappings(0)
        avoided = [0] * len(self._change_set.groups)
        after = suffixes([world.planned[group] for _, group in mappings])
        granted = self._granted[slot]
        for place, (index, group) in enumerate(mappings):
            avoided[index] = self._avoids(world, granted | world.former[group] | after[place + 1])
            granted |= world.planned[group]
        for index in self._wide():
            avoided[index] = self._avoid(1 << index)
        return avoided

    def _wide(self) -> list[int]:
        return [index for index, group in enumerate(self._change_set.groups) if group is None]

    def _shrink(self, bit: int) -> int:
        """Return changes that avoid the loss or gain of this bit if all are left out, but not if all but one are."""
        chosen, smaller = 0, (1 << len(self._change_set.groups)) - 1
        while chosen != smaller:
            chosen = smaller
            for index in self._wide():
                fewer = smaller & ~(1 << index)
                if fewer != smaller and self._avoid(fewer) & bit:
                    smaller = fewer
            smaller = self._without_mappings(smaller, bit)
        return chosen

    def _without_mappings(self, smaller: int, bit: int) -> int:
        """Return these changes without mappings that need not be left out to avoid a bit: one after the other is
        planned again, if the bit is still avoided then."""
        world, slot, mappings = self._mappings(smaller)
        sides = (world.planned, world.former)
        after = suffixes([sides[smaller >> index & 1][group] for index, group in mappings])
        granted = self._granted[slot]
        for place, (index, group) in enumerate(mappings):
            if smaller >> index & 1 and self._avoids(world, granted | world.planned[group] | after[place + 1]) & bit:
                smaller &= ~(1 << index)
            granted |= sides[smaller >> index & 1][group]
        return smaller

    def _exactly(self, chosen: int) -> int:
        """Return the bits for which exactly these changes have to be left out."""
        fewer = (chosen & ~(1 << index) for index in _bits(chosen))
        return self._avoid(chosen) & ~union(map(self._avoid, fewer))

    def _avoid(self, undone: int) -> int:
        """Return the bits that do not differ if these changes are left out."""
        avoided = self._avoided.get(undone)
        if avoided is None:
            world, slot, mappings = self._mappings(undone)
            granted = self._granted[slot]
            for index, group in mappings:
                granted |= (world.former if undone >> index & 1 else world.planned)[group]
            avoided = self._avoided[undone] = self._avoids(world, granted)
        return avoided

    def _avoids(self, world: World, granted: int) -> int:
        """Return the bits that do not differ where all groups together give this."""
        mask = settle(world.rules, granted, self._traits)
        return self._lost & mask | self._gained & ~mask

    def _mappings(self, undone: int) -> tuple[World, int, tuple[tuple[int, int], ...]]:
        """Return the world without the wide changes among these, its place, and the mappings with their groups."""
        change_set = self._change_set
        wide = frozenset(at for index, at in enumerate(change_set.touching) if undone >> index & 1 and at in WIDE)
        return *change_set.worlds[wide], change_set.mappings

    def _addresses(self, chosen: int) -> tuple[Address, ...]:
        return tuple(self._change_set.touching[index] for index in _bits(chosen))


def is_mapping(at: Address) -> bool:
    """Return whether the address is that of an IdP group."""
    return at.startswith("idp_groups/")


def _granted(masks: Sequence[int], groups: Iterable[int], own: frozenset[int]) -> int:
    return union(masks[group] for group in groups if group not in own)


def union(masks: Iterable[int]) -> int:
    """Return the bits that are in any of the masks."""
    union = 0
    for mask in masks:
        union |= mask
    return union


def _bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _subsets(addresses: Sequence[Address]) -> Iterator[frozenset[Address]]:
    for chosen in range(1 << len(addresses)):
        yield frozenset(at for index, at in enumerate(addresses) if chosen >> index & 1)
