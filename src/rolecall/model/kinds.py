"""The table of kinds, read off the classes of ``model.settings``, and the addresses of settings."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, cast, get_args, get_origin

from rolecall.model.fields import Field, Kind
from rolecall.model.settings import UNSET, Address, Section, Settings, Unset, Value


def kinds_of(settings: type) -> tuple[Kind, ...]:
    """Return the kinds that a class of settings declares, in its order."""
    return tuple(_kind(section, *_declared(hint)) for section, hint in settings.__annotations__.items())


def fields_of(value: type) -> tuple[Field, ...]:
    """Return the fields that a class of values declares, in its order."""
    return tuple(_field(name, *_declared(hint)) for name, hint in value.__annotations__.items())


def _declared(hint: Any) -> tuple[list[Any], Any]:
    """Return the types that an annotation allows, other than Unset, and what is declared with them."""
    types, declaration = get_args(hint)
    allowed = get_args(types) if get_origin(types) in (Union, UnionType) else (types,)
    return [each for each in allowed if each is not Unset], declaration


def _kind(section: str, types: list[Any], kind: Kind) -> Kind:
    value = get_args(types[0])[1] if kind.keyed else types[0]
    return kind._replace(section=section, type=value, fields=fields_of(value))


def _field(name: str, types: list[Any], field: Field) -> Field:
    kept = next(each for each in types if each is not NoneType)
    bound = field._replace(name=name, label=field.label or field.title, nullable=NoneType in types)
    if kept is bool:
        return bound._replace(type="flag")
    if get_origin(kept) is Literal:
        return bound._replace(type="choice", choices=get_args(kept))
    return bound._replace(type="teams") if get_origin(kept) is frozenset else bound


KINDS: Final = kinds_of(Settings)
BY_SECTION: Final[dict[str, Kind]] = {kind.section: kind for kind in KINDS}
SECTIONS: Final[tuple[Section, ...]] = tuple(BY_SECTION)
KEYED: Final = tuple(kind for kind in KINDS if kind.keyed)
SINGLETONS: Final = tuple(kind for kind in KINDS if not kind.keyed)
DECIDING_ACCESS: Final = frozenset(kind.section for kind in KINDS if kind.decides_access)
"""The sections that users' access follows from."""
DECIDING_SIGN_IN: Final = frozenset(kind.section for kind in KINDS if kind.decides_sign_in)
"""The sections that say who can sign in."""
FOR_ALL_USERS: Final = tuple(kind.section for kind in SINGLETONS if kind.decides_access)
"""The sections that may change what any user can do, not just the members of a group."""


def initial_value(kind: Kind) -> Value:
    """Return the value that a new org has, or a new entry."""
    return cast(Value, kind.type(**{field.name: field.initial for field in kind.fields}))


def address(section: str, key: str | None = None) -> Address:
    """The address of an entry of a keyed section, or of a singleton."""
    return Address(section if key is None else f"{section}/{key}")


def split_address(at: str) -> tuple[Section, str | None]:
    """``idp_groups/A/B`` -> (``idp_groups``, ``A/B``); ``scim`` -> (``scim``, None)."""
    section, slash, key = at.partition("/")
    return section, key if slash else None


def value_at(settings: Settings, at: str) -> Value | None:
    """The value at an address: None when the section is unset or has no such entry."""
    section, key = split_address(at)
    held = getattr(settings, section)
    if held is UNSET:
        return None
    return cast(Value | None, held if key is None else held.get(key))
