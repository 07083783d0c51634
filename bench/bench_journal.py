"""Time and memory of commands over a journal of many runs: `python bench/bench_journal.py --runs 100000`.

The journal is made without an org: each run has an approved step, its outcome, an access record and its end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rolecall.journal import chain, content
from rolecall.journal.chain import Draft, canonical
from rolecall.journal.database import migrate
from rolecall.journal.opened import _connect
from rolecall.model.kinds import address
from rolecall.model.run import Closing, Opening, PendingWrite, PlannedStep, RunFacts, StepOutcome
from rolecall.model.settings import GroupMapping
from rolecall.model.sighting import Holding, Sighting

ORG = "org_1"
START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 1000
CONFIG = 'version: 1\norg: {{name: acme, id: org_1, url: "local:org.db"}}\njournal: {{url: "sqlite:{}"}}\n'
COMMANDS = (
    ("history", "-e", "prod", "--verify"),
    ("history", "-e", "prod", "--limit", "5"),
    ("access", "-e", "prod", "--at", "2099-01-01"),
)
_MEASURE = (
    "import resource, sys\nfrom rolecall.cli.main import run\ncode = run(sys.argv[1:])\n"
    "sys.stderr.write(f'\\nRSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} {code}')\n"
)


def entries(run: int, holders: int) -> list[Draft]:
    """The entries of one run."""
    at = content.stamp(START + timedelta(minutes=run))
    group = address("idp_groups", f"Group {run % 500}")
    old, new = GroupMapping("member", frozenset({"A"})), GroupMapping("member", frozenset({"B", str(run)}))
    facts = RunFacts("acme", "prod", actor="ann", commit=f"{run:040x}", config="acme")
    step = PlannedStep(1, group, "update", "api", old, new)
    rows = tuple(Holding(f"user{i}@acme.com", f"u{i}", "org_admin", "IT", ("group:Admins",)) for i in range(holders))
    sighting = Sighting(START, rows, {"org_admin": holders}, {"IT": holders})
    return [
        Draft(run, 0, "begin", at, content.body(Opening(ORG, "apply", facts, "d", "", [step]))),
        Draft(run, 0, "plan", at, canonical({"format_version": "1.0", "text": "x" * 14000})),
        Draft(run, 1, "intent", at, content.body(PendingWrite(1, group, "update", f"k/{run}", "7", old, new))),
        Draft(run, 1, "ended", at, content.body(StepOutcome(1, group, "done", new))),
        Draft(run, 0, "sighting", at, content.body(sighting)),
        Draft(run, 0, "close", at, content.body(Closing("done"))),
    ]


def build(folder: Path, runs: int, holders: int) -> None:
    """Make a journal of that many runs in a configuration's directory."""
    (folder / "rolecall.yaml").write_text(CONFIG.format("journal.db"))
    (folder / "env").mkdir()
    (folder / "env" / "prod.yaml").write_text("{}\n")
    database = _connect("sqlite:journal.db", folder)
    journal = migrate(database)
    for start in range(1, runs + 1, BATCH):
        with database.transaction():
            batch = range(start, min(start + BATCH, runs + 1))
            stamps = [(run, ORG, "apply", content.stamp(START + timedelta(minutes=run))) for run in batch]
            database.insert("INSERT INTO rolecall_runs (id, org_id, kind, started_at) VALUES (?, ?, ?, ?)", stamps)
            chain.append(database, journal, ORG, [draft for run in batch for draft in entries(run, holders)])
    database.close()


def main() -> None:
    """Build the journal, run each command, and print seconds and megabytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--holders", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder, options.runs, options.holders)
        print(f"{options.runs} runs, {(folder / 'journal.db').stat().st_size / 1e6:.0f} MB")
        for command in COMMANDS:
            began = time.perf_counter()
            line = [sys.executable, "-c", _MEASURE, "-C", str(folder), *command]
            done = subprocess.run(line, capture_output=True, text=True, check=False)
            _, rss, code = done.stderr.rsplit("\n", 1)[-1].split()
            seconds = time.perf_counter() - began
            print(f"{' '.join(command):45} exit {code}  {seconds:6.2f} s  {int(rss) / 1024:6.0f} MB")


if __name__ == "__main__":
    main()
