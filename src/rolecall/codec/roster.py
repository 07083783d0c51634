"""A look at groups and people as small JSON: hashes of people are packed, some twelve bytes each before compression."""

from __future__ import annotations

import zlib
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rolecall.model.sighting import Roster, RosterGroup, RosterUsers

_BYTES = 12


def encode_roster(roster: Roster) -> dict[str, Any]:
    """The look as JSON."""
    return {
        "at": roster.at.isoformat(),
        "groups": {id_: list(group) for id_, group in sorted(roster.groups.items())},
        "waiting": sorted(roster.waiting),
        "people": None if roster.people is None else _packed(roster.people),
    }


def decode_roster(json: Mapping[str, Any]) -> Roster:
    """The inverse of encode_look. Raises ValueError for what it did not make."""
    people = json["people"]
    return Roster(
        datetime.fromisoformat(json["at"]),
        {id_: RosterGroup(*group) for id_, group in json["groups"].items()},
        None if people is None else _unpacked(people),
        frozenset(json["waiting"]),
    )


def _packed(people: RosterUsers) -> str:
    columns = b"".join(_little_endian(column).tobytes() for column in people)
    return b64encode(zlib.compress(columns, 1)).decode("ascii")


def _unpacked(text: str) -> RosterUsers:
    raw = zlib.decompress(b64decode(text))
    size = len(raw) // _BYTES
    if size * _BYTES != len(raw):
        raise ValueError("not a look")
    keys, groups = raw[: 8 * size], raw[8 * size :]
    return RosterUsers(_little_endian(array("Q", keys)), _little_endian(array("I", groups)))


def _little_endian(column: array[int]) -> array[int]:
    """Return a column with its numbers' bytes as a little-endian machine has them, or the inverse of that."""
    if array("H", b"\1\0")[0] != 1:
        column = column[:]
        column.byteswap()
    return column
