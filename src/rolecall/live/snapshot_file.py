"""Reads a snapshot file and holds it to its schema: jsonschema-rs decides, jsonschema explains what was refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rolecall.codec.snapshot import COVERED, decode_roles
from rolecall.errors import ConfigError, Problem, Where, did_you_mean
from rolecall.model import normalise
from rolecall.model.roles import role_id
from rolecall.schema_files import schema_text

MOST_PROBLEMS = 50
"""How many problems of one file are told; a file with more is wrong as a whole."""

Json = Any
Trail = tuple[str | int, ...]
"""The keys and indices that lead to a value."""


def read_snapshot_json(path: Path) -> dict[str, Json]:
    """The snapshot in a JSON or YAML file, fitting the schema. Raises ConfigError with every problem found."""
    text = _text(path)
    data: dict[str, Json] = _parse_json(text, path) if _is_json(path, text) else _parse_yaml(path)
    try:
        found = [*_against_schema(data)] or [*_against_itself(data)]
    except UnicodeEncodeError:
        raise ConfigError(_whole(path, "snapshot_syntax", "holds half of a character (a lone surrogate)")) from None
    if found:
        raise ConfigError(*_placed(found[:MOST_PROBLEMS], path))
    return data


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(_whole(path, "snapshot_missing", "there is no such snapshot file")) from None
    except UnicodeDecodeError as error:
        raise ConfigError(_whole(path, "snapshot_encoding", f"is not UTF-8 (byte {error.start})")) from None
    except OSError as error:
        raise ConfigError(_whole(path, "snapshot_unreadable", f"cannot be read: {error.strerror}")) from None


def _is_json(path: Path, text: str) -> bool:
    return path.suffix == ".json" or (path.suffix not in (".yaml", ".yml") and text.lstrip().startswith("{"))


def _parse_json(text: str, path: Path) -> Json:
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = Where(str(path), error.lineno, error.colno)
        raise ConfigError(Problem("snapshot_syntax", f"is not JSON: {error.msg}", where)) from None
    except RecursionError:
        raise ConfigError(_whole(path, "snapshot_syntax", "is nested too deeply")) from None
    except ValueError as error:
        raise ConfigError(_whole(path, "snapshot_syntax", str(error))) from None


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    held = dict(pairs)
    if len(held) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key `{twice}` stands there twice")
    return held


def _no_constant(word: str) -> Json:
    raise ValueError(f"{word} is no JSON value")


def _parse_yaml(path: Path) -> Json:
    raise ConfigError(_whole(path, "snapshot_syntax", "is not JSON"))


def _against_schema(data: Json) -> Iterator[tuple[Trail, str, str | None]]:
    import jsonschema_rs

    schema = json.loads(schema_text("snapshot.schema.json"))
    if not jsonschema_rs.validator_for(schema).is_valid(data):
        yield from _explained(data, schema)


def _explained(data: Json, schema: Mapping[str, Json]) -> Iterator[tuple[Trail, str, str | None]]:
    from itertools import islice

    from jsonschema import Draft7Validator
    from jsonschema.exceptions import best_match

    for error in islice(Draft7Validator(schema).iter_errors(data), MOST_PROBLEMS):
        deepest = best_match([error]) or error
        known = deepest.schema.get("properties", {}) if isinstance(deepest.schema, dict) else {}
        if deepest.validator == "additionalProperties" and isinstance(deepest.instance, dict):
            for key in deepest.instance.keys() - known:
                yield (*deepest.absolute_path, key), f"`{key}` is not a key here", did_you_mean(key, known)
        else:
            yield tuple(deepest.absolute_path), deepest.message[:300], None


def _against_itself(data: Mapping[str, Json]) -> Iterator[tuple[Trail, str, str | None]]:
    """What a schema cannot say: names that are one name, roles nobody knows, coverage of what is not there."""
    yield from _same_names(data, "domains")
    yield from _same_names(data, "idp_groups")
    yield from _unknown_roles(data)
    for section, said in data.get("coverage", {}).items():
        state = said if isinstance(said, str) else said["state"]
        if section in COVERED and section not in data and state != "unread":
            yield (
                ("coverage", section),
                f"says {state}, but there is no `{section}` in this file",
                "write it, or say unread",
            )


def _same_names(data: Mapping[str, Json], section: str) -> Iterator[tuple[Trail, str, str | None]]:
    seen: dict[str, str] = {}
    for key in data.get(section, ()):
        try:
            name = normalise.domain(key) if section == "domains" else normalise.name(key)
        except ValueError as error:
            yield (section, key), str(error), None
            continue
        if name in seen:
            yield (section, key), f"`{key}` and `{seen[name]}` are the same name", "keep one of them"
        if not name:
            yield (section, key), "a name cannot be empty", None
        seen[name] = key


def _unknown_roles(data: Mapping[str, Json]) -> Iterator[tuple[Trail, str, str | None]]:
    roles = decode_roles(data.get("roles"))
    entries: Iterable[tuple[Trail, Json]] = (
        (("defaults",), data.get("defaults")),
        *((("idp_groups", key), entry) for key, entry in data.get("idp_groups", {}).items()),
    )
    for trail, entry in entries:
        role = entry.get("role") if isinstance(entry, dict) else None
        if role and role_id(role, roles) not in roles:
            hint = did_you_mean(role, roles) or "list it under `roles` if the org has it"
            yield (*trail, "role"), f"there is no role `{role}`", hint


def _placed(found: Sequence[tuple[Trail, str, str | None]], path: Path) -> Iterator[Problem]:
    for trail, message, hint in found:
        at = "/".join(map(str, trail))
        yield Problem("snapshot_invalid", f"{at}: {message}" if at else message, Where(str(path)), hint)


def _whole(path: Path, code: str, message: str) -> Problem:
    return Problem(code, message, Where(str(path)), "write one with `rolecall snapshot` or `rolecall observe`")
