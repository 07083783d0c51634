"""Field-by-field comparison of values, where UNSET means: this side says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION
from rolecall.model.settings import UNSET, GroupMapping, Value

V = TypeVar("V", bound=Value)


class FieldChange(NamedTuple):
    """One field that differs; None stands for a field that is not there."""

    path: str
    before: Any
    after: Any


def said_fields(kind: Kind, value: Value) -> dict[str, Any]:
    """The fields a value speaks about, in the table's order."""
    pairs = ((field.name, getattr(value, field.name)) for field in kind.fields)
    return {name: said for name, said in pairs if said is not UNSET}


def overlay(live: V, desired: V) -> V:
    """The live value with every field the desired one speaks about put in its place."""
    if isinstance(live, GroupMapping):
        return desired
    return replace(live, **said_fields(BY_SECTION[_section(desired)], desired))


def restrict(live: V, desired: V) -> V:
    """The live value cut down to the fields that the desired one speaks about."""
    kind = BY_SECTION[_section(desired)]
    if kind.whole:
        return live
    said = said_fields(kind, desired)
    return type(live)(**{name: getattr(live, name) for name in said})


def agrees(live: Value, desired: Value) -> bool:
    """Whether live holds everything that desired says, as far as live was read (see ``unread_fields``)."""
    kind = BY_SECTION[_section(desired)]
    if kind.whole:
        return live == desired
    return all(
        wanted is UNSET or held is UNSET or held == wanted
        for field in kind.fields
        if field.written
        for wanted, held in [(getattr(desired, field.name), getattr(live, field.name))]
    )


def unread_fields(live: Value, desired: Value) -> tuple[str, ...]:
    """The fields that desired speaks about and live has not read; nothing is planned for them."""
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
    """Return how reports name one field of the value at an address: ``sso.name``, ``domains/acme.com.join``."""
    return f"{at}.{name}"


def without(value: V, names: tuple[str, ...]) -> V:
    """The value saying nothing about the named fields."""
    if isinstance(value, GroupMapping) or not names:
        return value
    unset: dict[str, Any] = dict.fromkeys(names, UNSET)
    return replace(value, **unset)


def field_changes(section: str, before: Value | None, after: Value | None) -> tuple[FieldChange, ...]:
    """The fields in which two values of one section differ, in the table's order."""
    return tuple(
        FieldChange(field.name, b, a)
        for field in BY_SECTION[section].fields
        if (b := _field(before, field.name)) != (a := _field(after, field.name))
    )


def _field(value: Value | None, name: str) -> Any:
    said = None if value is None else getattr(value, name)
    return None if said is UNSET else said


_SECTION_OF: dict[type, str] = {kind.type: kind.section for kind in BY_SECTION.values()}


def _section(value: Value) -> str:
    return _SECTION_OF[type(value)]
