"""How long a plan takes to say who gains and who loses, in an org of a million people, against asking everybody.

    python bench/bench_impact.py [--people N] [--changed N] [--keep FOLDER]

1,000,000 people, 5,000 groups, 5,000,000 memberships, 2,000 mappings of which 20 change. Aims: the impact under 0.3 s,
everybody under 3 s, the whole ``plan --snapshot`` under 8 s and 400 MB. Times are of the clock and of the processor,
the best of three; on a busy machine look at the second. The collector runs as rarely as in the program. Memory is the
peak of a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

from org_at_size import FULL, Size, snapshot, wanted, write

from rolecall.access import candidates, compile_change, everyone, org_admins, shifts
from rolecall.cli.session import collect_rarely
from rolecall.codec.capabilities import WRITES
from rolecall.codec.people_lines import BATCH, decode_lines
from rolecall.codec.settings import decode_settings
from rolecall.codec.snapshot import decode_snapshot
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory
from rolecall.model.live import Live
from rolecall.plan.forecast import forecast_access
from rolecall.plan.impact.compute import compute_impact
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.order.steps import order
from rolecall.plan.value import OrgRef

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=FULL.people)
    parser.add_argument("--changed", type=int, default=FULL.changed)
    parser.add_argument("--keep", type=Path, help="where to write the org, or where it was left last time")
    asked = parser.parse_args()
    size = FULL._replace(people=asked.people, changed=asked.changed)
    if asked.keep:
        measure(asked.keep, size)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), size)


def measure(folder: Path, size: Size) -> None:
    """Everything, printed as a table."""
    if not (folder / "people.jsonl").exists():
        write(folder, size)
    print(f"{size.people:,} people, {size.groups:,} groups, {size.mapped:,} mappings, {size.changed} changed")
    whole_plan(folder)
    collect_rarely()
    live = decode_snapshot(snapshot(size)).live
    directory = timed("load people.jsonl", lambda: load(folder), times=1)
    print(f"{'':34}{len(directory.members):,} memberships")
    of_the_rules(live, size, directory)
    of_the_plan(live, size, directory)


def whole_plan(folder: Path) -> None:
    """The command as a user runs it, in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "rolecall",
        "-C",
        str(folder),
        "plan",
        "--snapshot",
        "live.json",
        "--format",
        "json",
    ]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    took = time.perf_counter() - start
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 2, 3):
        print(f"plan --snapshot left {done.returncode}: {done.stderr.decode()[-300:]}")
        return
    impact: dict[str, Any] = json.loads(done.stdout)["impact"]
    row("plan --snapshot, the whole command", took, spent.ru_utime + spent.ru_stime, 8.0)
    print(f"{'':34}{spent.ru_maxrss / 1024:.0f} MB peak, aim 400 MB")
    print(f"{'':34}{impact['headline']}")


def load(folder: Path) -> Directory:
    with (folder / "people.jsonl").open("rb") as stream:
        return decode_lines(iter(lambda: stream.read(BATCH), b""))


def of_the_rules(live: Live, size: Size, directory: Directory) -> None:
    """The evaluator by itself: the candidates, and everybody, who must come out the same."""
    after = decode_settings(snapshot(size) | {"idp_groups": wanted(size)})
    before, then = compile_change(live.settings, after, live.facts)
    timed("compile both states", lambda: compile_change(live.settings, after, live.facts))
    among = timed("candidates", lambda: everyone(candidates(before, then, directory)))
    few = timed("shifts among the candidates", lambda: shifts(before, then, directory, among))
    all_ = timed("shifts among everybody", lambda: shifts(before, then, directory), aim=3.0)
    assert few == all_, "working out everybody found something else"
    admins = timed("org admins", lambda: org_admins(then, directory))
    moved = sum(map(len, few.values()))
    print(f"{'':34}{len(among):,} candidates, {moved:,} move; {len(admins):,} org admins; everybody gives the same")


def of_the_plan(live: Live, size: Size, directory: Directory) -> None:
    """The impact as a plan has it: per person, per team, per change, with names; and its share of the steps' order."""
    plan_input = PlanInput(
        desired=Desired(decode_settings({"idp_groups": wanted(size)})),
        live=replace(live, facts=live.facts._replace(can=WRITES)),
        org=OrgRef("at-size", "org_at_size", "https://rolecall.example.com"),
        created_at=datetime(2026, 11, 22, 10, tzinfo=UTC),
        as_of=date(2026, 11, 22),
        directory=directory,
    )
    changes = make(plan_input).changes
    forecast = timed("impact: compile, candidates", lambda: forecast_access(plan_input.live, directory, changes))
    ordered = timed("order and transients", lambda: order(changes, forecast))
    timed(
        "impact: who, what, why",
        lambda: compute_impact(forecast, ordered.changes, ordered.risks, ordered.timeline),
        aim=0.3,
    )
    timed("the plan, people read", lambda: make(plan_input))


def timed(name: str, action: Callable[[], T], *, aim: float | None = None, times: int = 3) -> T:
    """The best of a few runs."""
    runs = []
    for _ in range(times):
        start, spent = time.perf_counter(), time.process_time()
        result = action()
        runs.append((time.perf_counter() - start, time.process_time() - spent))
    row(name, *min(runs), aim)
    return result


def row(name: str, took: float, spent: float, aim: float | None) -> None:
    against = "" if aim is None else f"aim {aim:g} s{'' if took < aim else ', MISSED'}"
    print(f"{name:34}{took:8.3f} s {spent:8.3f} s  {against}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
