"""The recipe for cron, run as cron runs it: mail only when there is something to say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pipeline_site import ROOT

_MAIL = """#!/bin/sh
printf '%s\\n' "$@" >"$MAILED.args"
cat >"$MAILED"
"""
_ROLECALL = """#!/bin/sh
echo "$@"
exit "$LEAVE"
"""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A config under git, and stand-ins for `mail` and for what rolecall leaves with."""
    for name, text in (("mail", _MAIL), ("rolecall", _ROLECALL)):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    origin, clone = tmp_path / "origin", tmp_path / "access"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@acme.com"]
    subprocess.run([*git, "init", "-q", str(origin)], check=True)
    subprocess.run([*git, "-C", str(origin), "commit", "-q", "--allow-empty", "-m", "start"], check=True)
    subprocess.run([*git, "clone", "-q", str(origin), str(clone)], check=True)
    return tmp_path


def look(bench: Path, leave: int, *args: str) -> tuple[int, str | None, str]:
    """Exit code, subject of the mail or None, and its text."""
    mailed = bench / "mail.txt"
    environ = {
        "PATH": f"{bench / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "MAILTO": "it@acme.com",
        "MAILED": str(mailed),
        "LEAVE": str(leave),
        "TMPDIR": str(bench),
    }
    command = [str(ROOT / "pipelines/cron/rolecall-drift"), str(bench / "access"), *args]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    if not mailed.exists():
        return ended.returncode, None, ""
    args_file = bench / "mail.txt.args"
    flag, subject, to = args_file.read_text(encoding="utf-8").splitlines()
    assert (flag, to) == ("-s", "it@acme.com")
    return ended.returncode, subject, mailed.read_text(encoding="utf-8")


def test_nothing_drifted_nothing_said(bench: Path) -> None:
    assert look(bench, 0, "prod") == (0, None, "")


@pytest.mark.parametrize(
    ("leave", "subject"),
    [
        (2, "rolecall prod: drift"),
        (3, "rolecall prod: a standing limit or an access test does not hold"),
        (7, "rolecall prod: not all could be seen"),
        (1, "rolecall prod: could not look (exit code 1)"),
    ],
)
def test_each_thing_to_say_has_a_subject(bench: Path, leave: int, subject: str) -> None:
    code, said, text = look(bench, leave, "prod")
    assert (code, said) == (0, subject)
    assert text == "drift --env prod --detailed-exitcode --no-color --log-format json\n"


def test_a_config_without_overlays_needs_no_name(bench: Path) -> None:
    _, said, text = look(bench, 2)
    assert said == "rolecall org: drift"
    assert "--env" not in text


def test_the_flags_are_those_that_drift_has(bench: Path) -> None:
    _, _, text = look(bench, 2, "prod")
    helped = subprocess.run([sys.executable, "-m", "rolecall", "drift", "--help"], capture_output=True, text=True)
    assert all(flag in helped.stdout for flag in text.split() if flag.startswith("--"))
