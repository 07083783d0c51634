"""Golden folders: a config and a snapshot in, the plan as a person reads it out.

``pytest tests/scenarios --update`` writes ``plan.txt`` anew; look at the difference before committing it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rolecall.desired.build import read_config
from rolecall.jobs.plan import PlanRequest, from_config, make_plan
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import plain
from rolecall.report.renderers.text import document_lines

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/rolecall.yaml"))
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_plan_reads_as_it_did(folder: Path, request: pytest.FixtureRequest) -> None:
    told = tell(folder)
    expected = folder / "plan.txt"
    if request.config.getoption("--update"):
        expected.write_text(told, encoding="utf-8")
    assert told == expected.read_text(encoding="utf-8")


def tell(folder: Path) -> str:
    config = read_config(folder)
    reader = SnapshotReader(folder / "live.yaml")
    now = datetime.combine(TODAY, datetime.min.time(), UTC)
    planned = asyncio.run(make_plan(PlanRequest(from_config(config), reader, reader, now, TODAY)))
    return plain(document_lines(plan_document(planned.plan)), width=100)
