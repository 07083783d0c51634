"""Reads a snapshot file and validates it against its schema: jsonschema-rs decides, jsonschema explains."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rolecall.codec.snapshot import COVERED, decode_roles
from rolecall.errors import ConfigError, Problem, did_you_mean
from rolecall.model import normalise
from rolecall.model.roles import Role, role_id
from rolecall.schema_files import schema_text
from rolecall.source.document import Document

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Json = Any
Trail = tuple[str | int, ...]
"""The keys and indices that lead to a value."""

MOST_PROBLEMS = 50
"""Maximum number of problems reported for one file; a file with more is wrong as a whole."""

LARGEST = 512 * 1024 * 1024
"""Maximum bytes of a JSON snapshot. A snapshot with a million users has about a third of this size."""


class SnapshotFault(NamedTuple):
    """A fault in the value at a trail, or in its ``key``."""

    trail: Trail
    message: str
    hint: str | None = None
    key: bool = False


def read_snapshot(path: Path) -> Document:
    """Read a JSON or YAML file that fits the schema and is consistent. Raises ConfigError with all problems."""
    document = _document(path)
    if faults := [*_against_schema(document.value)] or [*_against_itself(document.value)]:
        raise ConfigError(*(_placed(document, fault) for fault in faults[:MOST_PROBLEMS]))
    return document


def entry_faults(section: str, key: str | None, value: Json) -> list[str]:
    """Return what is wrong with one section, or one entry of a keyed one, as messages; empty if it is valid."""
    data = {"snapshot": 1, "org": {"id": "org"}, section: value if key is None else {key: value}}
    return [fault.message for fault in ([*_against_schema(data)] or _against_itself(data))]


def _document(path: Path) -> Document:
    if path.suffix != ".json" and (path.suffix in (".yaml", ".yml") or not _starts_as_json(path)):
        from rolecall.source.yaml_file import load_yaml

        return load_yaml(path)
    from rolecall.source.json_file import load_json

    return load_json(path, limit=LARGEST)


def _starts_as_json(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    except OSError:
        return False


def _against_schema(data: Json) -> Iterator[SnapshotFault]:
    import jsonschema_rs

    schema = json.loads(schema_text("snapshot.schema.json"))
    if not jsonschema_rs.validator_for(schema).is_valid(data):
        yield from explained(data, schema, MOST_PROBLEMS)


def _against_itself(data: Mapping[str, Json]) -> Iterator[SnapshotFault]:
    """Yield what the schema cannot check: names that are equal, unknown roles, coverage of missing sections."""
    yield from _same_names(data, "domains")
    yield from _same_names(data, "idp_groups")
    yield from _unknown_roles(data)
    for section, entry in data.get("coverage", {}).items():
        state = entry if isinstance(entry, str) else entry["state"]
        if section in COVERED and section not in data and state != "unread":
            message = f"is {state}, but this file has no `{section}`"
            yield SnapshotFault(("coverage", section), message, "add it, or set it to unread")


def _same_names(data: Mapping[str, Json], section: str) -> Iterator[SnapshotFault]:
    keys: Collection[str] = data.get(section, {}).keys()
    if section == "idp_groups" and len(names := set(map(normalise.name, keys))) == len(keys) and "" not in names:
        return
    key_by_name: dict[str, str] = {}
    for key in keys:
        try:
            name = normalise.domain(key) if section == "domains" else normalise.name(key)
        except ValueError as error:
            yield SnapshotFault((section, key), str(error), key=True)
            continue
        first = key_by_name.setdefault(name, key)
        if first is not key:
            yield SnapshotFault(
                (section, key), f"`{key}` and `{first}` are the same name", "keep one of them", key=True
            )
        if not name:
            yield SnapshotFault((section, key), "a name cannot be empty", key=True)


def _unknown_roles(data: Mapping[str, Json]) -> Iterator[SnapshotFault]:
    roles = decode_roles(data.get("roles"))
    groups: Mapping[str, Json] = data.get("idp_groups", {})
    default = data.get("defaults", {}).get("role")
    named = {default, *(entry.get("role") for entry in groups.values() if isinstance(entry, dict))} - {None}
    unknown = {role for role in named if role_id(role, roles) not in roles}
    if default in unknown:
        yield _unknown(("defaults", "role"), default, roles)
    for key, entry in groups.items() if unknown else ():
        if isinstance(entry, dict) and entry.get("role") in unknown:
            yield _unknown(("idp_groups", key, "role"), entry["role"], roles)


def _unknown(trail: Trail, role: str, roles: Mapping[str, Role]) -> SnapshotFault:
    hint = did_you_mean(role, roles) or "if the org has it, add it to `roles`"
    return SnapshotFault(trail, f"unknown role `{role}`", hint)


def _placed(document: Document, fault: SnapshotFault) -> Problem:
    at = "/".join(map(str, fault.trail))
    message = f"`{at}`: {fault.message}" if at else fault.message
    return Problem("snapshot_invalid", message, document.where(fault.trail, key=fault.key), fault.hint)


_KINDS = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
}


class SchemaRefusal(NamedTuple):
    """One schema keyword that a value violates.

    ``rule`` is the keyword's own value, ``message`` the library's.
    """

    keyword: str
    rule: Any
    instance: Any
    schema: dict[str, Any]
    message: str


def explained(data: Json, schema: Mapping[str, Json], most: int) -> Iterator[SnapshotFault]:
    """Yield what the schema refuses, at most ``most`` faults."""
    from jsonschema import Draft7Validator

    for error in islice(Draft7Validator(schema).iter_errors(data), most):
        deepest = _deepest(error)
        schema_here = deepest.schema if isinstance(deepest.schema, dict) else {}
        refusal = SchemaRefusal(
            str(deepest.validator), deepest.validator_value, deepest.instance, schema_here, deepest.message
        )
        yield from _WORDS.get(refusal.keyword, _unsuitable)(refusal, tuple(deepest.absolute_path))


def _deepest(error: ValidationError) -> ValidationError:
    """Return the cause that best explains an error: of several allowed forms, the one that the value resembles."""
    while error.context:
        apt = [cause for cause in error.context if cause.validator != "type" and not _is_mismatch(cause)]
        error = max(apt or error.context, key=lambda cause: len(cause.absolute_path))
    return error


def _is_mismatch(error: ValidationError) -> bool:
    return error.validator == "enum" and isinstance(error.instance, dict | list)


def _unknown_key(error: SchemaRefusal, trail: Trail) -> Iterator[SnapshotFault]:
    known = error.schema.get("properties", {})
    for key in sorted(error.instance.keys() - known):
        hint = did_you_mean(key, known) or f"use one of: {', '.join(known)}"
        yield SnapshotFault((*trail, key), "unknown key", hint, key=True)


def _missing_key(error: SchemaRefusal, trail: Trail) -> Iterator[SnapshotFault]:
    """Yield the missing key. There is one refusal per key, and only its message names the key."""
    missing = next(name for name in error.rule if error.message.startswith(repr(name)))
    yield SnapshotFault(trail, f"`{missing}` is missing")


def _type(error: SchemaRefusal, trail: Trail) -> Iterator[SnapshotFault]:
    kinds = error.rule if isinstance(error.rule, list) else [error.rule]
    yield SnapshotFault(trail, f"must be {' or '.join(_KINDS[kind] for kind in kinds)}, not {_shown(error)}")


def _choice(error: SchemaRefusal, trail: Trail) -> Iterator[SnapshotFault]:
    choices = error.rule if error.keyword == "enum" else [error.rule]
    if trail == ("snapshot",):
        yield SnapshotFault(
            trail, f"format version {_shown(error)} is not supported", "write `snapshot: 1`, or update rolecall"
        )
        return
    texts = [choice if isinstance(choice, str) else json.dumps(choice) for choice in choices]
    near = did_you_mean(error.instance, texts) if isinstance(error.instance, str) else None
    yield SnapshotFault(trail, f"cannot be {_shown(error)}", near or f"use one of: {', '.join(texts)}")


def _form(error: SchemaRefusal, trail: Trail) -> Iterator[SnapshotFault]:
    examples = error.schema.get("examples")
    hint = f"write it like `{examples[0]}`" if examples else "a name cannot be empty"
    yield SnapshotFault(trail, f"cannot be {_shown(error)}", hint)


def _empty(_error: SchemaRefusal, trail: Trail) -> Iterator[SnapshotFault]:
    yield SnapshotFault(trail, "is empty")


def _unsuitable(error: SchemaRefusal, trail: Trail) -> Iterator[SnapshotFault]:
    yield SnapshotFault(trail, f"cannot be {_shown(error)}")


def _shown(error: SchemaRefusal) -> str:
    """Return the value, shortened; text is quoted, a map or list is only named."""
    value = error.instance
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"


_WORDS: dict[str, Callable[[SchemaRefusal, Trail], Iterator[SnapshotFault]]] = {
    "additionalProperties": _unknown_key,
    "required": _missing_key,
    "type": _type,
    "enum": _choice,
    "const": _choice,
    "pattern": _form,
    "minItems": _empty,
    "minLength": _empty,
}
