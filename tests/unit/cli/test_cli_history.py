"""Test `history` and `show RUN`: what is recorded, and that it was not changed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from cli_repo import CONFIG, copy_example, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    run(["apply", "--auto-approve"])
    (made / "rolecall.yaml").write_text(CONFIG.replace("[Brand]", "[Marketing]"), encoding="utf-8")
    run(["apply", "--auto-approve"])
    capsys.readouterr()
    return made


def test_looking_makes_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(make_repo(tmp_path / "fresh"))
    capsys.readouterr()
    assert run(["history"]) == Exit.OK
    assert run(["history", "--verify"]) == Exit.OK
    assert capsys.readouterr().out == "No runs yet.\nNo runs yet.\n"
    assert not Path(".rolecall", "journal.db").exists()


def test_runs_are_listed_newest_first(repo: Path, capsys: Capture) -> None:
    assert run(["history"]) == Exit.OK
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == ["2", "1"]
    assert "done         1 of 1 step" in rows[0]
    run(["history", "--limit", "1"])
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_json_has_ids_times_and_outcomes(repo: Path, capsys: Capture) -> None:
    run(["history", "--format", "json"])
    first, second = json.loads(capsys.readouterr().out)["runs"]
    assert (first["id"], second["id"], first["outcome"]) == (2, 1, "done")
    assert first["started_at"] > second["started_at"]
    assert first["steps"][0]["address"] == "idp_groups/Marketing"
    assert first["approvals"][0]["source"] == "--auto-approve"


def test_one_run_in_full(repo: Path, capsys: Capture) -> None:
    assert run(["history", "1"]) == Exit.OK
    told = capsys.readouterr().out
    assert "Run 1: apply of tinyco (org_1)" in told
    assert "--auto-approve" in told
    assert "   1  update  idp_groups/Marketing  done" in told


def test_a_run_that_is_not_there(repo: Path, capsys: Capture) -> None:
    assert run(["history", "9"]) == Exit.USAGE
    assert run(["show", "9"]) == Exit.USAGE
    assert "no run 9" in capsys.readouterr().err


def test_show_tells_the_plan_of_a_run_and_what_came_of_it(repo: Path, capsys: Capture) -> None:
    assert run(["show", "1"]) == Exit.OK
    told = capsys.readouterr().out
    assert "teams: Marketing → Brand" in told
    assert "Run 1: apply" in told
    run(["show", "1", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["changes"][0]["after"]["teams"] == ["Brand"]


def test_a_file_of_that_name_is_a_plan(repo: Path, capsys: Capture) -> None:
    (repo / "1").write_text("{}", encoding="utf-8")
    assert run(["show", "1"]) == Exit.ERROR


def test_verify_finds_what_was_changed(repo: Path, capsys: Capture) -> None:
    assert run(["history", "--verify"]) == Exit.OK
    assert "no gaps, no changes since they were written." in capsys.readouterr().out
    with sqlite3.connect(repo / ".rolecall" / "journal.db") as database:
        database.execute("update rolecall_entries set body = replace(body, 'Marketing', 'Marketinx')")
    database.close()
    assert run(["history", "--verify"]) == Exit.ERROR
    assert "error: " in capsys.readouterr().err


def test_with_env_only_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(copy_example("acme", tmp_path / "acme"))
    run(["-e", "staging", "local", "load", "live/staging.json"])
    assert run(["-e", "staging", "apply", "--auto-approve"]) in (Exit.OK, Exit.HUMAN)
    capsys.readouterr()
    run(["-e", "staging", "history"])
    run(["-e", "prod", "history"])
    first, second = capsys.readouterr().out.splitlines()
    assert "acme-staging · staging" in first
    assert second == "No runs yet."
