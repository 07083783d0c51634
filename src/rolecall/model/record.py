"""Marks in the type hints of a record: how a field is written as JSON, and what it says about users.

Reports that name no users leave out what says who they are: every text is searched for addresses, unless it is marked.

A record is a NamedTuple or a dataclass; a field is marked as in ``target: Annotated[str | None, Key("for"), OMIT]``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Final, NamedTuple


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
    those of the record that has it. ``UNWRITTEN``: no part of the JSON.

    ``USER``: a text that names a user. ``PUBLIC``: shown as it is, since it says nothing about users, or is the
    config's own text. ``IDENTIFIED``: a user whose id is shown although the name is not.
    """

    OMIT = "omit"
    FLAT = "flat"
    UNWRITTEN = "unwritten"
    USER = "user"
    PUBLIC = "public"
    IDENTIFIED = "identified"


OMIT: Final = Mark.OMIT
FLAT: Final = Mark.FLAT
UNWRITTEN: Final = Mark.UNWRITTEN
USER: Final = Mark.USER
PUBLIC: Final = Mark.PUBLIC
IDENTIFIED: Final = Mark.IDENTIFIED

UserName = Annotated[str, USER]
"""A user's e-mail address, or whatever else they are known by."""
Code = Annotated[str, PUBLIC]
"""A name that rolecall or the config gives, such as that of a guard."""
