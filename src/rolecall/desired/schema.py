"""Holds a config against ``schemas/config.schema.json``: jsonschema-rs decides, jsonschema explains a refusal."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from typing import Any, NamedTuple

from rolecall.desired.merge import KEYED
from rolecall.desired.sources import Sources
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
        bad = {tuple(error.instance_path) for error in validator.iter_errors(effective)}
    except ValueError as error:
        where = Where(sources.main, 1, 1)
        return Verdict({}, [Problem("schema", f"holds a value that is no JSON: {error}", where)])
    if not explained:
        return Verdict(_without(effective, bad), [])
    from rolecall.desired.explain import explain

    return Verdict(_without(effective, bad), explain(_only(effective, bad), schema, sources))


def _only(effective: dict[str, Any], bad: Iterable[Trail]) -> dict[str, Any]:
    """The config with just the bad entries of large sections, which is all that has to be explained."""
    wanted = {trail[:2] for trail in bad}
    return {
        top: {key: entry for key, entry in value.items() if (top, key) in wanted}
        if top in KEYED and isinstance(value, dict) and (top,) not in wanted
        else value
        for top, value in effective.items()
    }


def _without(effective: dict[str, Any], bad: Iterable[Trail]) -> dict[str, Any]:
    """The config without what is bad: without the entry, the section, or with None for the item of a list."""
    parts: dict[Any, set[Any]] = {}
    for trail in bad:
        parts.setdefault(trail[0] if trail else None, set()).add(trail[1] if len(trail) > 1 else None)
    return {
        top: _kept(top, value, parts[top]) if top in parts else value
        for top, value in effective.items()
        if top not in parts or not _lost(top, value, parts[top])
    }


def _lost(top: str, value: Any, parts: Container[Any]) -> bool:
    """Whether nothing of a section is sound: it is bad itself, or of a kind that is taken or left whole."""
    in_parts = isinstance(value, list) or (top in KEYED and isinstance(value, dict))
    return None in parts or not in_parts


def _kept(top: str, value: Any, parts: Container[Any]) -> Any:
    if isinstance(value, list):
        return [None if at in parts else item for at, item in enumerate(value)]
    return {key: entry for key, entry in value.items() if key not in parts}
