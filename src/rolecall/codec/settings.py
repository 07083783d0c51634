"""Encodes and decodes values and settings as JSON. Sets become sorted lists, UNSET becomes no key, unmapped becomes
null.

Decoding trusts its input to fit the schema; it normalizes names, so that both sides compare equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from rolecall.model import normalise
from rolecall.model.fields import Field, FieldType, Kind
from rolecall.model.kinds import BY_SECTION, KINDS
from rolecall.model.roles import BUILT_IN, Role, role_id
from rolecall.model.settings import BLANK, UNSET, Settings, Value

Json = Any
Roles = Mapping[str, Role]


def encode_value(section: str, value: Value | None) -> Json:
    """Return one value: an object of its set fields; None for no entry and for an unmapped group."""
    if value is None or value == BLANK:
        return None
    encoded = {}
    for field in BY_SECTION[section].fields:
        part = getattr(value, field.name)
        if part is not UNSET:
            encoded[field.name] = sorted(part) if field.is_set else part
    return encoded


def decode_value(section: str, json: Json, roles: Roles = BUILT_IN) -> Value | None:
    """Decode what encode_value returns; unknown keys are ignored. None is an unmapped group, else no entry."""
    kind = BY_SECTION[section]
    if json is None:
        return cast(Value, kind.type()) if kind.whole else None
    return _decode_fields(kind, json, roles)


def value_decoder(section: str, roles: Roles = BUILT_IN) -> Callable[[Json], Any]:
    """Return the decoder for values of one section, none of them None.

    Equal values that are compared as a whole share one object, because few of thousands of mappings are unique.
    """
    kind = BY_SECTION[section]
    if not kind.whole:
        return lambda json: _decode_fields(kind, json, roles)
    names = [field.name for field in kind.fields]
    known: dict[tuple[Any, ...], Value] = {}

    def decode(json: Json) -> Value:
        content = tuple([tuple(part) if isinstance(part, list) else part for part in map(json.get, names)])
        if (value := known.get(content)) is None:
            value = known[content] = _decode_fields(kind, json, roles)
        return value

    return decode


def fits(field: Field, json: Json) -> bool:
    """Return whether JSON is of the type of a field."""
    if json is None:
        return field.nullable
    match field.type:
        case "flag":
            return isinstance(json, bool)
        case "choice":
            return json in field.choices
        case "teams":
            return isinstance(json, list) and all(isinstance(name, str) for name in json)
        case _:
            return isinstance(json, str)


def encode_settings(settings: Settings) -> dict[str, Json]:
    """Return all sections with a value, in the table's order; entries sorted by key."""
    encoded: dict[str, Json] = {}
    for kind in KINDS:
        section = getattr(settings, kind.section)
        if section is not UNSET:
            encoded[kind.section] = _encode_section(kind, section)
    return encoded


def decode_settings(json: Mapping[str, Json], roles: Roles = BUILT_IN) -> Settings:
    """Return the settings sections of a JSON object; other keys are ignored."""
    present = {kind.section: json[kind.section] for kind in KINDS if kind.section in json}
    return Settings(
        **{section: _decode_section(section, json_section, roles) for section, json_section in present.items()}
    )


def _encode_section(kind: Kind, section: Any) -> Json:
    if not kind.keyed:
        return encode_value(kind.section, section)
    return {key: encode_value(kind.section, section[key]) for key in sorted(section)}


def _decode_section(section: str, json: Json, roles: Roles) -> Any:
    kind = BY_SECTION[section]
    if kind.key is None:
        return decode_value(section, json, roles)
    return {kind.key(name): decode_value(section, entry, roles) for name, entry in json.items()}


def _decode_fields(kind: Kind, json: Json, roles: Roles) -> Value:
    """Return the value with the fields that are present; for one compared as a whole, those that are not empty."""
    fields = [field for field in kind.fields if field.name in json and (json[field.name] or not kind.whole)]
    return cast(Value, kind.type(**{field.name: _from_json(field.type, json[field.name], roles) for field in fields}))


def _from_json(kind: FieldType, json: Any, roles: Roles) -> Any:
    """Return the value of a field of this type."""
    match kind:
        case "role":
            return role_id(json, roles)
        case "teams":
            return frozenset(map(normalise.name, json))
        case "document":
            return normalise.metadata(json) if json else json
        case _:
            return json
