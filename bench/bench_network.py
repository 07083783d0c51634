"""Over loopback HTTP, with nothing and with 20 ms added to each answer: plans, reading people, apply.

python bench/bench_network.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import at_size
import setting
from meter import Command, paired
from table import Result, markdown

from rolecall.codec.people import decode_people
from rolecall.codec.snapshot import decode_snapshot
from rolecall.localorg.load import load
from rolecall.localorg.manage import Knobs, make_token, set_knobs
from rolecall.localorg.store import open_database

HERE = Path(__file__).resolve().parent
PEOPLE, GROUPS, CHANGES, PARALLEL, DELAY = 100_000, 200, 1_000, 8, 20
LIMIT, OVER_LIMIT = 400, 450
"""Requests a minute, and changes that do not fit into one."""


class Org(NamedTuple):
    """A served local org and a token for it."""

    database: Path
    url: str
    token: str

    def knobs(self, **said: int) -> None:
        with_database = open_database(self.database)
        set_knobs(with_database, Knobs(**said))
        with_database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the run that takes more than a minute")
    quick = parser.parse_args().quick
    program = str(setting.ours())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        results = [*_plans(program, folder / "plans"), *_people(folder), *_applies(folder / "apply")]
        if not quick:
            results += _within_the_limit(folder / "limit")
    print(markdown("Over loopback HTTP", results, "Reading people and apply: medians of 3, in a process of their own."))


@contextmanager
def _served(folder: Path, snapshot: dict[str, Any], rows: Any = ()) -> Iterator[Org]:
    folder.mkdir(parents=True, exist_ok=True)
    live = decode_snapshot(snapshot).live
    database = open_database(folder / "org.db")
    load(database, live, decode_people(rows, live.facts.groups))
    token = make_token(database, "admin").secret
    database.close()
    command = [sys.executable, "-m", "rolecall", "local", "serve", "--port", "0", "--database", str(folder / "org.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    try:
        url = next(line.split()[-1] for line in process.stdout if "admin API: " in line)
        yield Org(folder / "org.db", url, token)
    finally:
        process.terminate()
        process.wait(30)


def _client(*words: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, HERE / "client.py", *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _plans(program: str, folder: Path) -> Iterator[Result]:
    for count in (1_000, 10_000):
        with _served(folder / str(count), at_size.snapshot(count)) as org:
            at_size.rolecall(folder / str(count), count, url=org.url)
            command = Command((program, "plan"), folder / str(count), {"ROLECALL_TOKEN": org.token})
            for delay in (0, DELAY):
                org.knobs(latency_ms=delay)
                (spent,) = paired(3, command)
                beside = f"CPU {spent.cpu:.2f} s, {spent.memory:.0f} MB"
                yield Result(f"`plan` of {count:,} mappings, {delay} ms added", spent.wall, "s", beside=beside)


@contextmanager
def _replayed(answers: Path) -> Iterator[str]:
    command = [sys.executable, HERE / "replay.py", str(answers), str(DELAY)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(30)


def _people(folder: Path) -> Iterator[Result]:
    rows = (
        {"email": f"person{n:06d}@acme.com", "groups": [f"Group-{(n * k) % GROUPS:06d}" for k in (1, 3)]}
        for n in range(PEOPLE)
    )
    answers, place = folder / "people.json", folder / "people"
    with _served(place, at_size.snapshot(GROUPS), rows) as org:
        org.knobs(page_limit=1000)
        _client("people", org.url, org.token, str(place), str(answers))
        org.knobs(latency_ms=DELAY)
        served = [_client("people", org.url, org.token, str(place)) for _ in range(3)]
    with _replayed(answers) as url:
        made = [_client("people", url, "none", str(place)) for _ in range(3)]
    for what, aim, runs in (("pages made beforehand", 1.2, made), ("`local serve`", 3.0, served)):
        yield _took(f"{PEOPLE:,} people from {what}, {DELAY} ms added", aim, runs)


def _took(what: str, aim: float, runs: list[dict[str, Any]]) -> Result:
    wall, cpu = (median(run[key] for run in runs) for key in ("wall", "cpu"))
    beside = f"{runs[0]['requests']:,} requests, {PARALLEL} side by side; the client's CPU {cpu:.2f} s"
    return Result(what, wall, "s", most=aim, beside=beside)


def _applies(folder: Path) -> Iterator[Result]:
    """The client against an org that costs next to nothing, and against the local org, which stores each write."""
    answers = folder / "answers.json"
    _applied(folder / "first", CHANGES, str(answers))
    served = [_applied(folder / str(number), CHANGES, latency_ms=DELAY) for number in range(3)]
    made = []
    for number in range(3):
        place = folder / f"replayed-{number}"
        with _replayed(answers) as url:
            at_size.rolecall(place, CHANGES, share=1, url=url)
            made.append(_client("apply", url, "none", str(place)))
    aim = round(1.3 * math.ceil(made[0]["requests"] / PARALLEL) * DELAY / 1000, 2)
    for what, runs in (("an org of answers made beforehand", made), ("`local serve`", served)):
        yield _took(f"apply of {CHANGES:,} changes to {what}, {DELAY} ms added", aim, runs)


def _within_the_limit(folder: Path) -> Iterator[Result]:
    run = _applied(folder, OVER_LIMIT, per_minute=LIMIT)
    beside = f"{run['refused']} refused; {run['requests']:,} requests in {run['wall']:.0f} s"
    yield Result(f"requests in the busiest minute, {LIMIT} allowed", run["busiest"], most=LIMIT, beside=beside)


def _applied(folder: Path, count: int, *answers: str, **knobs: int) -> dict[str, Any]:
    with _served(folder, at_size.snapshot(count)) as org:
        at_size.rolecall(folder, count, share=1, url=org.url)
        org.knobs(**knobs)
        return _client("apply", org.url, org.token, str(folder), *answers)


if __name__ == "__main__":
    main()
