"""Find the part of each move that one change causes, once for all users who are alike in what the change reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import Address
from rolecall.plan.headline import Shift, shift_of
from rolecall.plan.moves import Attribution, share, without
from rolecall.plan.value import Impact, Move


class Reach(NamedTuple):
    """The access after a move by team; ``admins`` are the team roles that are org admin."""

    by_team: Mapping[str, tuple[TeamRole, ...]]
    admins: tuple[TeamRole, ...]


class Share(NamedTuple):
    """A move that a change takes part in. ``own`` are the causes with this change, none where it causes all of it."""

    move: Move
    own: tuple[Attribution, ...]
    reach: Reach


def shares_by_address(impact: Impact) -> Mapping[Address, tuple[Share, ...]]:
    """Return the moves that each change takes part in, largest first."""
    shares: defaultdict[Address, list[Share]] = defaultdict(list)
    for move in impact.moves:
        own: defaultdict[Address, tuple[Attribution, ...]] = defaultdict(tuple)
        for cause in move.causes:
            for at in cause.because:
                own[at] += (cause,)
        reach = _reach(move)
        for at in move.because:
            shares[at].append(Share(move, own[at], reach))
    return {at: tuple(listed) for at, listed in shares.items()}


def _reach(move: Move) -> Reach:
    by_team: defaultdict[str, tuple[TeamRole, ...]] = defaultdict(tuple)
    for team_role in move.after:
        by_team[team_role.team] += (team_role,)
    return Reach(by_team, tuple(team_role for team_role in move.after if team_role.role == ORG_ADMIN))


_Differing = tuple[tuple[tuple[TeamRole, ...], tuple[TeamRole, ...]], ...]
"""The team roles that users lose and gain by each cause."""


def _teams(differing: _Differing) -> list[str]:
    """Return the teams in which something is lost or gained, and no team, sorted."""
    return sorted({team_role.team for ends in differing for team_roles in ends for team_role in team_roles} | {""})


def shifts_by(at: Address, shares: Iterable[Share]) -> Iterator[Shift]:
    """Yield the shift that one change causes of each move: that of ``plan.moves.share``.

    Users differ in teams that the change does not reach. Of those teams it matters only whether there are any, and
    whether the users have org admin in them.
    """
    known: dict[tuple[object, ...], Shift] = {}
    teams_of: dict[_Differing, list[str]] = {}
    for move, own, reach in shares:
        if move.to_default or not own or len(move.because) == 1:
            yield shift_of(share(move, (at,)))
            continue
        differing = tuple((cause.lost, cause.gained) for cause in own)
        teams = teams_of.get(differing)
        if teams is None:
            teams = teams_of[differing] = _teams(differing)
        reached = tuple([team_role for team in teams for team_role in reach.by_team.get(team, ())])
        admin = next((team_role for team_role in reach.admins if team_role.team not in teams), None)
        apart = len(reached) < len(move.after)
        key = (differing, reached, apart, admin is not None)
        if key not in known:
            some = admin or next((team_role for team_role in move.after if team_role.team not in teams), None)
            after = (*reached, *((some,) if some else ()))
            before, _ = without(after, own, (at,))
            known[key] = shift_of(move._replace(before=before, after=after))
        yield known[key]
