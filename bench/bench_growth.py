"""How time grows with size: the exponent between 1,000 and 50,000 mappings, phase by phase, in processor time.

    python bench/bench_growth.py [--largest N]

For load, validate and diff one in a hundred mappings differs; order, render and apply have every mapping changed, as
their work is the changes. Apply writes to an org in memory, through the real journal.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import at_size
from memory_org import MemoryOrg
from table import section

from rolecall.cli.session import collect_rarely
from rolecall.desired.build import build
from rolecall.desired.check.validate import validate
from rolecall.desired.load.read import load
from rolecall.jobs.apply import ApplyRequest, apply_approved
from rolecall.jobs.plan import PlanRequest, PlanTarget, from_config, from_plan, read_plan_input
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.plan.diff.changes import diff
from rolecall.plan.forecast import forecast_access
from rolecall.plan.make import make
from rolecall.plan.order.steps import order
from rolecall.plan.saved.digest import digest
from rolecall.plan.value import Plan
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import plain
from rolecall.report.renderers.html import html
from rolecall.report.renderers.markdown import markdown
from rolecall.report.renderers.text import document_lines

T = TypeVar("T")
SIZES = (1_000, 5_000, 10_000, 50_000)
AIM = 1.05
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PHASES = (
    "load",
    "validate",
    "build",
    "read the snapshot",
    "diff",
    "plan",
    "order",
    "text",
    "Markdown",
    "HTML",
    "apply",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=SIZES[-1])
    largest: int = parser.parse_args().largest
    sizes = [size for size in SIZES if size <= largest]
    collect_rarely()
    found = [dict(_phases(size)) for size in sizes]
    rows = []
    for phase in PHASES:
        times = [row[phase] for row in found]
        slope = exponent(sizes, times)
        verdict = "met" if slope <= AIM else f"**missed by {slope - AIM:.2f}**"
        rows.append((phase, *(f"{each:.3f} s" for each in times), f"**{slope:.2f}**", f"≤ {AIM}", verdict))
    remark = (
        "Seconds of the processor, the best of three (one for apply); the exponent is of the line through all sizes."
    )
    print(section("Growth", ("phase", *(f"{size:,}" for size in sizes), "exponent", "aim", ""), rows, remark))


def exponent(sizes: list[int], times: list[float]) -> float:
    """The slope of the straight line nearest to the points, both axes logarithmic."""
    across, up = [math.log(size) for size in sizes], [math.log(max(each, 1e-6)) for each in times]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    return sum((x - middle) * (y - height) for x, y in zip(across, up, strict=True)) / sum(
        (x - middle) ** 2 for x in across
    )


def _phases(size: int) -> Iterator[tuple[str, float]]:
    with tempfile.TemporaryDirectory() as place:
        few, all_ = Path(place) / "few", Path(place) / "all"
        at_size.rolecall(few, size)
        at_size.rolecall(all_, size, share=1)
        sources, spent = timed(lambda: load(few))
        yield "load", spent
        problems, spent = timed(lambda: validate(sources))
        yield "validate", spent
        config, spent = timed(lambda: build(sources, tuple(problems)))
        yield "build", spent
        yield "read the snapshot", timed(SnapshotReader(few / "live.json").load)[1]
        yield from _planned(few, from_config(config))
        yield from _all_changed(all_)


def _planned(folder: Path, wanted: PlanTarget) -> Iterator[tuple[str, float]]:
    asked = _asked(folder, wanted)
    yield "diff", timed(lambda: diff(asked.desired, asked.live, asked.as_of))[1]
    yield "plan", timed(lambda: make(asked))[1]


def _asked(folder: Path, wanted: PlanTarget) -> Any:
    reader = SnapshotReader(folder / "live.json")
    return asyncio.run(read_plan_input(PlanRequest(wanted, reader, reader, NOW, date(2026, 11, 22))))


def _all_changed(folder: Path) -> Iterator[tuple[str, float]]:
    asked = _asked(folder, from_config(build(load(folder))))
    changes = diff(asked.desired, asked.live, asked.as_of).changes
    forecast = forecast_access(asked.live, asked.directory, changes)
    yield "order", timed(lambda: order(changes, forecast))[1]
    plan = make(asked)
    document = plan_document(plan, digest(plan))
    yield "text", timed(lambda: plain(document_lines(plan_document(plan, digest(plan)))))[1]
    yield "Markdown", timed(lambda: markdown(document))[1]
    yield "HTML", timed(lambda: html(document))[1]
    yield "apply", timed(lambda: asyncio.run(_applied(plan, asked.live, folder)), times=1)[1]


async def _applied(plan: Plan, live: Any, folder: Path) -> None:
    org = MemoryOrg(live)
    with open_journal("sqlite:journal.db", folder) as journal:
        request = ApplyRequest(
            approved=plan,
            target=from_plan(plan),
            org=org,
            people=org,
            journal=journal,
            holder=Holder("bench"),
            now=lambda: NOW,
        )
        report = await apply_approved(request)
    assert report.run is not None
    assert report.run.outcome == "done", report


def timed(work: Callable[[], T], *, times: int = 3) -> tuple[T, float]:
    """The result, and the least processor time of a few runs."""
    best = math.inf
    for _ in range(times):
        began = time.process_time()
        result = work()
        best = min(best, time.process_time() - began)
    return result, best


if __name__ == "__main__":
    main()
