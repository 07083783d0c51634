"""The table of kinds: what a section is keyed by, its fields, and what may be done with its entries."""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from rolecall.model.settings import (
    UNSET,
    Address,
    Defaults,
    Domain,
    GroupMapping,
    Scim,
    Section,
    Settings,
    Sso,
    Value,
)


class Field(NamedTuple):
    """A field of a kind. ``written`` is false for what rolecall knows but the org has no place for."""

    name: str
    is_set: bool = False
    written: bool = True


class Kind(NamedTuple):
    """One row of the table.

    ``keyed``: a map of entries (else a singleton). ``whole``: the value is compared and written as one
    (else field by field, UNSET fields left alone). ``removal``: what it means when an entry goes.
    """

    section: Section
    type: type[Value]
    fields: tuple[Field, ...]
    keyed: bool = False
    whole: bool = False
    removal: Literal["delete", "unmap"] | None = None


KINDS: tuple[Kind, ...] = (
    Kind("domains", Domain, (Field("discoverable"), Field("join")), keyed=True, removal="delete"),
    Kind("defaults", Defaults, (Field("role"), Field("teams", is_set=True))),
    Kind(
        "sso",
        Sso,
        tuple(map(Field, ("enabled", "name", "idp", "allow_uninvited", "allow_passwords", "metadata"))),
    ),
    Kind(
        "scim",
        Scim,
        (
            *map(Field, ("enabled", "idp", "endpoint", "manual_editing")),
            Field("role_attribute", written=False),
        ),
    ),
    Kind(
        "idp_groups",
        GroupMapping,
        (Field("role"), Field("teams", is_set=True)),
        keyed=True,
        whole=True,
        removal="unmap",
    ),
)

LONGEST = {"name": 200, "idp": 100, "metadata": 500_000, "role": 100, "team": 200}
"""How many characters a text may have, as the contract says (`schemas/org-api.openapi.yaml`)."""
MOST_TEAMS = 1000
"""How many teams a mapping or the default access may have."""

BY_SECTION: dict[str, Kind] = {kind.section: kind for kind in KINDS}
SECTIONS: tuple[Section, ...] = tuple(kind.section for kind in KINDS)


def address(section: str, key: str | None = None) -> Address:
    """The address of an entry of a keyed section, or of a singleton."""
    return Address(section if key is None else f"{section}/{key}")


def split_address(at: str) -> tuple[Section, str | None]:
    """``idp_groups/A/B`` -> (``idp_groups``, ``A/B``); ``scim`` -> (``scim``, None)."""
    section, slash, key = at.partition("/")
    return cast(Section, section), key if slash else None


def value_at(settings: Settings, at: str) -> Value | None:
    """The value at an address: None when the section is unset or has no such entry."""
    section, key = split_address(at)
    held = getattr(settings, section)
    if held is UNSET:
        return None
    return cast(Value | None, held if key is None else held.get(key))
