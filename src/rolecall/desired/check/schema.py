"""Holds a config against ``schemas/config.schema.json``: jsonschema-rs decides, jsonschema explains a refusal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rolecall.desired.load.merge import KEYED
from rolecall.desired.load.sources import Sources
from rolecall.errors import Problem, Where
from rolecall.schema_files import schema_text

Trail = tuple[str | int, ...]


class Verdict(NamedTuple):
    """``sound`` is the part of the config that the schema finds nothing against; ``problems`` say what it does find."""

    sound: dict[str, Any]
    problems: list[Problem]


def judge(effective: dict[str, Any], sources: Sources, explained: bool = True) -> Verdict:
    """What the schema says about a config. Without ``explained`` the problems are left out."""
    import jsonschema_rs

    schema = json.loads(schema_text("config.schema.json"))
    validator = jsonschema_rs.Draft7Validator(schema)
    try:
        if validator.is_valid(effective):
            return Verdict(effective, [])
        errors = list(validator.iter_errors(effective))
    except ValueError as error:
        where = Where(sources.main, 1, 1)
        return Verdict({}, [Problem("schema", f"holds a value that is no JSON: {error}", where)])
    bad = _bad(effective, [tuple(error.instance_path) for error in errors])
    sound = _without(effective, bad)
    if not explained:
        return Verdict(sound, [])
    from rolecall.desired.check.schema_errors import explain

    problems = explain(_only(effective, bad), schema, sources)
    return Verdict(sound, problems or [_unexplained(sources)])


def _unexplained(sources: Sources) -> Problem:
    """For a value that only one of the two validators refuses; none is known, and none may pass."""
    hint = "Hold it against `rolecall schema --kind config`"
    return Problem("schema", "the config does not fit the schema", sources.where(()), hint)


def _bad(effective: dict[str, Any], trails: Iterable[Trail]) -> dict[str, set[Any]]:
    """For each section that is refused the entries or items that are, or None for the section itself.

    jsonschema-rs tells a key that looks like a number as that number, so such a one stands for every key it may be.
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
    """The config with just the bad entries of large sections, which is all that has to be explained."""
    return {
        top: {key: entry for key, entry in value.items() if key in bad.get(top, ())}
        if top in KEYED and isinstance(value, dict) and None not in bad.get(top, ())
        else value
        for top, value in effective.items()
    }


def _without(effective: dict[str, Any], bad: Mapping[str, set[Any]]) -> dict[str, Any]:
    """The config without what is bad: without the entry, the section, or with None for the item of a list."""
    return {
        top: _without_parts(value, bad[top]) if top in bad else value
        for top, value in effective.items()
        if top not in bad or not _lost(top, value, bad[top])
    }


def _lost(top: str, value: Any, parts: set[Any]) -> bool:
    """Whether nothing of a section is sound: it is bad itself, or of a kind that is taken or left whole."""
    in_parts = isinstance(value, list) or (top in KEYED and isinstance(value, dict))
    return None in parts or not in_parts


def _without_parts(value: Any, parts: set[Any]) -> Any:
    if isinstance(value, list):
        return [None if at in parts else item for at, item in enumerate(value)]
    return {key: entry for key, entry in value.items() if key not in parts}
