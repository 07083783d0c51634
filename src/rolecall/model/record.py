"""Marks in the type hints of a record: how a field is written as JSON, and what it says about users.

A record is a NamedTuple or a dataclass; a field is marked as in ``target: Annotated[str | None, Key("for"), OMIT]``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple


class Key(NamedTuple):
    """The key of a field in JSON, where that is not its name."""

    name: str


class Normal(NamedTuple):
    """How a text is brought to the form in which it is compared, when it is read."""

    form: Callable[[str], str]


class With(NamedTuple):
    """Fields that are written here, of a record that has them UNWRITTEN elsewhere."""

    names: tuple[str, ...]


class Mark(Enum):
    """``OMIT``: not written where the value is the default. ``FLAT``: the keys of the record in the field stand among
    those of the record that has it. ``UNWRITTEN``: no part of the JSON."""

    OMIT = "omit"
    FLAT = "flat"
    UNWRITTEN = "unwritten"


OMIT: Final = Mark.OMIT
FLAT: Final = Mark.FLAT
UNWRITTEN: Final = Mark.UNWRITTEN
