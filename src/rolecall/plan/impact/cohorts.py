"""Group users whose access changes alike, with the changes that cause it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from rolecall.access.candidates import everyone
from rolecall.access.entitlements import BY_DEFAULT, ORG, Entitlements
from rolecall.access.evaluate import shifts
from rolecall.access.shift import Kind, kind, to_default
from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import Address
from rolecall.plan.forecast import AccessForecast
from rolecall.plan.impact.causes import CausedBits, Causes
from rolecall.plan.impact.supposed import SupposedCauses
from rolecall.plan.moves import Attribution, users
from rolecall.plan.value import Move, Tally, TeamTally
from rolecall.plan.what_if import supposed_group


class Cohort(NamedTuple):
    """Users with equal masks before and after, by the same causes. ``numbers`` is ascending."""

    before: int
    after: int
    causes: tuple[CausedBits, ...]
    numbers: array[int]

    @property
    def because(self) -> tuple[Address, ...]:
        """Return every change that causes something, sorted."""
        return self.causing(-1)

    def causing(self, bits: int) -> tuple[Address, ...]:
        """Return the changes that cause the loss or gain of one of these bits, sorted."""
        if len(self.causes) == 1:
            return self.causes[0].addresses if self.causes[0].bits & bits else ()
        return tuple(sorted({at for cause in self.causes if cause.bits & bits for at in cause.addresses}))


def cohorts_of(forecast: AccessForecast) -> list[Cohort]:
    """Return all users whose team roles differ, alike users together, in a fixed order."""
    directory = forecast.directory
    if directory is None or not forecast.touched:
        return []
    touched = everyone(forecast.touched)
    moved = shifts(forecast.before, forecast.after, directory, touched, forecast.later, forecast.groups_after)
    by, causes = _touching(forecast.touched), Causes(forecast, directory)
    own = {} if forecast.placed is None else forecast.placed.causes
    by |= {number: (*because, *filter(supposed_group, by.get(number, ()))) for number, because in own.items()}
    supposed = SupposedCauses(forecast, directory, causes)
    alone = forecast.groups_after.keys() - own.keys()
    cohorts = []
    for (before, after), numbers in moved.items():
        alike: dict[tuple[CausedBits, ...], array[int]] = {}
        for touching, some in _by_touching(numbers, by).items():
            if len(touching) == 1:
                alike.setdefault(causes.of(some[0], touching, before, after), array("I")).extend(some)
                continue
            for number in some:
                caused = (supposed if number in alone else causes).of(number, touching, before, after)
                alike.setdefault(caused, array("I")).append(number)
        cohorts += [Cohort(before, after, why, array("I", sorted(some))) for why, some in alike.items()]
    return sorted(cohorts, key=lambda cohort: (-len(cohort.numbers), cohort.because, cohort.numbers[0]))


def _by_touching(numbers: array[int], by: Mapping[int, tuple[Address, ...]]) -> dict[tuple[Address, ...], array[int]]:
    by_touching: dict[tuple[Address, ...], array[int]] = {}
    for number in numbers:
        by_touching.setdefault(by[number], array("I")).append(number)
    return by_touching


def moves(forecast: AccessForecast, cohorts: Sequence[Cohort]) -> tuple[Move, ...]:
    """Return the classes in team roles, with the names of all users."""
    directory, entitlements, org = forecast.directory, forecast.before.entitlements, forecast.first.facts.org_id
    if directory is None:
        return ()
    levels = cache(entitlements.levels)
    return tuple(
        Move(
            _roles(entitlements, cohort.before),
            _roles(entitlements, cohort.after),
            kind_of(forecast, cohort),
            cohort.because,
            len(cohort.numbers),
            users(directory, cohort.numbers, org),
            to_default(cohort.before, cohort.after),
            attributions(levels, cohort),
            bool(cohort.after & BY_DEFAULT),
        )
        for cohort in cohorts
    )


def _roles(entitlements: Entitlements, mask: int) -> tuple[TeamRole, ...]:
    """Return the team roles of a mask; org admin at org level is a role without a team, where no team has it (R36)."""
    team_roles = entitlements.team_roles(mask)
    if not mask & ORG or any(team_role.role == ORG_ADMIN for team_role in team_roles):
        return team_roles
    return (TeamRole("", ORG_ADMIN), *team_roles)


def attributions(levels: Callable[[int], tuple[TeamRole, ...]], cohort: Cohort) -> tuple[Attribution, ...]:
    """Return the causes of a class in team roles; nothing where one change causes all of it. ``levels`` are those of
    the entitlements: the same few for all classes."""
    if len(cohort.causes) == 1 and len(cohort.causes[0].addresses) == 1:
        return ()
    return tuple(
        Attribution(
            levels(cause.bits & cohort.before),
            levels(cause.bits & cohort.after),
            cause.addresses,
            cause.each,
            bool(cause.bits & BY_DEFAULT),
        )
        for cause in cohort.causes
    )


def by_difference(cohorts: Sequence[Cohort], all_moves: Sequence[Move]) -> list[Move]:
    """Return one move for each difference of the classes: without names, with the unchanged access of the first.

    Sentences and counts by team speak of nothing else, and there are few differences among many classes.
    """
    summed: dict[tuple[int, int, int | None, Kind], tuple[Move, int]] = {}
    for cohort, move in zip(cohorts, all_moves, strict=True):
        end = cohort.after if move.to_default or not move.after else None
        key = (cohort.before & ~cohort.after, cohort.after & ~cohort.before, end, move.kind)
        first, size = summed.get(key, (move, 0))
        summed[key] = first, size + move.size
    return [first._replace(size=size, people=()) for first, size in summed.values()]


def kind_of(forecast: AccessForecast, cohort: Cohort) -> Kind:
    """Return gain, lose or change; every class has a difference."""
    return kind(forecast.before.entitlements, cohort.before, cohort.after) or "change"


def tallies(forecast: AccessForecast, cohorts: Iterable[Cohort]) -> dict[Address, Tally]:
    """Return how many users gain, lose or change access because of each change; a user may count under several."""
    entitlements = forecast.before.entitlements
    counted: dict[Address, dict[Kind, int]] = {}
    for cohort in cohorts:
        caused: dict[Address, int] = {}
        for cause in cohort.causes:
            for at in cause.addresses:
                caused[at] = caused.get(at, 0) | cause.bits
        for at in cohort.because:
            bits = caused[at]
            way = kind(entitlements, (cohort.after | bits & cohort.before) & ~(bits & ~cohort.before), cohort.after)
            counts = counted.setdefault(at, {"gain": 0, "lose": 0, "change": 0})
            counts[way or "change"] += len(cohort.numbers)
    return {at: Tally(**counts) for at, counts in sorted(counted.items())}


def teams(all_moves: Iterable[Move]) -> tuple[TeamTally, ...]:
    """Return how many users join each team, leave it, or change their role in it."""
    by_team: dict[str, dict[str, int]] = {}
    for move in all_moves:
        before, after = set(move.before), set(move.after)
        had, has = ({team for team, _ in team_roles} for team_roles in (before, after))
        for team in {team for team, _ in before ^ after if team}:
            way = "change" if team in had and team in has else "gain" if team in has else "lose"
            by_team.setdefault(team, {"gain": 0, "lose": 0, "change": 0})[way] += move.size
    return tuple(TeamTally(team, **counts) for team, counts in sorted(by_team.items()))


def _touching(touched: Mapping[Address, Iterable[int]]) -> dict[int, tuple[Address, ...]]:
    """Return the addresses that may affect each user, sorted."""
    by: dict[int, tuple[Address, ...]] = {}
    for at in sorted(touched):
        alone = (at,)
        for number in touched[at]:
            by[number] = (*by[number], at) if number in by else alone
    return by
