"""Test `apply`: it writes nothing without an approval, exactly the plan with one, and its exit codes."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
from cli_repo import CONFIG, make_repo
from terminal import Terminal

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
ESCALATES = CONFIG.replace("role: member\n", "role: team_admin\n")


class Typed(io.StringIO):
    """A person at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    capsys.readouterr()
    return made


def left(repo: Path) -> int:
    """What is left to do, as the exit code of a plan."""
    return run(["plan", "--detailed-exitcode"])


def digest(capsys: Capture) -> str:
    capsys.readouterr()
    run(["plan", "--format", "json"])
    said: str = json.loads(capsys.readouterr().out)["digest"]
    return said


def test_auto_approve_applies_and_the_second_plan_is_empty(repo: Path, capsys: Capture) -> None:
    assert run(["apply", "--auto-approve"]) == Exit.OK
    shown = capsys.readouterr()
    assert "Done: 1 step (run 1)." in shown.out
    assert "1/1 update idp_groups/Marketing: done" in shown.err
    assert left(repo) == Exit.OK


HEEDS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""What runs behind a shell may have Ctrl-C ignored."""


def test_ctrl_c_at_the_prompt_is_heeded_at_once_and_nothing_is_written(repo: Path) -> None:
    program = f"{HEEDS}; from rolecall.cli.entry import main; main()"
    terminal = Terminal([sys.executable, "-c", program, "apply"], repo)
    try:
        terminal.expect("Enter yes: ")
        terminal.interrupt()
        terminal.expect("Interrupted. Nothing was written.", timeout=10)
        assert terminal.end() == Exit.INTERRUPTED
    except AssertionError:
        terminal.kill()
        raise
    assert "Traceback" not in terminal.seen
    assert left(repo) == Exit.CHANGES
    assert not (repo / ".rolecall" / "journal.db").exists()


def test_an_apply_with_nothing_to_do_needs_no_yes(repo: Path, capsys: Capture) -> None:
    run(["apply", "--auto-approve"])
    assert run(["apply", "--no-input"]) == Exit.OK
    assert "Nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("yes\n", Exit.OK),
        ("y\n", Exit.ERROR),
        ("", Exit.ERROR),
        ("y\nyes\n", Exit.OK),
        ("y\nn\n", Exit.ERROR),
        ("no\n", Exit.ERROR),
    ],
)
def test_at_the_prompt_only_a_whole_yes_is_one(
    repo: Path, typed: str, code: Exit, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("sys.stdin", Typed(typed))
    assert run(["apply"]) == code
    err = capsys.readouterr().err
    assert "Apply 1 change to tinyco (org_1)? Enter yes: " in err
    assert ("To approve, enter yes in full." in err) == typed.startswith("y\n")
    assert left(repo) == (Exit.OK if code is Exit.OK else Exit.CHANGES)


@pytest.mark.parametrize("args", [["--no-input"], []])
def test_where_nobody_can_be_asked_an_approval_has_to_be_given(
    repo: Path, args: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert run(["apply", *args]) == Exit.USAGE
    assert re.search(r"add --approve [0-9a-f-]{19}, or --auto-approve", capsys.readouterr().err)
    assert left(repo) == Exit.CHANGES


def test_a_digest_approves_the_very_plan(repo: Path, capsys: Capture) -> None:
    assert run(["apply", "--approve", digest(capsys)]) == Exit.OK
    assert left(repo) == Exit.OK


def test_a_wrong_digest_is_stale(repo: Path, capsys: Capture) -> None:
    assert run(["apply", "--approve", "0" * 16]) == Exit.STALE
    assert left(repo) == Exit.CHANGES


def test_a_review_is_not_answered_by_auto_approve(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(ESCALATES, encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED
    assert "requires approval: escalations" in capsys.readouterr().err
    assert left(repo) == Exit.CHANGES
    assert run(["apply", "--auto-approve", "--allow", "escalations=2"]) == Exit.OK


def test_a_saved_plan_is_applied_as_it_is(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    (repo / "rolecall.yaml").write_text(ESCALATES, encoding="utf-8")
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.OK
    assert run(["plan", "--format", "json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out.partition("(run 1).\n")[2])
    assert [field["path"] for field in told["changes"][0]["fields"]] == ["role"]


@pytest.mark.parametrize("flag", [["--allow", "max_removals=1"], ["--target", "sso"], ["--only", "expired"]])
def test_a_saved_plan_takes_nothing_that_would_change_it(repo: Path, flag: list[str]) -> None:
    run(["plan", "--out", "plan.json"])
    assert run(["apply", "plan.json", "--auto-approve", *flag]) == Exit.USAGE


def test_a_plan_that_no_longer_fits_is_stale(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    moved = json.loads((repo / "live.json").read_text(encoding="utf-8"))
    moved["idp_groups"]["Marketing"] = {"role": "team_admin", "teams": ["Marketing"]}
    (repo / "live.json").write_text(json.dumps(moved), encoding="utf-8")
    run(["local", "load", "live.json"])
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.STALE


def test_apply_and_snapshot_do_not_go_together(repo: Path) -> None:
    assert run(["apply", "--snapshot", "live.json", "--auto-approve"]) == Exit.USAGE


def test_a_block_is_refused_before_anybody_is_asked(repo: Path, capsys: Capture) -> None:
    text = CONFIG.replace("  Admins: {role: org_admin, teams: [Everyone]}\n", "  Admins: blank\n")
    (repo / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED
    assert "blocked by min_org_admins" in capsys.readouterr().err


def test_in_a_pipeline_the_default_journal_is_no_memory_but_a_rehearsal_may_go_on(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("ROLECALL_TOKEN_HOST", "127.0.0.1")
    monkeypatch.setenv("T", "x")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    remote = CONFIG.replace("url: local:org.db", "url: 'http://127.0.0.1:9', token: {env: T}")
    (repo / "rolecall.yaml").write_text(remote, encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.ERROR
    assert "lost with the runner" in capsys.readouterr().err


def test_an_unreachable_org_is_told_in_words(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("T", "tell-nobody")
    remote = CONFIG.replace("url: local:org.db", "url: 'http://127.0.0.1:9', token: {env: T}")
    (repo / "rolecall.yaml").write_text(remote, encoding="utf-8")
    assert run(["plan"]) == Exit.ERROR
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert "tell-nobody" not in shown.err + shown.out


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"by": ""}]', '[{"by": "a", "at": "soon"}]', "["])
def test_an_approval_file_that_is_none_is_refused(repo: Path, text: str, capsys: Capture) -> None:
    (repo / "yes.json").write_text(text, encoding="utf-8")
    assert run(["apply", "--auto-approve", "--approval", "yes.json"]) == Exit.ERROR
    assert "yes.json" in capsys.readouterr().err
    assert left(repo) == Exit.CHANGES


def test_on_an_observed_org_every_step_is_a_persons(repo: Path, capsys: Capture) -> None:
    observed = CONFIG.replace("local:org.db", "observed:live.json")
    (repo / "rolecall.yaml").write_text(observed, encoding="utf-8")
    assert run(["apply", "--approve", digest(capsys)]) == Exit.HUMAN
    told = capsys.readouterr().out
    assert "1 manual step:" in told
    assert "update idp_groups/Marketing" in told


def test_what_is_no_text_is_refused_or_shown_as_such(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert run(["plan", "--target", "idp_groups/\udcff", "--format", "json"]) == Exit.USAGE
    assert "is not UTF-8 text" in capsys.readouterr().err
    monkeypatch.setenv("ROLECALL_ACTOR", "b\udcf6")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert run(["history"]) == Exit.OK
    assert "b\ufffd" in capsys.readouterr().out
