"""Test that the page about snapshots is correct: its example is valid, and every key is on it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rolecall.codec.people import decode_people
from rolecall.codec.snapshot import decode_snapshot
from rolecall.live.snapshot.file import read_snapshot
from rolecall.schema_files import schema_text

PAGE = (Path(__file__).parents[4] / "docs" / "snapshot.md").read_text(encoding="utf-8")


def test_the_example_can_be_read(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(# yaml-language.*?)```", PAGE, re.DOTALL)
    assert found is not None
    path = tmp_path / "org.yaml"
    path.write_text(found[1], encoding="utf-8")
    snapshot = decode_snapshot(read_snapshot(path).value)
    assert {name: row.state for name, row in snapshot.live.coverage.items() if row.state != "complete"} == {
        "sso": "unread",
        "people": "partial",
    }
    assert isinstance(snapshot.people, list)
    assert len(decode_people(snapshot.people)) == 2


def test_every_key_of_the_format_is_on_the_page() -> None:
    schema = json.loads(schema_text("snapshot.schema.json"))
    definitions = schema["definitions"]
    parts = (schema, definitions["person"], definitions["org"], definitions["cover"]["oneOf"][1])
    keys = {key for part in parts for key in part["properties"]} - {"$schema"}
    assert not {key for key in keys if not re.search(rf"\b{key}\b", PAGE)}
