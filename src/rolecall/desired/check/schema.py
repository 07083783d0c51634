"""Validates a configuration against ``schemas/config.schema.json``: jsonschema-rs decides, jsonschema explains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rolecall.desired.load.merge import KEYED
from rolecall.desired.load.sources import Sources
from rolecall.errors import Problem, Where
from rolecall.schema_files import schema_text

Trail = tuple[str | int, ...]


class SchemaCheck(NamedTuple):
    """``sound`` is the part of the configuration that fits the schema; ``problems`` describe the rest."""

    sound: dict[str, Any]
    problems: list[Problem]


def check_schema(effective: dict[str, Any], sources: Sources, explained: bool = True) -> SchemaCheck:
    """Return the schema's verdict on a configuration. Without ``explained``, problems are left out."""
    import jsonschema_rs

    schema = _without_rules(json.loads(schema_text("config.schema.json")))
    validator = jsonschema_rs.Draft7Validator(schema)
    try:
        if validator.is_valid(effective):
            return SchemaCheck(effective, [])
        errors = list(validator.iter_errors(effective))
    except ValueError as error:
        where = Where(sources.main, 1, 1)
        return SchemaCheck({}, [Problem("schema", f"contains a value that JSON cannot express: {error}", where)])
    bad = _bad(effective, [tuple(error.instance_path) for error in errors])
    sound = _without(effective, bad)
    if not explained:
        return SchemaCheck(sound, [])
    from rolecall.desired.check.schema_errors import explain

    problems = explain(_only(effective, bad), schema, sources)
    return SchemaCheck(sound, problems or [_unexplained(errors[0], sources)])


def _without_rules(node: Any) -> Any:
    """Return the schema without ``allOf``: these rules are for editors, and the checks in code explain them better."""
    if isinstance(node, list):
        return [_without_rules(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_rules(value) for key, value in node.items() if key != "allOf"}


def _unexplained(error: Any, sources: Sources) -> Problem:
    """Return a problem for a value that only one of the two validators refuses. No such value is known.

    The value is not quoted, since it may be a secret.
    """
    trail = tuple(error.instance_path)
    name = f"`{'.'.join(map(str, trail))}`" if trail else "the configuration"
    message = f"{name} does not match the schema ({error.schema_path[-1]})"
    return Problem("schema", message, sources.where(trail), "for the keys and their values: rolecall help config")


def _bad(effective: dict[str, Any], trails: Iterable[Trail]) -> dict[str, set[Any]]:
    """Return the invalid entries or items of each section, with None for the section itself.

    jsonschema-rs reports a key that looks like a number as that number, which may stand for several keys.
    """
    bad: dict[str, set[Any]] = {}
    for trail in trails:
        bad.setdefault(str(trail[0]) if trail else "", set()).add(trail[1] if len(trail) > 1 else None)
    for top in bad.keys() & KEYED.keys():
        numbers = {step for step in bad[top] if isinstance(step, int)}
        if numbers and isinstance(effective[top], dict):
            bad[top] |= {key for key in effective[top] if key.isdecimal() or key[1:].isdecimal()}
    return bad


def _only(effective: dict[str, Any], bad: Mapping[str, set[Any]]) -> dict[str, Any]:
    """Return the configuration with only the invalid entries of large sections, which is all that needs explaining."""
    return {
        top: {key: entry for key, entry in value.items() if key in bad.get(top, ())}
        if top in KEYED and isinstance(value, dict) and None not in bad.get(top, ())
        else value
        for top, value in effective.items()
    }


def _without(effective: dict[str, Any], bad: Mapping[str, set[Any]]) -> dict[str, Any]:
    """Return the configuration without invalid parts: sections and entries are dropped, list items become None."""
    return {
        top: _without_parts(value, bad[top]) if top in bad else value
        for top, value in effective.items()
        if top not in bad or not _lost(top, value, bad[top])
    }


def _lost(top: str, value: Any, parts: set[Any]) -> bool:
    """Return whether a whole section is unusable: it is invalid itself, or it cannot be used in parts."""
    in_parts = isinstance(value, list) or (top in KEYED and isinstance(value, dict))
    return None in parts or not in_parts


def _without_parts(value: Any, parts: set[Any]) -> Any:
    if isinstance(value, list):
        return [None if at in parts else item for at, item in enumerate(value)]
    return {key: entry for key, entry in value.items() if key not in parts}
