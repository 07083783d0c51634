"""The generated schemas accept and refuse what those did that were written by hand (`tests/fixtures/schemas`).

Documents are drawn from the earlier schemas, with values and keys here and there that do not fit, so that a field that
was added since is not in them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import settings

from rolecall.schema_files import schema_text

EARLIER = Path(__file__).parents[1] / "fixtures" / "schemas"
SECTIONS = ("domains", "defaults", "sso", "scim", "idp_groups")
CONTRACT = ("DomainUpdate", "DomainCreate", "Domain", "DefaultsUpdate", "Defaults", "SsoUpdate", "Sso")
CONTRACT += ("ScimUpdate", "Scim", "MappingUpdate", "Mapping", "IdpGroup", "Org")
HEADS: Mapping[str, Any] = {
    "config": {"version": 1, "org": {"name": "a", "url": "local:org.db"}},
    "snapshot": {"snapshot": 1, "org": {"id": "a"}},
}
NAMES = ("a", "acme.com", "Writer Admins", "é", "", " ", "1", "a\nb", '"1"')
VALUES = (None, True, False, -1, 0, 1, 1.5, [], {}, ["a"], ["a", "a"], {"a": 1}, {"file": "a"}, [""])
Valid = Callable[[Any], bool]


def _earlier(name: str) -> Any:
    return json.loads((EARLIER / f"{name}.schema.json").read_text(encoding="utf-8"))


def _without_rules(node: Any) -> Any:
    """Return a schema without ``allOf``, where the rules for editors are."""
    if isinstance(node, list):
        return [_without_rules(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_rules(part) for key, part in node.items() if key != "allOf"}


def words(node: Any) -> set[str]:
    """Return every key and every choice that a schema names."""
    if isinstance(node, list):
        return set().union(*map(words, node))
    if not isinstance(node, dict):
        return set()
    choices = {choice for choice in node.get("enum", ()) if isinstance(choice, str)}
    inner = set().union(*map(words, node.values()))
    return choices | inner | (node["properties"].keys() if isinstance(node.get("properties"), dict) else set())


_SNAPSHOT = _earlier("snapshot")["definitions"]
WORDS = sorted(words([_SNAPSHOT[name] for name in ("domain", "defaults", "sso", "scim", "group", "state")]))


class Draw:
    """Draws documents that mostly fit a schema; equal seeds draw equal documents."""

    def __init__(self, top: Mapping[str, Any], seed: str) -> None:
        self.top = top
        self.random = Random(seed)

    def document(self, node: Any) -> Any:
        if not isinstance(node, dict) or self.random.random() < 0.03:
            return self.random.choice([*VALUES, *NAMES, *WORDS])
        if "$ref" in node:
            return self.document(self._target(node["$ref"]))
        if parts := node.get("oneOf") or node.get("anyOf"):
            return self.document(self.random.choice(parts))
        if "enum" in node or "const" in node:
            choices = node.get("enum", [node.get("const")])
            return self.random.choice(WORDS if self.random.random() < 0.2 else choices)
        types = node.get("type", "object")
        return self._typed(types if isinstance(types, str) else self.random.choice(types), node)

    def _target(self, reference: str) -> Any:
        node: Any = self.top
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        return node

    def _typed(self, name: str, node: Mapping[str, Any]) -> Any:
        match name:
            case "object":
                return self._object(node)
            case "array":
                return [self.document(node.get("items")) for _ in range(self.random.randint(0, 3))]
            case "string":
                longest = node.get("maxLength", 0)
                edges = ["x" * size for size in (longest, longest + 1) if size < 1000]
                return self.random.choice([*NAMES, *edges])
            case "boolean":
                return self.random.random() < 0.5
            case "integer":
                return self.random.randint(-1, 2)
            case _:
                return None

    def _object(self, node: Mapping[str, Any]) -> dict[str, Any]:
        known, needed = node.get("properties"), node.get("required", ())
        if known is None:
            inner = node.get("additionalProperties")
            return {self.random.choice(NAMES): self.document(inner) for _ in range(self.random.randint(0, 2))}
        often = self.random.random()
        kept = [key for key in known if self.random.random() < (0.98 if key in needed else often)]
        more = [self.random.choice(WORDS)] if self.random.random() < 0.1 else []
        return {key: self.document(known.get(key)) for key in (*more, *kept)}


def hold(before: Valid, after: Valid, draw: Callable[[str], Any]) -> None:
    """Hold two schemas to one verdict on many documents, and see that both verdicts come up."""
    verdicts = set()
    for number in range(max(1_000, settings.default.max_examples * 10)):
        document = draw(str(number))
        verdicts.add(before(document))
        assert after(document) == before(document), document
    assert verdicts == {True, False}


def hold_sections(kind: str, key: str) -> None:
    """Hold one section to its schema of 0.1.0, without the rules for editors, which refuse what the loader refuses
    (``test_prop_editor_schemas.py``)."""
    before, after = _earlier(kind), json.loads(schema_text(f"{kind}.schema.json"))
    after = _without_rules(after) if kind == "config" else after
    old, new = (jsonschema_rs.Draft7Validator(schema).is_valid for schema in (before, after))
    node = before["properties"][key]
    hold(old, new, lambda seed: {**HEADS[kind], key: Draw(before, seed).document(node)})


@pytest.mark.parametrize("key", [*SECTIONS, "manage"])
def test_a_config_is_held_to_what_it_was(key: str) -> None:
    hold_sections("config", key)


@pytest.mark.parametrize("key", [*SECTIONS, "kept", "coverage"])
def test_a_snapshot_is_held_to_what_it_was(key: str) -> None:
    hold_sections("snapshot", key)


@pytest.mark.parametrize("reference", ["#/definitions/settings", "#/properties/relied"])
def test_a_plan_is_held_to_what_it_was(reference: str) -> None:
    before, after = _earlier("plan"), json.loads(schema_text("plan.schema.json"))
    parts = ({key: schema[key] for key in ("definitions", "properties")} for schema in (before, after))
    old, new = (jsonschema_rs.Draft7Validator({**part, "$ref": reference}).is_valid for part in parts)
    hold(old, new, lambda seed: Draw(before, seed).document({"$ref": reference}))


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contract_is_what_it_was(name: str) -> None:
    before = yaml.safe_load((EARLIER / "org-api.openapi.yaml").read_text(encoding="utf-8"))
    after, node = yaml.safe_load(schema_text("org-api.openapi.yaml")), {"$ref": f"#/components/schemas/{name}"}
    for each, schema in after["components"]["schemas"].items():
        known = before["components"]["schemas"].get(each, {}).get("properties", {})
        if "required" in schema:  # an answer has every field, those that were added since too
            schema["required"] = [key for key in schema["required"] if key in known]
    old, new = (
        jsonschema_rs.Draft202012Validator({"components": contract["components"], **node}).is_valid
        for contract in (before, after)
    )
    hold(old, new, lambda seed: Draw(before, seed).document(node))
