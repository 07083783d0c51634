"""Builds the table of kinds from the classes of ``model.settings``; handles addresses, and compares values by field.

In comparisons, UNSET on one side means that this side has no value.
"""

from __future__ import annotations

from dataclasses import replace
from types import NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin

from rolecall.model.fields import Field, Kind
from rolecall.model.settings import UNSET, Address, GroupMapping, Section, Settings, Unset, Value


def kinds_of(settings: type) -> tuple[Kind, ...]:
    """Return the kinds that a class of settings declares, in order."""
    return tuple(_kind(section, *_declared(hint)) for section, hint in settings.__annotations__.items())


def fields_of(value: type) -> tuple[Field, ...]:
    """Return the fields that a class of values declares, in order."""
    return tuple(_bound_field(name, *_declared(hint)) for name, hint in value.__annotations__.items())


def _declared(hint: Any) -> tuple[list[Any], Any]:
    """Return the types that an annotation allows, other than Unset, and its declarations."""
    types, declaration = get_args(hint)
    allowed = get_args(types) if get_origin(types) in (Union, UnionType) else (types,)
    return [each for each in allowed if each is not Unset], declaration


def _kind(section: str, types: list[Any], kind: Kind) -> Kind:
    value = get_args(types[0])[1] if kind.keyed else types[0]
    return kind._replace(section=section, type=value, fields=fields_of(value))


def _bound_field(name: str, types: list[Any], field: Field) -> Field:
    value_type = next(each for each in types if each is not NoneType)
    bound = field._replace(name=name, label=field.label or field.title, nullable=NoneType in types)
    if value_type is bool:
        return bound._replace(type="flag")
    if get_origin(value_type) is Literal:
        return bound._replace(type="choice", choices=get_args(value_type))
    return bound._replace(type="teams") if get_origin(value_type) is frozenset else bound


KINDS: Final = kinds_of(Settings)
BY_SECTION: Final[dict[str, Kind]] = {kind.section: kind for kind in KINDS}
SECTIONS: Final[tuple[Section, ...]] = tuple(BY_SECTION)
KEYED: Final = tuple(kind for kind in KINDS if kind.keyed)
SINGLETONS: Final = tuple(kind for kind in KINDS if not kind.keyed)
ORG_KINDS: Final = tuple(kind for kind in KINDS if kind.side == "org")
ORG_KEYED: Final = tuple(kind for kind in ORG_KINDS if kind.keyed)
ORG_SECTIONS: Final[tuple[Section, ...]] = tuple(kind.section for kind in ORG_KINDS)
"""The sections that the org has: those of its API, its snapshots and its console."""
IDP_KINDS: Final = tuple(kind for kind in KINDS if kind.side == "idp")
IDP_SECTIONS: Final[tuple[Section, ...]] = tuple(kind.section for kind in IDP_KINDS)
"""The sections that the IdP has about the WRITER app."""
DECIDING_ACCESS: Final = frozenset(kind.section for kind in KINDS if kind.decides_access)
"""The sections that determine users' access."""
DECIDING_SIGN_IN: Final = frozenset(kind.section for kind in KINDS if kind.decides_sign_in)
"""The sections that determine who can sign in."""
FOR_ALL_USERS: Final = tuple(kind.section for kind in SINGLETONS if kind.decides_access)
"""The sections that may change the access of any user, not only of a group's members."""


def initial_value(kind: Kind) -> Value:
    """Return the value of a new org, or of a new entry."""
    return cast(Value, kind.type(**{field.name: field.initial for field in kind.fields}))


def address(section: str, key: str | None = None) -> Address:
    """Return the address of an entry of a keyed section, or of a singleton."""
    return Address(section if key is None else f"{section}/{key}")


def split_address(at: str) -> tuple[Section, str | None]:
    """Split an address: ``idp_groups/A/B`` -> (``idp_groups``, ``A/B``); ``scim`` -> (``scim``, None)."""
    section, slash, key = at.partition("/")
    return section, key if slash else None


def of_idp(at: str) -> bool:
    """Return whether an address is that of a setting of the IdP, not of the org."""
    return BY_SECTION[split_address(at)[0]].side == "idp"


def value_at(settings: Settings, at: str) -> Value | None:
    """Return the value at an address: None when the section is unset or has no such entry."""
    section, key = split_address(at)
    section_value = getattr(settings, section)
    if section_value is UNSET:
        return None
    return cast(Value | None, section_value if key is None else section_value.get(key))


V = TypeVar("V", bound=Value)


class FieldChange(NamedTuple):
    """One field that differs; None stands for a missing field."""

    path: str
    before: Any
    after: Any


def known_fields(kind: Kind, value: Value) -> dict[str, Any]:
    """Return the fields that have a value, in the table's order."""
    pairs = ((field.name, getattr(value, field.name)) for field in kind.fields)
    return {name: field_value for name, field_value in pairs if field_value is not UNSET}


def overlay(live: V, desired: V) -> V:
    """Return the live value with every field of the desired one replaced."""
    if isinstance(live, GroupMapping):
        return desired
    return replace(live, **known_fields(BY_SECTION[_section(desired)], desired))


def restrict(live: V, desired: V) -> V:
    """Return the live value with only the fields that the desired one has."""
    kind = BY_SECTION[_section(desired)]
    if kind.whole:
        return live
    fields = known_fields(kind, desired)
    return type(live)(**{name: getattr(live, name) for name in fields})


def agrees(live: Value, desired: Value) -> bool:
    """Return whether live has everything in desired, as far as live was read (see ``unread_fields``)."""
    kind = BY_SECTION[_section(desired)]
    if kind.whole:
        return live == desired
    return all(
        desired_value is UNSET or live_value is UNSET or live_value == desired_value
        for field in kind.fields
        if field.written
        for desired_value, live_value in [(getattr(desired, field.name), getattr(live, field.name))]
    )


def unread_fields(live: Value, desired: Value) -> tuple[str, ...]:
    """Return the fields in desired that were not read in live; nothing is planned for them."""
    kind = BY_SECTION[_section(desired)]
    return tuple(
        field.name
        for field in kind.fields
        if field.written and getattr(desired, field.name) is not UNSET and getattr(live, field.name) is UNSET
    )


def absent_fields(value: Value) -> tuple[str, ...]:
    """Return the written fields that a value read from an org does not have."""
    kind = BY_SECTION[_section(value)]
    if kind.whole:
        return ()
    return tuple(field.name for field in kind.fields if field.written and getattr(value, field.name) is UNSET)


def field_address(at: str, name: str) -> str:
    """Return the name of a field in reports: ``sso.name``, ``domains/acme.com.join``."""
    return f"{at}.{name}"


def without(value: V, names: tuple[str, ...]) -> V:
    """Return the value without the named fields."""
    if isinstance(value, GroupMapping) or not names:
        return value
    unset: dict[str, Any] = dict.fromkeys(names, UNSET)
    return replace(value, **unset)


def field_changes(section: str, before: Value | None, after: Value | None) -> tuple[FieldChange, ...]:
    """Return the fields in which two values of one section differ, in the table's order."""
    return tuple(
        FieldChange(field.name, b, a)
        for field in BY_SECTION[section].fields
        if (b := _field(before, field.name)) != (a := _field(after, field.name))
    )


def _field(value: Value | None, name: str) -> Any:
    field_value = None if value is None else getattr(value, name)
    return None if field_value is UNSET else field_value


_SECTION_OF: dict[type, str] = {kind.type: kind.section for kind in BY_SECTION.values()}


def _section(value: Value) -> str:
    return _SECTION_OF[type(value)]
