"""Test that the page about the configuration matches the program."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rolecall.desired.check.validate import validate
from rolecall.desired.load.read import load
from rolecall.schema_files import schema_text

PAGE = (Path(__file__).parents[3] / "docs" / "config.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
HEAD = "version: 1\norg: {name: a, url: 'local:org.db'}\n"


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_is_valid(tmp_path: Path, block: str) -> None:
    whole = "version:" in block or "org:" in block
    text = block if "version:" in block else f"version: 1\n{block}" if whole else HEAD + block
    (tmp_path / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert [str(one) for one in validate(load(tmp_path)) if one.code != "no_match"] == []


def test_every_key_is_on_the_page() -> None:
    schema = json.loads(schema_text("config.schema.json"))
    keys = set(schema["properties"])
    for name in ("org", "idp_group", "domain", "people", "access_test", "allow", "ignore", "secret", "journal"):
        keys |= set(schema["definitions"][name]["properties"])
    for section in ("sso", "scim", "defaults", "reports", "watch"):
        keys |= set(schema["properties"][section]["properties"])
    assert {key for key in keys if not re.search(rf"\b{key}\b", PAGE)} == set()


SCHEMA = json.loads(schema_text("config.schema.json"))


def meant(node: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema with what it refers to, as editors put the two together."""
    if "$ref" not in node:
        return node
    return {**meant(SCHEMA["definitions"][node["$ref"].rpartition("/")[2]]), **node}


def parts(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that a config may have, and every definition, with its place in the schema."""
    if isinstance(node, dict):
        for kind in ("properties", "definitions"):
            yield from (
                (f"{path}/{name}", meant(held)) for name, held in node.get(kind, {}).items() if held is not True
            )
        for name, held in node.items():
            yield from parts(held, f"{path}/{name}") if name not in ("examples", "default") else ()


@pytest.mark.parametrize(("path", "part"), [pytest.param(*part, id=part[0]) for part in parts(SCHEMA)])
def test_every_key_of_the_schema_helps_in_an_editor(path: str, part: dict[str, Any]) -> None:
    assert part.get("title"), path
    assert part.get("description"), path
    assert part["title"] != part["description"]
    chosen = part.get("type") == "boolean" or {"enum", "const", "default"} & part.keys()
    assert chosen or part.get("examples"), f"{path} has no example to begin with"
    whole = jsonschema.Draft7Validator({**part, "definitions": SCHEMA["definitions"]})
    assert [error.message for said in part.get("examples", ()) for error in whole.iter_errors(said)] == []
