"""Values of a plan about users: who they are, and in which way their access changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple

from rolecall.model.policy import Combo
from rolecall.model.roles import RANK
from rolecall.model.settings import Address

_ROLES = {rank: role for role, rank in RANK.items()}


class Attribution(NamedTuple):
    """A part of what users lose and gain, and the changes that cause it.

    ``lost`` and ``gained`` are levels: each ranked role of a team by itself, so team admin of X to nothing is the loss
    of X team admin and of X member; ``Combo("", "org_admin")`` is being org admin of the org. ``to_default`` is the
    fall to default access. ``each``: leaving out any one of ``because`` is enough to avoid this part; otherwise all of
    them have to be left out.
    """

    lost: tuple[Combo, ...]
    gained: tuple[Combo, ...]
    because: tuple[Address, ...]
    each: bool = False
    to_default: bool = False


def without(
    after: Iterable[Combo], causes: Iterable[Attribution], addresses: Collection[Address]
) -> tuple[tuple[Combo, ...], bool]:
    """Return what users with ``after`` have if nothing of what these changes cause happens, and whether these changes
    cause the fall to default access. Combos are sorted; of a team's ranked roles the highest stands."""
    own = [cause for cause in causes if not set(addresses).isdisjoint(cause.because)]
    lost = [combo for cause in own for combo in cause.lost]
    gained = [combo for cause in own for combo in cause.gained]
    ranks = {combo.team: RANK[combo.role] for combo in after if combo.role in RANK}
    for combo in gained:
        if combo.role in RANK:
            ranks[combo.team] = min(ranks.get(combo.team, 0), RANK[combo.role] - 1)
    for combo in lost:
        if combo.role in RANK:
            ranks[combo.team] = max(ranks.get(combo.team, 0), RANK[combo.role])
    kept = {combo for combo in after if combo.role not in RANK} - set(gained)
    kept |= {combo for combo in lost if combo.role not in RANK}
    kept |= {Combo(team, _ROLES[rank]) for team, rank in ranks.items() if team and rank}
    return tuple(sorted(kept)), any(cause.to_default for cause in own)


MoveKind = Literal["gain", "lose", "change"]


class Who(NamedTuple):
    """A person in a plan: the org's id, and the e-mail where it may be shown."""

    id: str
    email: str | None


class Tally(NamedTuple):
    """How many people gain, lose, or do both."""

    gain: int = 0
    lose: int = 0
    change: int = 0

    @property
    def total(self) -> int:
        return self.gain + self.lose + self.change


class Move(NamedTuple):
    """People whose access moves alike: equal before, equal after, by the same changes.

    ``people`` is empty where they may not be named; ``size`` always holds. ``causes`` says which change causes what,
    and is empty where one change causes all of it. ``to_default``: they fall back to default access alone;
    ``on_default``: default access is all they have after the plan, whether or not it was before.
    """

    before: tuple[Combo, ...]
    after: tuple[Combo, ...]
    kind: MoveKind
    because: tuple[Address, ...]
    size: int
    people: tuple[Who, ...]
    to_default: bool = False
    causes: tuple[Attribution, ...] = ()
    on_default: bool = False


class Escalation(NamedTuple):
    """A person who gains something above member, and the changes that give it."""

    who: Who
    gains: tuple[Combo, ...]
    because: tuple[Address, ...]


class TeamTally(NamedTuple):
    """How many people come into a team, leave it, or hold another role in it."""

    team: str
    gain: int = 0
    lose: int = 0
    change: int = 0
