"""Test that with `--log-format json` every line on stderr is an object with time, level, run and code."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo
from served_org import Server
from terminal import ROLECALL, Terminal

JSON = ("--log-format", "json")
KEYS = {"time", "level", "run", "code", "message"}


def objects(stderr: str) -> list[dict[str, Any]]:
    """Every line, parsed and held to what each of them has to say; all of one run."""
    rows = [json.loads(line) for line in stderr.splitlines()]
    for row in rows:
        assert set(row) >= KEYS
        assert all(row[key] for key in KEYS), row
        assert datetime.fromisoformat(row["time"]).tzinfo is not None
        assert row["level"] in ("debug", "info", "warning", "error")
    assert len({row["run"] for row in rows}) <= 1
    return rows


def rolecall(folder: Path, *words: str, **environ: str) -> tuple[int, list[dict[str, Any]], str]:
    """One run of the program as a process of its own: code, what it said on stderr, and its stdout."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("ROLECALL_")}
    done = subprocess.run(
        [*ROLECALL, *words], cwd=folder, env={**env, **environ}, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, objects(done.stderr), done.stdout


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "repo")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nope"], 64, ["usage"]),
        (["plan", "--nope"], 64, ["usage"]),
        (["plan", "--format", "nope"], 64, ["usage"]),
        (["-C", "nowhere", "plan"], 64, ["usage"]),
        (["local", "nope"], 64, ["usage"]),
        (["local", "token"], 64, ["usage"]),
        (["-c", "nope.yaml", "plan"], 1, None),
        (["show", "nope.json"], 1, None),
        (["-e", "nope", "plan"], 1, None),
        (["plan"], 0, []),
        (["apply", "--no-input"], 64, None),
        (["apply", "--approve", "0000"], 5, None),
        (["plan", "--out", "no/where/plan.json"], 1, ["system"]),
        (["local", "token", "--admin"], 0, ["token_made"]),
        (["snapshot", "--record", "--out", "kept.json"], 0, ["recorded"]),
        (["apply", "--auto-approve"], 0, ["step_ended"]),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_every_line_is_an_object(repo: Path, words: list[str], code: int, said: Sequence[str] | None) -> None:
    left, rows, _ = rolecall(repo, *JSON, *words)
    assert left == code, rows
    codes = [row["code"] for row in rows]
    assert codes == said if said is not None else len(codes) > 0


def test_a_usage_error_says_where_to_read_on(repo: Path) -> None:
    _, (row,), _ = rolecall(repo, "plan", "--nope", *JSON)
    assert row["hint"] == "for help: rolecall plan --help"
    assert "--nope" in row["message"]
    assert row["level"] == "error"


@pytest.mark.parametrize(
    ("words", "environ"), [(["--log-format=json"], {}), ([], {"ROLECALL_LOG_FORMAT": "json"})], ids=["=", "variable"]
)
def test_however_it_is_asked_for(repo: Path, words: list[str], environ: dict[str, str]) -> None:
    assert [row["code"] for row in rolecall(repo, *words, "nope", **environ)[1]] == ["usage"]


def test_the_command_line_wins_over_the_variable(repo: Path) -> None:
    env = {**os.environ, "ROLECALL_LOG_FORMAT": "json"}
    done = subprocess.run(
        [*ROLECALL, "--log-format", "text", "nope"], cwd=repo, env=env, capture_output=True, text=True, check=False
    )
    assert done.stderr.startswith("Usage: ")


def test_all_problems_of_a_config_carry_one_run(repo: Path) -> None:
    (repo / "rolecall.yaml").write_text(
        CONFIG.replace("member", "nobody").replace("owner", "ouner").replace("version: 1", "version: 1\nnope: 1"),
        encoding="utf-8",
    )
    code, rows, _ = rolecall(repo, *JSON, "plan")
    assert code == 1
    assert len(rows) > 1
    assert {row["file"] for row in rows} == {"rolecall.yaml"}
    assert all(row["line"] for row in rows)


def test_a_blocked_plan_and_a_broken_promise(repo: Path) -> None:
    text = CONFIG.replace("  Admins: {role: org_admin, teams: [Everyone]}\n", "")
    (repo / "rolecall.yaml").write_text(text, encoding="utf-8")
    code, rows, shown = rolecall(repo, *JSON, "apply", "--auto-approve")
    assert (code, bool(rows)) == (3, True)
    assert "BLOCK" in shown
    code, rows, _ = rolecall(repo, *JSON, "plan", "--assert", "no-access-change")
    assert (code, bool(rows)) == (3, True)


def test_requests_over_http_are_logged_alike(repo: Path) -> None:
    _, _, token = rolecall(repo, "local", "token", "--admin", *JSON)
    server = Server(str(repo / "org.db"))
    try:
        url = f"http://127.0.0.1:{server.port}, token: {{env: ROLECALL_TOKEN}}"
        (repo / "rolecall.yaml").write_text(CONFIG.replace("url: local:org.db", f"url: {url}"), encoding="utf-8")
        code, rows, _ = rolecall(repo, *JSON, "-vv", "plan", ROLECALL_TOKEN=token.strip())
        assert code == 0, rows
        assert "answered" in {row["code"] for row in rows}
        code, rows, _ = rolecall(repo, *JSON, "plan", ROLECALL_TOKEN="not-it")
        assert code == 1
        assert rows[-1]["level"] == "error"
        assert "not-it" not in json.dumps(rows)
    finally:
        server.stop()


def test_nobody_is_asked_on_a_terminal_either(repo: Path) -> None:
    terminal = Terminal([*ROLECALL, *JSON, "apply"], repo)
    assert terminal.end() == 64
    last = terminal.seen.strip().splitlines()[-1]
    assert objects(last)[0]["level"] == "error"


def test_ctrl_c(repo: Path) -> None:
    heeds = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"
    start = f"{heeds}; from rolecall.cli.entry import main; main()"
    program = subprocess.Popen(
        [sys.executable, "-c", start, *JSON, "local", "serve", "--port", "0"],
        cwd=repo,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert select.select([program.stdout], [], [], 30)[0]
    program.send_signal(signal.SIGINT)
    _, stderr = program.communicate(timeout=30)
    objects(stderr)


def test_ctrl_c_while_the_program_loads(repo: Path) -> None:
    interrupted = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, *more):\n"
        "        if name == 'rolecall.cli.commands.plan': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "sys.argv = ['rolecall', '--log-format', 'json', 'plan']\n"
        "from rolecall.cli.entry import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", interrupted], cwd=repo, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 130
    assert [row["code"] for row in objects(done.stderr)] == ["interrupted"]


def test_a_bug_too(repo: Path) -> None:
    broken = (
        "import sys\n"
        "import rolecall.cli.commands.version as it\n"
        "it.version.callback = lambda **options: 1 / 0\n"
        "sys.argv = ['rolecall', 'version', '--log-format', 'json']\n"
        "from rolecall.cli.entry import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken], cwd=repo, capture_output=True, text=True, timeout=60, check=False
    )
    (row,) = objects(done.stderr)
    assert row["code"] == "bug"
    assert "ZeroDivisionError" in row["message"]
    Path(row["message"].rpartition(" ")[2]).unlink()
