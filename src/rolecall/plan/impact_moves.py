"""People whose access moves alike, and the changes that cause it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rolecall.access.atoms import BY_DEFAULT
from rolecall.access.candidates import everyone
from rolecall.access.evaluate import shifts
from rolecall.access.shift import Kind, kind, to_default
from rolecall.model.kinds import split_address
from rolecall.model.settings import Address
from rolecall.plan.outlook import Outlook
from rolecall.plan.people import who
from rolecall.plan.value import Move, Tally, TeamTally


class Class(NamedTuple):
    """People with equal masks before and after, by the same changes. ``numbers`` is ascending."""

    before: int
    after: int
    because: tuple[Address, ...]
    numbers: array[int]


def classes(outlook: Outlook) -> list[Class]:
    """Everybody whose combos differ, equal people together, in a fixed order."""
    if outlook.directory is None or not outlook.touched:
        return []
    moved = shifts(outlook.before, outlook.after, outlook.directory, everyone(outlook.touched))
    by = _touching(outlook.touched)
    found = []
    for (before, after), numbers in moved.items():
        if len(numbers) == 1:
            found.append(Class(before, after, _causes(outlook, before, after, by[numbers[0]]), numbers))
        else:
            found += _by_cause(outlook, before, after, numbers, by)
    return sorted(found, key=lambda row: (-len(row.numbers), row.because, row.numbers[0]))


def _by_cause(
    outlook: Outlook, before: int, after: int, numbers: array[int], by: Mapping[int, tuple[Address, ...]]
) -> Iterator[Class]:
    touched: dict[tuple[Address, ...], array[int]] = {}
    for number in numbers:
        touched.setdefault(by[number], array("I")).append(number)
    causes: dict[tuple[Address, ...], array[int]] = {}
    for touching, alike in touched.items():
        causes.setdefault(_causes(outlook, before, after, touching), array("I")).extend(alike)
    for because, alike in causes.items():
        yield Class(before, after, because, array("I", sorted(alike)) if len(touched) > 1 else alike)


def moves(outlook: Outlook, found: Sequence[Class]) -> tuple[Move, ...]:
    """The classes in combos, with everybody named."""
    directory, atoms, org = outlook.directory, outlook.before.atoms, outlook.first.facts.org_id
    if directory is None:
        return ()
    return tuple(
        Move(
            atoms.combos(row.before),
            atoms.combos(row.after),
            kind_of(outlook, row),
            row.because,
            len(row.numbers),
            tuple([who(directory, number, org) for number in row.numbers]),
            to_default(row.before, row.after),
        )
        for row in found
    )


def by_difference(found: Sequence[Class], told: Sequence[Move]) -> list[Move]:
    """The moves of the classes, in one for each difference: what people keep is the first's, and nobody is named.

    Sentences and counts by team speak of nothing else, and there are few differences among many classes.
    """
    summed: dict[tuple[int, int, int | None, Kind], tuple[Move, int]] = {}
    for row, move in zip(found, told, strict=True):
        end = row.after if move.to_default or not move.after else None
        key = (row.before & ~row.after, row.after & ~row.before, end, move.kind)
        first, size = summed.get(key, (move, 0))
        summed[key] = first, size + move.size
    return [first._replace(size=size, people=()) for first, size in summed.values()]


def kind_of(outlook: Outlook, row: Class) -> Kind:
    """Gain, lose or change; a class is never of people who keep everything."""
    return kind(outlook.before.atoms, row.before, row.after) or "change"


def tallies(rows: Iterable[Move]) -> dict[Address, Tally]:
    """How many people each change makes gain, lose or change; a person may count under several."""
    found: dict[Address, dict[Kind, int]] = {}
    for move in rows:
        for at in move.because:
            counts = found.setdefault(at, {"gain": 0, "lose": 0, "change": 0})
            counts[move.kind] += move.size
    return {at: Tally(**counts) for at, counts in sorted(found.items())}


def teams(rows: Iterable[Move]) -> tuple[TeamTally, ...]:
    """How many come into each team, leave it, or hold another role in it."""
    found: dict[str, dict[str, int]] = {}
    for move in rows:
        before, after = set(move.before), set(move.after)
        had, has = ({team for team, _ in combos} for combos in (before, after))
        for team in {team for team, _ in before ^ after}:
            said = "change" if team in had and team in has else "gain" if team in has else "lose"
            found.setdefault(team, {"gain": 0, "lose": 0, "change": 0})[said] += move.size
    return tuple(TeamTally(team, **counts) for team, counts in sorted(found.items()))


def _touching(touched: Mapping[Address, Iterable[int]]) -> dict[int, tuple[Address, ...]]:
    """Person -> the addresses that touch them, sorted."""
    by: dict[int, tuple[Address, ...]] = {}
    for at in sorted(touched):
        alone = (at,)
        for number in touched[at]:
            by[number] = (*by[number], at) if number in by else alone
    return by


def _causes(outlook: Outlook, before: int, after: int, touching: tuple[Address, ...]) -> tuple[Address, ...]:
    """Of the changes that touch people, those that gave or took something that differs."""
    if len(touching) == 1:
        return touching
    return tuple(_relevant(outlook, before, after, touching)) or touching


def _relevant(outlook: Outlook, before: int, after: int, touching: Iterable[Address]) -> Iterator[Address]:
    old, new = outlook.before.scim, outlook.after.scim
    lost, gained = before & ~after & ~BY_DEFAULT, after & ~before & ~BY_DEFAULT
    for at in touching:
        section, key = split_address(at)
        if section == "idp_groups":
            gave, gives = old.masks.get(key or "", 0), new.masks.get(key or "", 0)
            unseated = (before & BY_DEFAULT and gives and not gave) or (after & BY_DEFAULT and gave and not gives)
        else:
            gave, gives, unseated = old.default_mask, new.default_mask, section == "scim"
        if gave & ~gives & lost or gives & ~gave & gained or unseated:
            yield at
