"""People whose access moves alike, and the changes that cause it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rolecall.access.atoms import BY_DEFAULT, Atoms
from rolecall.access.candidates import everyone
from rolecall.access.evaluate import shifts
from rolecall.access.shift import Kind, kind, to_default
from rolecall.model.settings import Address
from rolecall.plan.forecast import AccessForecast
from rolecall.plan.impact.causes import Cause, Causes, union
from rolecall.plan.moves import Attribution, who
from rolecall.plan.value import Move, Tally, TeamTally


class Class(NamedTuple):
    """Users with equal masks before and after, by the same causes. ``numbers`` is ascending."""

    before: int
    after: int
    causes: tuple[Cause, ...]
    numbers: array[int]

    @property
    def because(self) -> tuple[Address, ...]:
        """Every change that causes something, sorted."""
        return self.causing(-1)

    def causing(self, bits: int) -> tuple[Address, ...]:
        """The changes that cause one of these bits to be lost or gained, sorted."""
        if len(self.causes) == 1:
            return self.causes[0].addresses if self.causes[0].bits & bits else ()
        return tuple(sorted({at for cause in self.causes if cause.bits & bits for at in cause.addresses}))


def classes(forecast: AccessForecast) -> list[Class]:
    """Everybody whose combos differ, equal people together, in a fixed order."""
    directory = forecast.directory
    if directory is None or not forecast.touched:
        return []
    moved = shifts(forecast.before, forecast.after, directory, everyone(forecast.touched))
    by, causes = _touching(forecast.touched), Causes(forecast, directory)
    found = []
    for (before, after), numbers in moved.items():
        alike: dict[tuple[Cause, ...], array[int]] = {}
        for touching, some in _by_touching(numbers, by).items():
            if len(touching) == 1:
                alike.setdefault(causes.of(some[0], touching, before, after), array("I")).extend(some)
                continue
            for number in some:
                alike.setdefault(causes.of(number, touching, before, after), array("I")).append(number)
        found += [Class(before, after, why, array("I", sorted(some))) for why, some in alike.items()]
    return sorted(found, key=lambda row: (-len(row.numbers), row.because, row.numbers[0]))


def _by_touching(numbers: array[int], by: Mapping[int, tuple[Address, ...]]) -> dict[tuple[Address, ...], array[int]]:
    found: dict[tuple[Address, ...], array[int]] = {}
    for number in numbers:
        found.setdefault(by[number], array("I")).append(number)
    return found


def moves(forecast: AccessForecast, found: Sequence[Class]) -> tuple[Move, ...]:
    """The classes in combos, with everybody named."""
    directory, atoms, org = forecast.directory, forecast.before.atoms, forecast.first.facts.org_id
    if directory is None:
        return ()
    return tuple(
        Move(
            atoms.combos(row.before),
            atoms.combos(row.after),
            kind_of(forecast, row),
            row.because,
            len(row.numbers),
            tuple([who(directory, number, org) for number in row.numbers]),
            to_default(row.before, row.after),
            attributions(atoms, row),
            bool(row.after & BY_DEFAULT),
        )
        for row in found
    )


def attributions(atoms: Atoms, row: Class) -> tuple[Attribution, ...]:
    """The causes of a class in combos; empty where one change causes all of it."""
    if len(row.causes) == 1 and len(row.causes[0].addresses) == 1:
        return ()
    return tuple(
        Attribution(
            atoms.levels(cause.bits & row.before),
            atoms.levels(cause.bits & row.after),
            cause.addresses,
            cause.each,
            bool(cause.bits & BY_DEFAULT),
        )
        for cause in row.causes
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


def kind_of(forecast: AccessForecast, row: Class) -> Kind:
    """Gain, lose or change; a class is never of people who keep everything."""
    return kind(forecast.before.atoms, row.before, row.after) or "change"


def tallies(forecast: AccessForecast, rows: Iterable[Class]) -> dict[Address, Tally]:
    """How many users gain, lose or change access because of each change; a user may count under several."""
    atoms = forecast.before.atoms
    counted: dict[Address, dict[Kind, int]] = {}
    for row in rows:
        for at in row.because:
            bits = union(cause.bits for cause in row.causes if at in cause.addresses)
            way = kind(atoms, (row.after | bits & row.before) & ~(bits & ~row.before), row.after)
            counts = counted.setdefault(at, {"gain": 0, "lose": 0, "change": 0})
            counts[way or "change"] += len(row.numbers)
    return {at: Tally(**counts) for at, counts in sorted(counted.items())}


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
