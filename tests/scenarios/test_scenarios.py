"""Golden folders: a config and a snapshot in; the plan as a person reads it, and as JSON without its texts, out.

``pytest tests/scenarios --update`` writes ``plan.txt`` and ``plan.json`` anew; look at the difference before committing
it.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from rolecall.desired.build import read_config
from rolecall.jobs.plan import PlanRequest, from_config, make_plan
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.plan.saved.encode import encode_plan
from rolecall.plan.value import Plan
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import plain
from rolecall.report.renderers.text import document_lines

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/rolecall.yaml"))
TODAY = date(2026, 11, 22)
LEFT_OUT = frozenset({"rolecall_version", "digest"})
TEXTS = frozenset({"message", "hint", "headline", "problem", "text"})
LISTS_OF_TEXTS = frozenset({"ways", "sentences", "notes"})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_plan_reads_as_it_did(folder: Path, request: pytest.FixtureRequest) -> None:
    told = plain(document_lines(plan_document(made(folder))), width=100)
    golden(folder / "plan.txt", told, request)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_plan_has_the_values_that_it_had(folder: Path, request: pytest.FixtureRequest) -> None:
    values = without_texts(encode_plan(made(folder)))
    golden(folder / "plan.json", f"{json.dumps(values, indent=1, ensure_ascii=False)}\n", request)


def golden(path: Path, text: str, request: pytest.FixtureRequest) -> None:
    """Compare a text with what a file has, or write the file."""
    if request.config.getoption("--update"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def made(folder: Path) -> Plan:
    config = read_config(folder)
    reader = SnapshotReader(folder / "live.yaml")
    now = datetime.combine(TODAY, datetime.min.time(), UTC)
    return asyncio.run(make_plan(PlanRequest(from_config(config), reader, reader, now, TODAY))).plan


def without_texts(json_value: Any) -> Any:
    """Return the JSON of a plan in which texts for a person are only there or not, and lists of them empty or not."""
    if isinstance(json_value, list):
        return [without_texts(item) for item in json_value]
    if not isinstance(json_value, dict):
        return json_value
    return {
        key: bool(value)
        if key in TEXTS or key in LISTS_OF_TEXTS or (key == "limit" and isinstance(value, str))
        else without_texts(value)
        for key, value in json_value.items()
        if key not in LEFT_OUT
    }
