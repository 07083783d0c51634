"""Defines what the journal remembers of users at one moment: who had privileged access, and who was in which group."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, NamedTuple

from rolecall.model.record import UNWRITTEN
from rolecall.model.settings import Address


class Holding(NamedTuple):
    """A privileged team role of a user. ``reasons`` are those of R32, the winner first; ``address`` is the mapping that
    grants it and ``source`` its file and line, if the configuration has it.
    """

    email: str
    id: str
    role: str
    team: str
    reasons: tuple[str, ...] = ()
    address: Address | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """An access record: all users with more than member, and counts of users per role and per team. ``complete`` is
    false when not all users were read. The journal sets ``run`` and ``hash``.
    """

    at: Annotated[datetime, UNWRITTEN]
    holdings: tuple[Holding, ...] = ()
    roles: Mapping[str, int] = field(default_factory=dict)
    teams: Mapping[str, int] = field(default_factory=dict)
    complete: bool = True
    run: Annotated[int, UNWRITTEN] = 0
    hash: Annotated[str, UNWRITTEN] = ""


class RosterGroup(NamedTuple):
    """A group's name and its number of members, by its id in a roster. ``members`` is None if it was not counted."""

    name: str
    members: int | None = None


class RosterUsers(NamedTuple):
    """Users as hashes, in columns: ``keys`` of their ids (64 bits) and ``groups`` of their memberships (32 bits)."""

    keys: array[int]
    groups: array[int]


@dataclass(frozen=True, slots=True)
class Roster:
    """The users of one drift check. ``people`` has a hash of each active user's id and a hash of their groups and
    manual edits: enough to detect that users were added, removed or changed, but not who. It is None when not all users
    were read.

    ``waiting`` are configuration keys of groups that the IdP had not pushed.
    """

    at: datetime
    groups: Mapping[str, RosterGroup] = field(default_factory=dict)
    people: RosterUsers | None = None
    waiting: frozenset[str] = frozenset()
