"""`docs/faults.md` says what is tried and how often; `docs/apply.md` has commands that do what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from fault_wire import ATTEMPTS, JOURNAL_FAULTS, WIRE_FAULTS
from faulty_proxy import FAULTS
from hypothesis import settings
from workbench import REQUESTS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "faults.md").read_text(encoding="utf-8")


def rows(section: str) -> list[list[str]]:
    part = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("| ")
    ]


def test_the_table_has_every_fault_of_the_proxy_and_how_often_it_is_tried() -> None:
    told = {name.strip("`"): cases for name, _, cases in rows("Over a socket, one request after the other")[1:]}
    assert told == dict.fromkeys(FAULTS, f"{REQUESTS} + 1")
    assert f"takes {REQUESTS} requests" in PAGE


def test_the_faults_on_the_wire_and_under_the_journal_are_named() -> None:
    part = PAGE.partition("On the wire: ")[2].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", part) == [*WIRE_FAULTS, *JOURNAL_FAULTS]


def test_the_numbers_of_random_plans_are_those_of_the_profiles() -> None:
    told = {
        row[0]: [int(cell.replace(",", "")) for cell in row[1:]] for row in rows("Random plans, random moments")[1:]
    }
    profiles = {"every run of the tests": "ci", "`script/soak` with its defaults": "soak"}
    for label, name in profiles.items():
        examples = settings.get_profile(name).max_examples // 2
        assert told[label] == [examples, examples * ATTEMPTS]
    (really,) = (row for label, row in told.items() if label.startswith("run for this page"))
    assert really[1] == really[0] * ATTEMPTS


def test_the_commands_of_the_page_on_apply_do_what_it_says(tmp_path: Path) -> None:
    walk = "\n".join(re.findall(r"^```sh\n(.*?)^```", (DOCS / "apply.md").read_text(), re.DOTALL | re.MULTILINE))
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ROLECALL_", "CI"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-c", f"set -eu\n{walk}"],
        cwd=tmp_path,
        env={**environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Done: 1 step (run 1)." in ran.stdout
    assert "the plan was edited after it was saved" in ran.stderr
    assert "Done: 1 step (run 2)." in ran.stdout
    assert ran.stdout.endswith("no gaps, no changes since they were written.\n")
