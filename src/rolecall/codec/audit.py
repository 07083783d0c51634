"""Decodes records of WRITER's audit log, whose fields are not documented: tolerantly, and without guessing.

Each part is looked up under the names that such records commonly use, at the top and in nested objects. A part that is
not found stays empty. Decoding never fails, whatever the JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from rolecall.codec.audit_table import sections_of
from rolecall.model.audit import USERS, AuditRecord, Result, StoredRecord
from rolecall.model.kinds import split_address
from rolecall.model.outcome import Event

Json = Any

_TIME = ("timestamp", "time", "occurredat", "eventtime", "eventtimestamp", "createdat", "at", "date", "datetime", "ts")
_ACTOR = ("actor", "actoremail", "performedby", "initiator", "initiatedby", "principal", "useremail", "author", "by")
_RESULT = ("result", "outcome", "success", "succeeded", "successful", "issuccess", "status")
_AREA = (
    "area",
    "productarea",
    "category",
    "module",
    "feature",
    "component",
    "resourcetype",
    "entitytype",
    "objecttype",
)
_ACTION = ("action", "actionname", "event", "eventname", "eventtype", "operation", "activity", "verb", "type")
_OBJECT = ("object", "target", "targetuser", "resource", "entity", "subject", "affecteduser", "targets", "objects")
_SOURCE = ("source",)
_USER = ("user",)
_ORGANIZATION = ("organizationid", "orgid", "organization", "org")
_NEW_ROLE = ("newrole", "newrolename", "roleafter", "torole", "assignedrole", "grantedrole")
_ROLE = ("role", "rolename")
_NEW = ("new", "to", "after", "newvalue", "current")
_DETAILS = ("details", "detail", "change", "changes")
"""A new role has a name such as these, or is in the details of the record. A role elsewhere may be the actor's."""
_NAMES = ("email", "emailaddress", "mail", "useremail", "name", "displayname", "username", "login", "value", "id")
"""The parts of a nested object that name it, the best first."""
_CONTAINERS = ("event", "data", "payload", "attributes", "details", "detail", "record", "metadata", "context", "body")
_DEPTH = 4
_LONGEST = 300

_SUCCESS = frozenset({"success", "successful", "succeeded", "ok", "passed", "completed", "true", "200", "201", "204"})
_FAILURE = frozenset(
    {"failure", "failed", "fail", "error", "denied", "unsuccessful", "not successful", "rejected", "forbidden", "false"}
)
_FIRST_YEAR, _LAST_YEAR = 2000, 2200


def decode_record(raw: Json) -> AuditRecord:
    """Return a record as far as it can be recognized. Never raises."""
    fields = tuple(_levels(raw))
    actor, user = _text(fields, _ACTOR), _text(fields, _USER)
    area, action = _text(fields, _AREA), _text(fields, _ACTION)
    return AuditRecord(
        key=record_key(raw),
        at=_time(fields),
        actor=actor or user,
        result=_result(fields),
        area=area,
        action=action,
        object=_text(fields, _OBJECT) or (user if actor else ""),
        source=_text(fields, _SOURCE),
        sections=sections_of(area, action),
        raw=raw,
        role=_role(fields),
        organization=_organization(fields),
    )


def is_other_organization(stated: str, writer: str) -> bool:
    """Return whether the ID that a record states is certainly not that of ``writer``.

    Only IDs of one form can be compared: an organization may have an ID of another form, and a name.
    """
    form = _id_form(writer)
    return form is not None and form == _id_form(stated) and stated.casefold() != writer.casefold()


def _id_form(text: str) -> str | None:
    """Return the form of an ID: its digits, a UUID, or its prefix, as in ``org_8817``; None for any other text."""
    if text.isascii() and text.isdigit():
        return "digits"
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        return "uuid"
    prefixed = re.fullmatch(r"([a-z]+_)[A-Za-z0-9]+", text)
    return None if prefixed is None else prefixed[1]


def record_key(raw: Json) -> str:
    """Return what identifies a record: the SHA-256 of its content, in hex."""
    return sha256(json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def stored_record(record: AuditRecord, received: datetime) -> StoredRecord:
    """Return a record in the form in which it is stored."""
    return StoredRecord(record.key, record.at or received, json.dumps(record.raw, separators=(",", ":")))


def record_of_event(event: Event, raw: Json) -> AuditRecord:
    """Return the record of an entry in an org's own audit log. One about a user names the address, not the ID."""
    section, key = split_address(event.address)
    action = "created" if event.before is None else "deleted" if event.after is None else "updated"
    return AuditRecord(
        key=record_key(raw),
        at=event.at,
        actor=event.actor,
        result="success",
        area=section,
        action=action,
        object=(email_of(event) if section == USERS else "") or key or "",
        source=event.channel,
        sections=(section,),
        raw=raw,
        role=_role_of(event) if section == USERS else "",
    )


def email_of(event: Event) -> str:
    """Return the email address of the user in an entry of an org's own log; empty without one."""
    values = (value for value in (event.after, event.before) if isinstance(value, dict))
    names = (value.get(name) for value in values for name in ("email", "userName"))
    return next((name for name in names if isinstance(name, str)), "")


def _role_of(event: Event) -> str:
    """Return the role that a user did not have before, at org level or in teams; empty if that is not just one."""
    new = _roles(event.after) - _roles(event.before)
    return new.pop() if len(new) == 1 else ""


def _roles(user: Json) -> set[str]:
    if not isinstance(user, dict):
        return set()
    edits = user.get("manual")
    named = [user.get("org_role"), *(edit.get("role") for edit in edits or () if isinstance(edit, dict))]
    return {role for role in named if isinstance(role, str)}


def _levels(raw: Json) -> Iterator[Mapping[str, Json]]:
    """Yield the objects of a record in which its parts are looked up, the outermost first, with plain keys."""
    level = [raw] if isinstance(raw, dict) else []
    for _ in range(_DEPTH):
        plain = [*map(plain_keys, level)]
        yield from plain
        level = [part[name] for part in plain for name in _CONTAINERS if isinstance(part.get(name), dict)]


def plain_keys(part: Mapping[str, Json]) -> dict[str, Json]:
    """Return an object with its keys as they are compared: ``nextCursor`` and ``next_cursor`` are equal."""
    return {_plain(key): value for key, value in part.items()}


@lru_cache(4096)
def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _text(fields: Sequence[Mapping[str, Json]], names: Sequence[str]) -> str:
    """Return the text under the best of these names, at any depth; the outermost where it occurs twice."""
    values = (part[name] for name in names for part in fields if name in part)
    return next(filter(None, map(_named, values)), "")


def _named(value: Json, depth: int = 0) -> str:
    """Return a text, or the name of an object or of the first of a list; empty if it has none."""
    if isinstance(value, str):
        return value.strip()[:_LONGEST]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:_LONGEST] if abs(value) < 10**18 else ""
    if depth > 1:
        return ""
    if isinstance(value, list):
        return next(filter(None, (_named(part, depth + 1) for part in value[:3])), "")
    if isinstance(value, dict):
        parts = plain_keys(value)
        return next(filter(None, (_named(parts.get(name), depth + 1) for name in _NAMES)), "")
    return ""


def _role(fields: Sequence[Mapping[str, Json]]) -> str:
    """Return the new role of a user; empty where several are stated, or none that is certainly the new one."""
    details = [plain_keys(part[name]) for part in fields for name in _DETAILS if isinstance(part.get(name), dict)]
    news = [plain_keys(part[name]) for part in details for name in _NEW if isinstance(part.get(name), dict)]
    named = [part[name] for part in (*fields, *details) for name in _NEW_ROLE if name in part]
    plain = [part[name] for part in (*news, *(() if news else details)) for name in _ROLE if name in part]
    roles = {role for value in (*named, *plain) if (role := _new_value(value))}
    return roles.pop() if len(roles) == 1 else ""


def _organization(fields: Sequence[Mapping[str, Json]]) -> str:
    """Return the ID of the organization; a name is none."""
    values = (part[name] for name in _ORGANIZATION for part in fields if name in part)
    ids = (plain_keys(value).get("id") if isinstance(value, dict) else value for value in values)
    return next(filter(None, (_named(value, 2) for value in ids)), "")


def _new_value(value: Json) -> str:
    """Return a text, or the new one of an object that has an old and a new one."""
    if isinstance(value, dict):
        parts = plain_keys(value)
        return next(filter(None, (_named(parts[name], 1) for name in _NEW if name in parts)), "") or _named(value)
    return "" if isinstance(value, list) else _named(value)


def _result(fields: Sequence[Mapping[str, Json]]) -> Result:
    """Return whether it succeeded; unknown without a value that is clear, or if values differ."""
    results = {_result_of(value) for value in _results(fields)} - {"unknown"}
    if "failure" in results:
        return "failure"
    return "success" if results else "unknown"


def _results(fields: Sequence[Mapping[str, Json]]) -> Iterator[Json]:
    for part in fields:
        for name in _RESULT:
            value = part.get(name)
            if isinstance(value, dict):
                yield from (inner for key, inner in value.items() if _plain(key) in (*_RESULT, "code", "value"))
            else:
                yield value


def _result_of(value: Json) -> Result:
    if isinstance(value, bool):
        return "success" if value else "failure"
    if isinstance(value, int):
        return "success" if 200 <= value < 300 else "failure" if 400 <= value < 600 else "unknown"
    text = " ".join(re.split(r"[\s_-]+", value.strip().lower())) if isinstance(value, str) else ""
    if text.isascii() and text.isdigit() and len(text) == 3:
        return _result_of(int(text))
    return "success" if text in _SUCCESS else "failure" if text in _FAILURE else "unknown"


def _time(fields: Sequence[Mapping[str, Json]]) -> datetime | None:
    """Return the time; an inner object may have times of something else, so the outermost counts."""
    values = (part[name] for part in fields for name in _TIME if name in part)
    return next((at for value in values if (at := _moment(value)) is not None), None)


def _moment(value: Json) -> datetime | None:
    """Return a moment with a time zone: RFC 3339, or seconds or a fraction of them since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{9,19}(\.\d+)?", value.strip()):
        return _of_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not number < 1e20:
        return None
    while number > 1e11:
        number /= 1000
    return in_range(datetime.fromtimestamp(number, UTC)) if number > 1e8 else None


def is_moment(text: str) -> bool:
    """Return whether a text is a time of a log, in a form that is recognized."""
    return _moment(text) is not None


def _of_text(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return None if at.tzinfo is None else in_range(at.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def in_range(at: datetime) -> datetime | None:
    """Return a moment that may be one of a log, None for one that cannot."""
    return at if _FIRST_YEAR <= at.year < _LAST_YEAR else None
