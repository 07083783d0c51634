"""Takes the full name of a user from a record of the user's source, as WRITER has it: first and last name.

Names are read only to match users with WRITER's usage data, where the configuration has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Any

GIVEN = ("givenName", "firstName", "given_name", "first_name")
FAMILY = ("familyName", "lastName", "surname", "family_name", "last_name")
DISPLAY = ("displayName", "formatted", "name", "display_name")
"""The keys of each part in records of IdPs and SCIM servers, the first that has a text."""

_FULL = ("Full name", "User display name", "profile.displayName")
HEADINGS: Mapping[str, str] = {
    **{key: key for key in (*GIVEN, *FAMILY, *DISPLAY)},
    **{f"profile.{key}": key for key in ("firstName", "lastName")},
    **dict.fromkeys(_FULL, "displayName"),
}
"""The headings of files, besides their spelling with spaces and in other case, and the key of each."""


def full_name(record: Json) -> str | None:
    """Return the full name in a record: first and last name, or else the display name; None without one."""
    if not isinstance(record, Mapping):
        return None
    parts = (_text(record, GIVEN), _text(record, FAMILY))
    return " ".join(filter(None, parts)) or _text(record, DISPLAY) or None


def _text(record: Mapping[str, Json], keys: Sequence[str]) -> str:
    values = (record.get(key) for key in keys)
    return next((" ".join(value.split()) for value in values if isinstance(value, str) and value.strip()), "")
