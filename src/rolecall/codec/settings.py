"""Values and settings to JSON and back. Sets become sorted lists, UNSET becomes no key, blank becomes null.

Decoding trusts its input to fit the schema; it normalises names, so that both sides compare equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rolecall.model import normalise
from rolecall.model.kinds import BY_SECTION, KINDS, Kind
from rolecall.model.roles import BUILT_IN, Role, role_id
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso, Value

Json = Any
Roles = Mapping[str, Role]


def encode_value(section: str, value: Value | None) -> Json:
    """One value: an object of its set fields; None for no entry and for a blank mapping."""
    if value is None or value == BLANK:
        return None
    encoded = {}
    for field in BY_SECTION[section].fields:
        said = getattr(value, field.name)
        if said is not UNSET:
            encoded[field.name] = sorted(said) if field.is_set else said
    return encoded


def decode_value(section: str, json: Json, roles: Roles = BUILT_IN) -> Value | None:
    """The inverse of encode_value; unknown keys are passed over. None is a blank mapping, else no entry."""
    if json is None:
        return BLANK if section == "idp_groups" else None
    return _DECODERS[section](json, roles)


def value_decoder(section: str, roles: Roles = BUILT_IN) -> Callable[[Json], Any]:
    """Decodes the values of one section, one after the other, none of them None.

    Mappings that give the same come out as one value: of thousands of groups few give what no other does.
    """
    if section != "idp_groups":
        return lambda json: _DECODERS[section](json, roles)
    known: dict[tuple[str | None, tuple[str, ...]], GroupMapping] = {}

    def decode(json: Json) -> GroupMapping:
        gives = (json.get("role"), tuple(json.get("teams") or ()))
        if (mapping := known.get(gives)) is None:
            mapping = known[gives] = _mapping(json, roles)
        return mapping

    return decode


def encode_settings(settings: Settings) -> dict[str, Json]:
    """All sections that say something, in the table's order; entries sorted by key."""
    encoded: dict[str, Json] = {}
    for kind in KINDS:
        held = getattr(settings, kind.section)
        if held is not UNSET:
            encoded[kind.section] = _encode_section(kind, held)
    return encoded


def decode_settings(json: Mapping[str, Json], roles: Roles = BUILT_IN) -> Settings:
    """The settings sections of a JSON object; other keys are passed over."""
    present = {kind.section: json[kind.section] for kind in KINDS if kind.section in json}
    return Settings(**{section: _decode_section(section, held, roles) for section, held in present.items()})


def _encode_section(kind: Kind, held: Any) -> Json:
    if not kind.keyed:
        return encode_value(kind.section, held)
    return {key: encode_value(kind.section, held[key]) for key in sorted(held)}


def _decode_section(section: str, json: Json, roles: Roles) -> Any:
    if not BY_SECTION[section].keyed:
        return decode_value(section, json, roles)
    key = _KEYS[section]
    return {key(name): decode_value(section, entry, roles) for name, entry in json.items()}


def _domain(json: Json, roles: Roles) -> Domain:
    return Domain(json.get("discoverable", UNSET), json.get("join", UNSET))


def _defaults(json: Json, roles: Roles) -> Defaults:
    return Defaults(
        role_id(json["role"], roles) if "role" in json else UNSET,
        _teams(json["teams"]) if "teams" in json else UNSET,
    )


def _sso(json: Json, roles: Roles) -> Sso:
    said = {field.name: json[field.name] for field in BY_SECTION["sso"].fields if field.name in json}
    if said.get("metadata"):
        said["metadata"] = normalise.metadata(said["metadata"])
    return Sso(**said)


def _scim(json: Json, roles: Roles) -> Scim:
    return Scim(**{field.name: json[field.name] for field in BY_SECTION["scim"].fields if field.name in json})


def _mapping(json: Json, roles: Roles) -> GroupMapping:
    role = json.get("role")
    return GroupMapping(role_id(role, roles) if role else None, _teams(json.get("teams") or ()))


def _teams(names: Any) -> frozenset[str]:
    return frozenset(map(normalise.name, names))


_DECODERS: dict[str, Callable[[Json, Roles], Value]] = {
    "domains": _domain,
    "defaults": _defaults,
    "sso": _sso,
    "scim": _scim,
    "idp_groups": _mapping,
}

_KEYS: dict[str, Callable[[str], str]] = {"domains": normalise.domain, "idp_groups": normalise.name}
