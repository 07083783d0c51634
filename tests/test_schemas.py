"""The schemas say of every key what it is: editors show it, and the reference pages are made from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from schemas_script import schemas_script

from rolecall.desired.edit.schemas import EDITOR_SCHEMAS, editor_schema
from rolecall.fleet.keys import KEYS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "schemas"
SCHEMAS = {path.name.partition(".")[0]: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.schema.json")}
SCHEMAS |= {kind: editor_schema(kind) for kind in EDITOR_SCHEMAS}


def test_what_is_generated_is_current() -> None:
    files = schemas_script().generated()
    assert {path.name for path in files} >= {"config.schema.json", "snapshot.schema.json", "plan.schema.json"}
    outdated = [path.name for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    assert outdated == [], "run script/schemas"


def keys(node: Any, top: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    """Every key of a schema with its description, or that of what it refers to; empty where it has none."""
    if isinstance(node, list):
        for one in node:
            yield from keys(one, top, at)
        return
    if not isinstance(node, dict):
        return
    for name, said in node.get("properties", {}).items():
        if isinstance(said, dict):
            yield f"{at}.{name}", described(said, top)
    for name, below in node.items():
        rules = name == "allOf" and at.partition(".")[0] in ("config", "part", "overlay")
        if name not in ("examples", "default", "const", "enum", "required") and not rules:
            yield from keys(below, top, f"{at}.{name}".replace(".properties", ""))


def described(said: dict[str, Any], top: dict[str, Any]) -> str:
    if "description" in said:
        return str(said["description"])
    if "$ref" not in said:
        return ""
    found: Any = top
    for part in said["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return described(found, top)


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_every_key_says_what_it_is(kind: str) -> None:
    schema = json.loads(SCHEMAS[kind])
    found = dict(keys(schema, schema, kind))
    assert len(found) >= (len(KEYS) if kind == "fleet" else 41)
    assert [at for at, told in found.items() if not told] == []
    assert [at for at, told in found.items() if not re.search(r"[.?`)]$", told)] == [], "a sentence ends"


def keys_without_a_value(document: str) -> list[int]:
    """Return the lines of a YAML document with an empty value, such as the end of a text with a comma and no quotes."""
    events = [event for event in yaml.parse(document, Loader=yaml.CSafeLoader) if isinstance(event, yaml.ScalarEvent)]
    return [event.start_mark.line + 1 for event in events if event.value == "" and event.implicit[0]]


def test_no_text_of_the_contract_is_split_at_a_comma() -> None:
    assert keys_without_a_value("a: {description: The secret, once}\n") == [1]
    assert keys_without_a_value((FOLDER / "org-api.openapi.yaml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_each_is_a_schema(kind: str) -> None:
    jsonschema_rs.meta.validate(json.loads(SCHEMAS[kind]))


def test_a_key_without_a_word_is_noticed() -> None:
    schema = {"properties": {"a": {"properties": {"b": {"type": "string"}}, "description": "It."}}}
    assert [at for at, told in keys(schema, schema, "x") if not told] == ["x.a.b"]
