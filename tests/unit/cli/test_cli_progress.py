"""Test progress on stderr as a bar, lines or JSON, and Ctrl-C during a run."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.apply.steps import Progress
from rolecall.cli.options import Invocation
from rolecall.cli.progress import progress
from rolecall.localorg.manage import Knobs, set_knobs
from rolecall.localorg.store import open_database
from rolecall.model.change import Change
from rolecall.model.settings import Address, GroupMapping

CHANGE = Change(Address("idp_groups/A\u202eB"), "create", None, GroupMapping("member", frozenset("T")))
STEPS = [Progress(1, 2, CHANGE, "done"), Progress(2, 2, CHANGE, "refused")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(call: Invocation, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with progress(call) as tell:
        for step in STEPS:
            tell(step)
    return stream.getvalue()


def test_a_pipe_gets_a_line_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(Invocation(), monkeypatch) == (
        "1/2 create idp_groups/A\\u202eB: done\n2/2 create idp_groups/A\\u202eB: refused\n"
    )


def test_quiet_tells_only_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(Invocation(verbosity=-1), monkeypatch) == "2/2 create idp_groups/A\\u202eB: refused\n"


def test_machines_get_json(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [json.loads(row) for row in told(Invocation(log_format="json"), monkeypatch).splitlines()]
    assert [(row["ended"], row["state"], row["level"]) for row in rows] == [
        (1, "done", "info"),
        (2, "refused", "error"),
    ]


def test_a_terminal_gets_a_bar_that_keeps_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    shown = told(Invocation(environ={"COLUMNS": "80", "TERM": "xterm-256color"}), monkeypatch, Terminal())
    assert "2/2" in shown
    assert "create idp_groups/A\\u202eB: refused" in shown


def many() -> tuple[str, dict[str, Any]]:
    names = [f"G{number:02}" for number in range(15)]
    rows = "".join(f"  {name}: {{role: member, teams: [Brand]}}\n" for name in names)
    live: dict[str, Any] = dict.fromkeys(names)
    snapshot = {**SNAPSHOT, "idp_groups": {**SNAPSHOT["idp_groups"], **live}}
    return CONFIG.replace("  Marketing:", f"{rows}  Marketing:"), snapshot


def test_ctrl_c_finishes_the_step_in_hand_and_the_next_run_goes_on(tmp_path: Path) -> None:
    config, snapshot = many()
    repo = make_repo(tmp_path / "repo", config, snapshot)
    database = open_database(str(repo / "org.db"))
    set_knobs(database, Knobs(latency_ms=80))
    database.close()
    line = [sys.executable, "-m", "rolecall", "-C", str(repo), "apply", "--auto-approve", "--parallelism", "1"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, **pipes, env={**os.environ, "PYTHONUNBUFFERED": "1"}) as running:
        assert running.stderr is not None
        assert ": done" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130, (out, err)
    assert "Stopping after the current step" in err
    assert "Traceback" not in err
    assert "To continue: rolecall apply" in out
    again = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    plan = [sys.executable, "-m", "rolecall", "-C", str(repo), "plan", "--detailed-exitcode"]
    assert subprocess.run(plan, capture_output=True, timeout=60, check=False).returncode == 0
