"""What was seen of groups and people at one moment, kept small, to tell later who came, went and moved."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class RosterGroup(NamedTuple):
    """A group's name and its number of members, by its id in a Look. ``members`` is None where nobody counted."""

    name: str
    members: int | None = None


class RosterUsers(NamedTuple):
    """Users as hashes, in columns: ``keys`` of their ids (64 bits) and ``groups`` of what they are in (32 bits)."""

    keys: array[int]
    groups: array[int]


@dataclass(frozen=True, slots=True)
class Roster:
    """One look. ``people`` has a hash of each active person's id and a hash of their groups and manual edits: enough to
    say that somebody came, went or moved, and not who. It is None when not everybody was read.

    ``waiting`` are config keys of groups that the IdP had not pushed.
    """

    at: datetime
    groups: Mapping[str, RosterGroup] = field(default_factory=dict)
    people: RosterUsers | None = None
    waiting: frozenset[str] = frozenset()
