"""Marks fields of records in their type hints: how they are written as JSON, and what they reveal about users.

Reports without user names leave out what identifies users: every text is searched for addresses unless it is marked.

A record is a NamedTuple or a dataclass; a field is marked as in ``target: Annotated[str | None, Key("for"), OMIT]``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Final, NamedTuple


class Key(NamedTuple):
    """The key of a field in JSON, if it is not its name."""

    name: str


class Normal(NamedTuple):
    """The normalization of a text when it is read."""

    form: Callable[[str], str]


class With(NamedTuple):
    """Fields that are written here, of a record that has them UNWRITTEN elsewhere."""

    names: tuple[str, ...]


class Mark(Enum):
    """``OMIT``: not written if the value is the default. ``FLAT``: the keys of the nested record are written among
    those of its parent. ``UNWRITTEN``: not part of the JSON.

    ``USER``: a text that names a user. ``PUBLIC``: shown unchanged, because it does not identify users or is the
    configuration's own text. ``IDENTIFIED``: a user whose id is shown although the name is not.
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
"""A user's email address, or another name of the user."""
Code = Annotated[str, PUBLIC]
"""A name that rolecall or the configuration defines, such as that of a guard."""
