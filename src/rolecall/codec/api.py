"""Encodes and decodes the JSON of the HTTP contract, for clients of an org and for the local org. Pure.

An item is the value's fields, its key (``name``, and ``id`` for groups) and its ``etag``. In a PUT, a missing field
stays unchanged; a group's mapping is always sent completely. Decoding trusts types; callers turn KeyError, TypeError,
ValueError and AttributeError into a contract error.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from json import dumps
from typing import Any, Final, NamedTuple, cast

from rolecall.codec.capabilities import CAPABILITIES
from rolecall.codec.forms import Form
from rolecall.codec.record import Codec
from rolecall.codec.settings import Json, Roles, decode_settings, decode_value, encode_settings, encode_value, fits
from rolecall.codec.snapshot import moment_text
from rolecall.model import normalise
from rolecall.model.kinds import BY_SECTION
from rolecall.model.live import Caller, Facts, Group
from rolecall.model.outcome import Event
from rolecall.model.roles import BUILT_IN, Role
from rolecall.model.settings import BLANK, Section, Settings, Value


class Item(NamedTuple):
    """One item of a section: its key (None for a singleton), its value, its ETag, and the group's facts."""

    key: str | None
    value: Value
    etag: str
    group: Group | None = None


def encode_org(facts: Facts) -> dict[str, Json]:
    """Return ``GET /v1/org``. ``caller.type`` is ``person`` or ``service``; ``rights`` are ``admin`` or ``none``."""
    email = facts.caller.email
    return {
        "id": facts.org_id,
        "name": facts.org_name,
        "plan": facts.plan,
        "local": facts.local,
        "caller": {
            "type": "service" if email is None else "person",
            "email": email,
            "rights": "admin" if facts.caller.org_admin else "none",
            **({"org_role": facts.caller.role} if facts.caller.role else {}),
        },
        "capabilities": sorted(facts.can),
        "features": sorted(facts.features),
        "limits": dict(sorted(facts.limits.items())),
        "counts": {"people": facts.people, "active_people": facts.active_people},
    }


def decode_org(json: Json) -> Facts:
    """Return the facts in ``GET /v1/org``; teams, roles and groups come from their own lists."""
    caller, counts, limits = json["caller"], json.get("counts") or {}, json.get("limits") or {}
    return Facts(
        org_id=_text(json["id"]),
        org_name=_text(json["name"]),
        plan=_text(json.get("plan") or ""),
        local=bool(json.get("local", False)),
        caller=Caller(
            _text_or_none(caller.get("email")),
            caller.get("rights", "admin") == "admin",
            _text(caller.get("org_role", "")),
        ),
        can=frozenset(json.get("capabilities", ())) & CAPABILITIES,
        features=frozenset(json.get("features", ("scim",))),
        people=_count("counts.people", counts.get("people")),
        active_people=_count("counts.active_people", counts.get("active_people")),
        limits={
            name: count for name, limit in limits.items() if (count := _count(f"limits.{name}", limit)) is not None
        },
    )


def encode_item(section: Section, item: Item) -> dict[str, Json]:
    """Return one item as in a response."""
    fields = encode_value(section, item.value)
    if section == "idp_groups":
        return _encode_group(item, fields)
    named: dict[str, Json] = {} if item.key is None else {"name": item.key}
    return {**named, **fields, "etag": item.etag}


def decode_item(section: Section, json: Json, roles: Roles = BUILT_IN) -> Item:
    """Decode what encode_item returns."""
    etag = decode_etag(json["etag"])
    if section == "idp_groups":
        mapping = _decode_mapping(json["mapping"], roles)
        group = Group(
            _text(json["id"]), _text_or_none(json.get("external_id")), _count("member_count", json.get("member_count"))
        )
        return Item(normalise.name(json["name"]), mapping, etag, group)
    _check_fields(section, json)
    value, normal = cast(Value, decode_value(section, json, roles)), BY_SECTION[section].key
    return Item(None if normal is None else normal(json["name"]), value, etag)


class LegacyGroup(NamedTuple):
    """A group of the legacy endpoint that was not pushed again yet, and the teams it was linked to (R18, R20)."""

    id: str
    name: str
    teams: frozenset[str]


class ScimFacts(NamedTuple):
    """The parts of ``GET /v1/access/scim`` other than settings, in the form that the access rules need.

    ``legacy``: while the endpoint is ``upgrading``, else None. ``kept``: what was in effect when SCIM was turned off
    (R33), else None.
    """

    legacy: tuple[LegacyGroup, ...] | None = None
    kept: Settings | None = None


NO_SCIM_FACTS: Final = ScimFacts()


def encode_scim_facts(facts: ScimFacts) -> dict[str, Json]:
    """Return the keys ``legacy_groups`` and ``kept`` of the SCIM settings; none if there is nothing to report."""
    encoded: dict[str, Json] = {}
    if facts.legacy is not None:
        groups = ({"id": group.id, "name": group.name, "teams": sorted(group.teams)} for group in facts.legacy)
        encoded["legacy_groups"] = list(groups)
    return encoded if facts.kept is None else {**encoded, "kept": encode_settings(facts.kept)}


def decode_scim_facts(json: Json, roles: Roles = BUILT_IN) -> ScimFacts:
    """Decode what encode_scim_facts returns."""
    legacy, settings = json.get("legacy_groups"), json.get("kept")
    groups = None if legacy is None else tuple(map(_legacy_group, legacy))
    return ScimFacts(groups, None if settings is None else decode_settings(settings, roles))


def _legacy_group(json: Json) -> LegacyGroup:
    teams = frozenset(map(normalise.name, json["teams"]))
    return LegacyGroup(_text(json["id"]), normalise.name(json["name"]), teams)


def _check_fields(section: Section, json: Json) -> None:
    """Raise ValueError for a field with a value that it cannot have."""
    for field in BY_SECTION[section].fields:
        if field.name in json and not fits(field, json[field.name]):
            raise ValueError(f"`{field.name}` is {_shown(json[field.name])}")


def encode_body(section: Section, value: Value) -> dict[str, Json]:
    """Return the body of a PUT: the set fields that the org stores."""
    if section == "idp_groups":
        return _encode_mapping(encode_value(section, value))
    unwritten = {field.name for field in BY_SECTION[section].fields if not field.written}
    return {name: value_json for name, value_json in encode_value(section, value).items() if name not in unwritten}


def encode_role(role: Role) -> dict[str, Json]:
    """Return one row of ``GET /v1/roles``."""
    return {"id": role.id, "name": role.name, "level": role.level}


def decode_role(json: Json) -> Role:
    """Decode what encode_role returns."""
    return Role(_text(json["id"]), _text(json["name"]), "org" if json.get("level") == "org" else "team")


def encode_event(event: Event) -> dict[str, Json]:
    """Return one row of ``GET /v1/audit-log``."""
    return _CODEC.encode_record(event)


def decode_event(json: Json) -> Event:
    """Decode what encode_event returns. Raises ValueError for a field that does not follow the contract."""
    return _CODEC.decode(Event, json)


def _moment(json: Json) -> datetime:
    at = datetime.fromisoformat(_text(json))
    if at.tzinfo is None:
        raise ValueError(f"no time zone: {_shown(json)}")
    return at


_CODEC = Codec(special={datetime: Form(moment_text, _moment)})


def encode_error(kind: str, description: str, key: str | None = None, **extras: Any) -> dict[str, Json]:
    """Return the envelope of an error response: ``kind`` such as ``NotFound``; ``key`` a code or a field name."""
    return {"tpe": kind, "errors": [{"description": description, "key": key, "extras": extras}], "extras": {}}


class ApiError(NamedTuple):
    """The content of an error response: its kind, the first error's message and key, and all messages in one line."""

    kind: str
    message: str
    key: str | None
    extras: Mapping[str, Json]


def decode_error(json: Json) -> ApiError:
    """Decode an error response in whatever form a server sent it; parts that do not fit are ignored.

    ``detail`` is read too, which is SCIM's error message (RFC 7644 §3.12).
    """
    body = json if isinstance(json, dict) else {}
    listed = body.get("errors")
    errors = [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
    first = errors[0] if errors else {}
    descriptions = [description for error in errors if isinstance(description := error.get("description"), str)]
    message = "; ".join(descriptions) or str(body.get("detail") or "")
    key, extras, kind = first.get("key"), first.get("extras"), body.get("tpe")
    return ApiError(
        kind if isinstance(kind, str) else "",
        message,
        key if isinstance(key, str) else None,
        extras if isinstance(extras, dict) else {},
    )


def _encode_group(item: Item, fields: Json) -> dict[str, Json]:
    group = item.group or Group("")
    return {
        "id": group.id,
        "name": item.key,
        "external_id": group.external_id,
        "member_count": group.members,
        "mapping": None if fields is None else _encode_mapping(fields),
        "etag": item.etag,
    }


def _decode_mapping(json: Json, roles: Roles) -> Value:
    if json is None:
        return BLANK
    if absent := [field.name for field in BY_SECTION["idp_groups"].fields if field.name not in json]:
        raise ValueError(f"a mapping has no `{absent[0]}`")
    _check_fields("idp_groups", {name: field_json for name, field_json in json.items() if field_json is not None})
    return decode_value("idp_groups", json, roles) or BLANK


def _encode_mapping(fields: Json) -> dict[str, Json]:
    """Return a mapping with all its fields: null for one without a value, and an empty list for no teams."""
    spoken = fields or {}
    return {
        field.name: spoken.get(field.name, [] if field.is_set else None) for field in BY_SECTION["idp_groups"].fields
    }


def decode_etag(json: Any) -> str:
    """Return an ETag that can be sent back (RFC 9110 §8.8.3). Raises ValueError for any other value."""
    etag = _text(json)
    if not etag.isascii() or not etag.isprintable() or not etag:
        raise ValueError(f"expected an ETag, not {_shown(etag)}")
    return etag


def _count(name: str, json: Any) -> int | None:
    """Return a number of 0 or more, or None. Raises ValueError, naming the field, for any other value."""
    if json is None:
        return None
    if not isinstance(json, int) or isinstance(json, bool) or json < 0:
        raise ValueError(f"`{name}`: expected a count, not {_shown(json)}")
    return json


def _text_or_none(json: Any) -> str | None:
    return None if json is None else _text(json)


def _text(json: Any) -> str:
    """Return a required text. Raises ValueError for anything else."""
    if not isinstance(json, str):
        raise ValueError(f"expected a text, not {_shown(json)}")
    return json


def _shown(value: Json) -> str:
    """Return a value for a message: as JSON, and no more than its beginning."""
    return dumps(value, default=str)[:40]
