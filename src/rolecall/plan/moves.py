"""Values of a plan about users: who they are, and in which way their access changes."""

from __future__ import annotations

from typing import Literal, NamedTuple

from rolecall.model.policy import Combo
from rolecall.model.settings import Address
from rolecall.plan.attribution import Attribution

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
