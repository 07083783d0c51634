"""Rosters as small JSON: hashes of users are packed, some twelve bytes each before compression."""

from __future__ import annotations

import zlib
from array import array
from base64 import b64decode, b64encode

from rolecall.codec.forms import Form, text
from rolecall.codec.record import Codec
from rolecall.codec.settings import Json
from rolecall.model.sighting import Roster, RosterGroup, RosterUsers

_BYTES = 12


def encode_roster(roster: Roster) -> dict[str, Json]:
    """Return a look as JSON."""
    return _CODEC.encode_record(roster)


def decode_roster(json: Json) -> Roster:
    """Decode what encode_roster returns. Raises ValueError for anything else."""
    return _CODEC.decode(Roster, json)


def _packed(people: RosterUsers) -> str:
    columns = b"".join(_little_endian(column).tobytes() for column in people)
    return b64encode(zlib.compress(columns, 1)).decode("ascii")


def _unpacked(json: Json) -> RosterUsers:
    try:
        raw = zlib.decompress(b64decode(text(json)))
    except zlib.error as error:
        raise ValueError("not a look") from error
    size = len(raw) // _BYTES
    if size * _BYTES != len(raw):
        raise ValueError("not a roster")
    keys, groups = raw[: 8 * size], raw[8 * size :]
    return RosterUsers(_little_endian(array("Q", keys)), _little_endian(array("I", groups)))


def _little_endian(column: array[int]) -> array[int]:
    """Return a column with its bytes in little-endian order, or back in the order of this machine."""
    if array("H", b"\1\0")[0] != 1:
        column = column[:]
        column.byteswap()
    return column


_CODEC = Codec(
    special={RosterGroup: Form(list, lambda json: RosterGroup(*json)), RosterUsers: Form(_packed, _unpacked)}
)
