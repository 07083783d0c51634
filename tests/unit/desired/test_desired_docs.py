"""The page about the config says what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rolecall.desired import load, validate
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


def test_every_key_of_the_schema_helps_in_an_editor() -> None:
    schema = json.loads(schema_text("config.schema.json"))
    mute = []

    def walk(node: object, path: str) -> None:
        if isinstance(node, dict):
            for name, held in node.get("properties", {}).items():
                if isinstance(held, dict) and not {"title", "description", "$ref"} & held.keys():
                    mute.append(f"{path}.{name}")
            for name, held in node.items():
                walk(held, f"{path}.{name}")
        elif isinstance(node, list):
            for held in node:
                walk(held, path)

    walk(schema, "")
    assert mute == []
    assert json.dumps(schema).count('"examples"') > 20
