"""A plan of 10,000 changes in each format that people read, and an HTML report of 100,000 people in Chromium.

python bench/bench_render.py
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import at_size
from bench_growth import timed
from meter import Command, paired
from table import Result, markdown

from rolecall.cli.session import collect_rarely
from rolecall.codec.people import decode_people
from rolecall.desired.build import read_config
from rolecall.jobs.plan import PlanRequest, from_config, make_plan
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.directory import Directory, PeopleScope
from rolecall.plan.saved.digest import digest
from rolecall.plan.value import Plan
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import plain
from rolecall.report.renderers import markdown as report_markdown
from rolecall.report.renderers.html import html
from rolecall.report.renderers.text import document_lines

CHANGES, PEOPLE, GROUPS, TIMES = 10_000, 100_000, 100, 5


class _Everybody:
    """People evenly over the groups; all of them are touched."""

    async def read_people(self, scope: PeopleScope) -> Directory:
        rows = ({"email": f"person{n:06d}@acme.com", "groups": [f"Group-{n % GROUPS:06d}"]} for n in range(PEOPLE))
        return decode_people(rows, [f"Group-{number:06d}" for number in range(GROUPS)])


def main() -> None:
    collect_rarely()
    with tempfile.TemporaryDirectory() as place:
        print(markdown("Rendering", [*_formats(Path(place) / "changes"), *_browser(Path(place) / "people")]))


def _plan(folder: Path, count: int, people: _Everybody | None) -> Plan:
    at_size.rolecall(folder, count, share=1)
    reader = SnapshotReader(folder / "live.json")
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    wanted = from_config(read_config(folder))
    return asyncio.run(make_plan(PlanRequest(wanted, reader, people or reader, now, date(2026, 11, 22)))).plan


def _formats(folder: Path) -> list[Result]:
    made = _plan(folder, CHANGES, None)
    key = digest(made)
    makers = {
        "text": lambda: plain(document_lines(plan_document(made, key))),
        "Markdown": lambda: report_markdown.markdown(plan_document(made, key)),
        "HTML": lambda: html(plan_document(made, key)),
    }
    results = []
    for form, maker in makers.items():
        text, spent = timed(maker)
        results.append(Result(f"{CHANGES:,} changes to {form}, CPU", spent, "s", most=1, beside=f"{len(text):,} chars"))
    return results


def _browser(folder: Path) -> list[Result]:
    made = _plan(folder, GROUPS, _Everybody())
    text, spent = timed(lambda: html(plan_document(made, digest(made))))
    page = folder / "report.html"
    page.write_text(text, encoding="utf-8")
    size = f"{page.stat().st_size / 1e6:.1f} MB, {made.impact.changed:,} people"
    results = [Result(f"a report of {PEOPLE:,} people to HTML, CPU", spent, "s", beside=size)]
    if (chromium := shutil.which("chromium")) is None:
        return results
    opened, blank = paired(TIMES, *(_opening(chromium, folder, what) for what in (page.as_uri(), "about:blank")))
    beside = f"an empty page takes {blank.wall:.2f} s; CPU {opened.cpu:.2f} s against {blank.cpu:.2f} s"
    return [*results, Result("that report opened and drawn by Chromium", opened.wall, "s", most=3, beside=beside)]


def _opening(chromium: str, folder: Path, address: str) -> Command:
    """Chromium started, the page laid out and drawn into a picture, Chromium ended."""
    calm = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}")
    return Command((chromium, *calm, f"--screenshot={folder / 'picture.png'}", address), folder)


if __name__ == "__main__":
    main()
