"""Checks the fields of a body: types, and names of teams and roles. All errors are reported at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from rolecall.errors import did_you_mean
from rolecall.localorg.api.call import Call, json_body
from rolecall.localorg.store.state import read_roles, read_teams
from rolecall.localorg.web import Fault, Refusal, refuse
from rolecall.model import normalise
from rolecall.model.fields import MAX_TEAM_NAME, Field
from rolecall.model.kinds import BY_SECTION

Check = Callable[[Any], str | None]
"""Returns what is wrong with a value, or None."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def body_object(call: Call, fields: Mapping[str, Check], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the body as an object of known fields, each of its type. Raises Refusal 400 with all errors."""
    body = json_body(call.request)
    if not isinstance(body, dict):
        raise refuse(400, "not_an_object", "The body must be a JSON object")
    faults = [*_unknown(body, fields), *_wrong(body, fields)]
    faults += [_fault("missing_field", name, "is required") for name in required if name not in body]
    if faults:
        raise Refusal(400, *faults)
    return body


def checks_of(section: str) -> dict[str, Check]:
    """Return the fields that the body of an update may have, and the check of each."""
    return {field.name: _check_of(field) for field in BY_SECTION[section].fields if field.updated}


def _check_of(field: Field) -> Check:
    match field.type:
        case "flag":
            check: Check = boolean
        case "choice":
            check = one_of(*field.choices)
        case "document":
            check = long_text(field.max_length)
        case "teams":
            check = texts(field.max_items, MAX_TEAM_NAME, field.min_items)
        case _:
            check = text(field.max_length, field.min_length)
    return nullable(check) if field.nullable else check


def _unknown(body: Mapping[str, Any], fields: Mapping[str, Check]) -> list[Fault]:
    return [
        Fault(
            "unknown_field", f"`{name[:50]}` is not a field of this body", {"field": name[:50], "known": sorted(fields)}
        )
        for name in body
        if name not in fields
    ]


def _wrong(body: Mapping[str, Any], fields: Mapping[str, Check]) -> list[Fault]:
    messages = {name: fields[name](value) for name, value in body.items() if name in fields}
    return [_fault("bad_field", name, wrong) for name, wrong in messages.items() if wrong]


def _fault(key: str, name: str, wrong: str) -> Fault:
    return Fault(key, f"`{name}` {wrong}", {"field": name})


def boolean(value: Any) -> str | None:
    """Return why a value is neither true nor false; None if it is."""
    return None if isinstance(value, bool) else "must be true or false"


def one_of(*choices: str) -> Check:
    """Return the check for one of some values."""
    return lambda value: None if isinstance(value, str) and value in choices else f"must be one of {', '.join(choices)}"


def text(most: int, least: int = 0) -> Check:
    """Return the check for text of ``least`` to ``most`` characters without control characters."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str) or not least <= len(value) <= most:
            return f"must be text of {least} to {most} characters"
        return "must not hold control characters" if _CONTROL.search(value) else None

    return check


def long_text(most: int) -> Check:
    """Return the check for text of several lines, or null."""
    return lambda value: (
        None if value is None or (isinstance(value, str) and 0 < len(value) <= most) else "must be text, or null"
    )


def nullable(check: Check) -> Check:
    """Return a check that also accepts null."""
    return lambda value: None if value is None else check(value)


def texts(most: int, each: int, least: int = 0) -> Check:
    """Return the check for a list of ``least`` to ``most`` texts, none twice."""
    entry = text(each, 1)

    def check(value: Any) -> str | None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            return f"must be a list of {least} to {most} texts"
        if wrong := next(filter(None, map(entry, value)), None):
            return f"has an entry that {wrong}"
        return None if len(set(value)) == len(value) else "has the same entry twice"

    return check


def known_teams(tx: Connection, names: Iterable[str]) -> list[str]:
    """Return teams as the org writes them, sorted. Raises Refusal 422 naming each one that the org does not have."""
    requested, teams = sorted({normalise.name(name) for name in names}), read_teams(tx)
    faults = [_unknown_name("team", name, teams) for name in requested if name not in teams]
    if faults:
        raise Refusal(422, *faults)
    return requested


def check_role(tx: Connection, role: str) -> None:
    """Refuse a role id that the org does not have. Raises Refusal 422."""
    roles = read_roles(tx)
    if role not in roles:
        raise Refusal(422, _unknown_name("role", role, roles))


def _unknown_name(kind: str, name: str, known: Iterable[str]) -> Fault:
    near = did_you_mean(name, known)
    message = f"This org has no {kind} `{name}`{f'; {near}' if near else ''}"
    return Fault(f"unknown_{kind}", message, {"field": "teams" if kind == "team" else "role", kind: name})
