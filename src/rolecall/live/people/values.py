"""Reads the values in a people file: the address of a line, whether the user is active, the groups in a cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from rolecall.model import normalise

Json = Any
Known = frozenset[str] | None
"""The groups of the org and the configuration; None if the org was not read."""

ADDRESSES = ("app_name", "email", "login")
"""The columns with an address, the best first: what provisioning sends, the mailbox, the sign-in name."""

TRUE = frozenset({"true", "yes", "1", "enabled"})
FALSE = frozenset({"false", "no", "0", "disabled"})
ACTIVE = frozenset(
    (*("ACTIVE", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT"), "PENDING_USER_ACTION", "PASSWORD_RESET")
)
"""Okta states of a user who is in the org. Reports call PROVISIONED *Pending user action* and RECOVERY *Password
reset*.
"""
INACTIVE = frozenset(("INACTIVE", "DEPROVISIONED", "DEACTIVATED", "SUSPENDED", "STAGED"))

USERS = frozenset(("user", "guest", "member", "microsoftgraphuser"))
NOT_USERS = frozenset(
    ("group", "serviceprincipal", "device", "contact", "orgcontact", "application", "microsoftgraphgroup")
)
"""Other possible members of an Entra group, which are not users of the org (R29)."""


_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+")
"""A bare address: without a display name, `mailto:`, or a second address."""


class Address(NamedTuple):
    """A user's address, its heading, and another address of the same line if they differ."""

    text: str
    heading: str
    rival: tuple[str, str] | None = None


def read_address(values: Mapping[str, Json], headings: Mapping[str, str]) -> Address:
    """Return the address of a line. Raises ValueError if it has none."""
    cells = [(name, str(values[name]).strip()) for name in ADDRESSES if values.get(name)]
    addresses = [(name, address) for name, text in cells if (address := _address(text))]
    if not addresses:
        shown = " and ".join(f"`{headings[name]}`" for name in ADDRESSES if name in headings) or "`email`"
        if not cells:
            raise ValueError(f"{shown} {'are' if ' and ' in shown else 'is'} empty")
        name, text = cells[0]
        raise ValueError(f"`{headings.get(name, name)}` is `{text[:60]}`, which is not an email address")
    (name, text), *more = addresses
    different = ((headings[name], rival) for name, rival in more if normalise.email(rival) != normalise.email(text))
    return Address(text, headings[name], next(different, None))


def _address(text: str) -> str | None:
    if is_guest_name(text):
        return external_address(text)
    return text if _ADDRESS.fullmatch(text) else None


def read_truth(heading: str, value: Json, *, states: bool = True) -> bool:
    """Return a flag, or with ``states`` whether a status means active. Raises ValueError for other values."""
    if isinstance(value, bool):
        return value
    text = str(value).strip()
    if not states and text.lower() not in TRUE | FALSE:
        raise ValueError(f"`{heading}` is `{text[:40]}`, which is neither true nor false")
    return _is_true(heading, text)


@lru_cache(maxsize=64)
def _is_true(heading: str, text: str) -> bool:
    status = re.sub(r"[\s_-]+", "_", text).upper()
    if text.lower() in TRUE or status in ACTIVE:
        return True
    if text.lower() in FALSE or status in INACTIVE:
        return False
    message = f"`{heading}` is `{text[:40]}`, which is neither true, false nor a user status"
    raise ValueError(f"{message} ({', '.join(sorted(ACTIVE | INACTIVE))})")


def is_user(heading: str, value: str) -> bool:
    """Return whether a line is a user, by Entra's type. Raises ValueError for an unknown type."""
    kind = "".join(filter(str.isalnum, value.lower()))
    if kind in USERS or kind in NOT_USERS:
        return kind in USERS
    raise ValueError(f"`{heading}` is `{value[:40]}`, which is not a known member type")


def split_groups(cell: str, separator: str, known: Known, *, single: bool = False) -> list[str]:
    """Return the groups in a cell. ``separator`` always separates them, unless the whole cell is a known group.

    A comma or ``|`` separates them only if every part is a known group and the whole cell is not. ``single``: a cell is
    one group unless that applies. Raises ValueError if the cell is ambiguous.
    """
    parts = _parts(cell, separator)
    if len(parts) < 2 and separator not in cell:
        return _finer(normalise.name(cell), separator, known, single) if parts else []
    if known is not None and normalise.name(cell) in known:
        if known.issuperset(parts):
            raise ValueError(_ambiguous(normalise.name(cell), parts))
        return [normalise.name(cell)]
    for part in parts:
        if len(_finer(part, separator, known, True)) > 1:
            raise ValueError(f"`{part[:80]}` has a different separator from the other groups in the cell")
    return parts


def _finer(text: str, separator: str, known: Known, single: bool) -> list[str]:
    if known is None:
        return [text]
    signs = [sign for sign in (",", "|") if sign in text and sign != separator]
    ways = [parts for way in dict.fromkeys((*signs, "".join(signs))) if len(parts := _parts(text, way)) > 1]
    for parts in filter(known.issuperset, ways):
        if text in known:
            raise ValueError(_ambiguous(text, parts))
        return parts
    for parts in ways:
        strangers = [part for part in parts if part not in known]
        if text not in known and not single and len(strangers) < len(parts):
            raise ValueError(
                f"`{text[:80]}` is not a known group, and neither is its part {_listed(strangers)}; write"
                f" `{separator}` between groups, and after a group name that contains a separator"
            )
    return [text]


def _parts(text: str, signs: str) -> list[str]:
    pieces = re.split(f"[{re.escape(signs)}]", text) if signs else [text]
    return [name for piece in pieces if (name := normalise.name(piece))]


def _ambiguous(whole: str, parts: list[str]) -> str:
    return f"`{whole[:80]}` is ambiguous: it is a group, and so are {_listed(parts)}; write one line per membership"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name[:40]}`" for name in names[:5]) + (", ..." if len(names) > 5 else "")


MARK = "#ext#"


def is_guest_name(name: str) -> bool:
    """Return whether a user principal name is a guest's, such as ``bo_partner.com#EXT#@acme.onmicrosoft.com``."""
    return "#" in name and MARK in name.lower()


def external_address(name: str) -> str | None:
    """Return the address in a guest's user principal name: ``bo@partner.com`` for the example above.

    Entra writes the address with ``_`` instead of ``@``. A domain has no ``_``, so the last one was the ``@``. None
    where there is none.
    """
    local, _, domain = name[: name.lower().index(MARK)].rpartition("_")
    return f"{local}@{domain}" if local and "." in domain else None
