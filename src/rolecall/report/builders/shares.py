"""Find the part of each move that one change causes, once for all users who are alike in what the change reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import Address
from rolecall.plan.headline import Shift, shift_of
from rolecall.plan.moves import Attribution, share
from rolecall.plan.value import Impact, Move


class Share(NamedTuple):
    """A move that a change takes part in. ``own`` are the causes with this change, none where it causes all of it."""

    move: Move
    own: tuple[Attribution, ...] = ()


def shares_by_address(impact: Impact) -> Mapping[Address, tuple[Share, ...]]:
    """Return the moves that each change takes part in, largest first."""
    shares: defaultdict[Address, list[Share]] = defaultdict(list)
    for move in impact.moves:
        own: defaultdict[Address, tuple[Attribution, ...]] = defaultdict(tuple)
        for cause in move.causes:
            for at in cause.because:
                own[at] += (cause,)
        for at in move.because:
            shares[at].append(Share(move, own[at]))
    return {at: tuple(listed) for at, listed in shares.items()}


def shifts_by(at: Address, shares: Iterable[Share]) -> Iterator[Shift]:
    """Yield the shift that one change causes of each move: that of ``plan.moves.share``.

    Users differ in teams that the change does not reach. Of those teams it matters only whether there are any, and
    whether the users have org admin in them.
    """
    known: dict[tuple[tuple[Attribution, ...], tuple[TeamRole, ...], bool, bool], Shift] = {}
    for move, own in shares:
        if move.to_default or not own or len(move.because) == 1:
            yield shift_of(share(move, (at,)))
            continue
        teams = {team_role.team for cause in own for team_role in (*cause.lost, *cause.gained)} | {""}
        reached = tuple(team_role for team_role in move.after if team_role.team in teams)
        apart = [team_role for team_role in move.after if team_role.team not in teams]
        admin = next((team_role for team_role in apart if team_role.role == ORG_ADMIN), None)
        key = (own, reached, bool(apart), admin is not None)
        if key not in known:
            narrow = move._replace(after=(*reached, *((admin or apart[0],) if apart else ())), causes=own)
            known[key] = shift_of(share(narrow, (at,)))
        yield known[key]
