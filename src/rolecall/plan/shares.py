"""The part that some changes have in what happens to users: what leaving them out would undo."""

from __future__ import annotations

from collections.abc import Collection

from rolecall.model.policy import Combo
from rolecall.model.roles import RANK
from rolecall.model.settings import Address
from rolecall.plan.moves import without
from rolecall.plan.value import Move, MoveKind


def share(move: Move, addresses: Collection[Address]) -> Move:
    """Return the move from what users would have without these changes; the whole move where they cause it all."""
    if not move.causes or set(move.because) <= set(addresses):
        return move
    before, falls = without(move.after, move.causes, addresses)
    return move._replace(before=before, kind=_kind(before, move.after), to_default=falls and move.to_default)


def _kind(before: Collection[Combo], after: Collection[Combo]) -> MoveKind:
    had, has = _levels(before), _levels(after)
    if had == has:
        return "change"
    return "gain" if had < has else "lose" if has < had else "change"


def _levels(combos: Collection[Combo]) -> frozenset[tuple[str, str | int]]:
    """What counts as access: org admin once for the whole org, each ranked role with those below it."""
    levels: set[tuple[str, str | int]] = set()
    for team, role in combos:
        rank = RANK.get(role)
        if rank is None:
            levels.add((team, role))
        else:
            levels |= {(team if level < _ORG_WIDE else "", level) for level in range(1, rank + 1)}
    return frozenset(levels)


_ORG_WIDE = 3
"""The rank that counts for the org and not for a team (R21)."""
