"""Test the program's frame: flags, variables, exit codes, and what it never shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from cli_repo import make_repo

from rolecall import __version__
from rolecall.cli import messages
from rolecall.cli.main import run
from rolecall.cli.options import Invocation
from rolecall.cli.program import COMMANDS, Command, LazyGroup, command, worst
from rolecall.errors import Blocked, Exit, OrgError, Problem, Stale

REPO = Path(__file__).resolve().parents[3]


class Probe:
    """A command planted into the program, which remembers how it was invoked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: BaseException | None = None) -> None:
        self.calls: list[Invocation] = []

        @command("version", "rolecall version")
        def probe(call: Invocation) -> None:
            """A probe."""
            self.calls.append(call)
            if error is not None:
                raise error

        monkeypatch.setattr(LazyGroup, "get_command", lambda *_: probe)


def test_no_command_at_all_is_a_usage_error_and_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == Exit.USAGE
    assert "Tools:" in capsys.readouterr().out


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["version", "--help"], ["--version"], ["version"]])
def test_asking_for_help_or_version_is_fine(args: list[str]) -> None:
    assert run(args) == Exit.OK


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    run(["--help"])
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for rows in COMMANDS.values() for name in rows)


@pytest.mark.parametrize("name", [name for rows in COMMANDS.values() for name in rows])
def test_every_command_has_the_help_the_table_says_and_an_example(name: str) -> None:
    found = LazyGroup().get_command(click.Context(LazyGroup()), name)
    summary = next(rows[name] for rows in COMMANDS.values() if name in rows)
    assert found is not None
    assert (found.help or "").partition("\n")[0] == summary
    members = list(found.commands.values()) if isinstance(found, click.Group) else [found]
    assert all(isinstance(member, Command) and member.examples for member in members)


@pytest.mark.parametrize(
    "args",
    [
        ["nope"],
        ["version", "--nope"],
        ["version", "extra"],
        ["--as-of", "soon", "version"],
        ["-C", "nowhere", "version"],
    ],
)
def test_usage_errors_leave_with_64(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(args) == Exit.USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "error: " in shown.err


def test_a_misspelt_command_gets_a_near_match(capsys: pytest.CaptureFixture[str]) -> None:
    run(["verison"])
    assert "did you mean `version`?" in capsys.readouterr().err


@pytest.mark.parametrize("before", [True, False])
def test_global_flags_stand_before_or_after_the_command(before: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe(monkeypatch)
    flags = ["-c", "x.yaml", "-e", "prod", "--as-of", "2026-12-01", "-vv", "-q", "--no-color", "--no-input"]
    assert run([*flags, "version"] if before else ["version", *flags]) == Exit.OK
    (call,) = probe.calls
    assert (call.config, call.env, str(call.as_of)) == (Path("x.yaml"), "prod", "2026-12-01")
    assert (call.verbosity, call.color, call.interactive) == (1, False, False)


def test_a_flag_after_the_command_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe(monkeypatch)
    run(["-e", "staging", "version", "-e", "prod"])
    assert probe.calls[0].env == "prod"


def test_flags_are_variables_too_and_the_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe(monkeypatch)
    monkeypatch.setenv("ROLECALL_ENV", "staging")
    monkeypatch.setenv("ROLECALL_AS_OF", "2026-12-01")
    run(["version"])
    run(["version", "-e", "prod"])
    assert [call.env for call in probe.calls] == ["staging", "prod"]
    assert str(probe.calls[0].as_of) == "2026-12-01"


@pytest.mark.parametrize("name", ["ALLOW", "APPROVE", "AUTO_APPROVE", "IGNORE", "PLAN_ALLOW", "APPLY_AUTO_APPROVE"])
def test_lifts_and_approvals_are_not_taken_from_variables(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"ROLECALL_{name}", "1")
    assert run(["version"]) == Exit.USAGE
    assert f"ROLECALL_{name} is set" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ROLECALL_ALLOW_EXEC", "ALLOW", "ROLECALL_PLAN_OUT"])
def test_other_variables_are_no_misuse(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert run(["version"]) == Exit.OK


def test_dash_c_goes_there_first_and_twice_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    Probe(monkeypatch)
    assert run(["-C", "a", "version", "-C", "b"]) == Exit.OK
    assert Path.cwd() == tmp_path / "a" / "b"


@pytest.mark.parametrize("value", ["true", "1", "yes"])
def test_ci_is_told_by_its_variable(value: str) -> None:
    assert Invocation(environ={"CI": value}).ci
    assert not Invocation(environ={"CI": ""}).ci
    assert not Invocation(environ={"CI": "false"}).ci


TWO = (Problem("one", "first thing"), Problem("two", "second thing", None, "do this"))


@pytest.mark.parametrize(("error", "code"), [(OrgError(*TWO), 1), (Blocked(*TWO), 3), (Stale(*TWO), 5)])
def test_errors_of_ours_show_all_problems_and_leave_with_their_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Probe(monkeypatch, error)
    assert run(["version"]) == code
    assert capsys.readouterr().err == "error: first thing\nerror: second thing; do this\n"


def test_errors_are_json_where_logs_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Probe(monkeypatch, OrgError(*TWO))
    run(["version", "--log-format", "json"])
    rows = [json.loads(row) for row in capsys.readouterr().err.splitlines()]
    assert [(row["level"], row["code"]) for row in rows] == [("error", "one"), ("error", "two")]


def test_a_group_of_our_errors_is_told_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = ExceptionGroup("inner", [Blocked(TWO[1])])
    Probe(monkeypatch, ExceptionGroup("outer", [OrgError(TWO[0]), inner]))
    assert run(["version"]) == Exit.REFUSED
    assert "first thing" in (shown := capsys.readouterr().err)
    assert "second thing" in shown


def test_a_group_with_a_bug_in_it_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    Probe(monkeypatch, ExceptionGroup("outer", [OrgError(TWO[0]), ValueError("x")]))
    with pytest.raises(ExceptionGroup):
        run(["version"])


def test_ctrl_c_leaves_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Probe(monkeypatch, KeyboardInterrupt())
    assert run(["version"]) == Exit.INTERRUPTED
    assert "Traceback" not in capsys.readouterr().err


INTERRUPTED_WHILE_LOADING = """\
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored for what runs behind

class Interrupts:
    def find_spec(self, name, *more):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
from rolecall.cli.entry import main
main()
"""


def test_ctrl_c_while_the_program_is_still_loading_leaves_with_130() -> None:
    line = [sys.executable, "-c", INTERRUPTED_WHILE_LOADING, "version"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (Exit.INTERRUPTED, "", "Interrupted.\n")


def test_what_the_system_refuses_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Probe(monkeypatch, PermissionError(13, "Permission denied", "plan.json"))
    assert run(["version"]) == Exit.ERROR
    assert capsys.readouterr().err == "error: plan.json: permission denied; check the owner and the permissions\n"


def test_a_bug_is_one_line_and_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("half \ud800 a secret")
    except ValueError as error:
        messages.on_bug(type(error), error, error.__traceback__)
    told = capsys.readouterr().err
    assert told.startswith("error: a bug in rolecall (ValueError)")
    assert told.count("\n") == 1
    log = Path(told.rsplit(": ", 1)[1].strip())
    assert "Traceback" in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0
    log.unlink()


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ((0, 2), 2),
        ((7, 2), 2),
        ((6, 7), 7),
        ((2, 3), 3),
        ((1, 3), 3),
        ((1, 2), 1),
        ((5, 3), 5),
        ((4, 5), 4),
        ((130, 4), 130),
        ((), 0),
    ],
)
def test_when_several_codes_hold_the_gravest_leaves(codes: tuple[int, ...], code: int) -> None:
    assert worst(*map(Exit, codes)) == code


def program(*args: str, **more: Any) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "rolecall", *args]
    return subprocess.run(line, text=True, stderr=subprocess.PIPE, timeout=60, check=False, **more)


def test_python_dash_m_is_the_same_program() -> None:
    assert program("version", stdout=subprocess.PIPE).stdout == f"rolecall {__version__}\n"


def test_a_full_disk_is_told_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = program("schema", stdout=full)
    assert (done.returncode, done.stderr) == (
        Exit.ERROR,
        "error: no space left on device; free some disk space and run the command again\n",
    )


@pytest.mark.parametrize("number", [1, 2])
def test_a_stream_that_is_closed_does_not_matter(number: int, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    line = ["sh", "-c", f'exec "$0" -m rolecall plan {number}>&-', sys.executable]
    done = subprocess.run(line, cwd=repo, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (Exit.OK, "")


def test_a_reader_that_leaves_gets_no_complaint() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        done = program("schema", stdout=gone)
    assert done.stderr == ""
    assert done.returncode == Exit.ERROR


def test_an_encoding_that_holds_nothing_does_not_matter() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = program("plänn", env=env, stdout=subprocess.PIPE)
    assert done.returncode == Exit.USAGE
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == Exit.OK
    assert "_ROLECALL_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["config", "plan", "snapshot"])
def test_schemas_are_printed_as_they_are(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--kind", kind]) == Exit.OK
    assert capsys.readouterr().out == (REPO / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8")
