"""Test what `history --anchor` creates, compares and refuses."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
ANCHOR = "journal-anchor.json"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    return made


def again() -> None:
    Path("rolecall.yaml").write_text(CONFIG.replace("[Brand]", "[Marketing]"), encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.OK


def cut_off(number: int) -> None:
    with closing(sqlite3.connect(".rolecall/journal.db", isolation_level=None)) as database:
        database.execute("DELETE FROM rolecall_runs WHERE id = ?", (number,))
        first = database.execute("SELECT min(n) FROM rolecall_entries WHERE run = ?", (number,)).fetchone()
        database.execute("DELETE FROM rolecall_entries WHERE n >= ?", first)


def test_it_is_created_then_brought_up_to_date(repo: Path, capsys: Capture) -> None:
    assert run(["history", "--anchor", ANCHOR]) == Exit.OK
    assert "Created journal-anchor.json." in capsys.readouterr().out
    first = json.loads(Path(ANCHOR).read_text())
    again()
    assert run(["history", "--anchor", ANCHOR]) == Exit.OK
    assert "Updated journal-anchor.json." in capsys.readouterr().out
    second = json.loads(Path(ANCHOR).read_text())
    assert second["orgs"]["org_1"]["entries"] > first["orgs"]["org_1"]["entries"]


def test_a_cut_off_end_is_an_error_and_the_file_stays(repo: Path, capsys: Capture) -> None:
    again()
    assert run(["history", "--anchor", ANCHOR]) == Exit.OK
    before = Path(ANCHOR).read_text()
    cut_off(2)
    capsys.readouterr()
    assert run(["history", "--anchor", ANCHOR]) == Exit.ERROR
    assert "so the end is missing" in capsys.readouterr().err
    assert Path(ANCHOR).read_text() == before


def test_a_journal_that_is_gone_or_made_anew_is_an_error(repo: Path, capsys: Capture) -> None:
    assert run(["history", "--anchor", ANCHOR]) == Exit.OK
    Path(".rolecall/journal.db").unlink()
    assert run(["history", "--anchor", ANCHOR]) == Exit.ERROR
    assert "the journal does not exist, but the anchor has" in capsys.readouterr().err
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED
    capsys.readouterr()
    assert run(["plan", "--format", "json"]) == Exit.OK
    assert run(["apply", "--approve", json.loads(capsys.readouterr().out)["digest"]]) == Exit.OK
    assert run(["history", "--anchor", ANCHOR]) == Exit.ERROR
    assert "anchor" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"anchor": 2, "orgs": {}}', '{"anchor": 1, "orgs": {"o": 5}}'])
def test_a_file_that_is_no_anchor(repo: Path, capsys: Capture, text: str) -> None:
    Path(ANCHOR).write_text(text)
    assert run(["history", "--anchor", ANCHOR]) == Exit.ERROR
    assert "journal-anchor.json: is not a journal anchor" in capsys.readouterr().err
    assert Path(ANCHOR).read_text() == text


def test_that_of_a_commit_is_compared_with_and_nothing_is_written(repo: Path, capsys: Capture) -> None:
    again()
    assert run(["history", "--anchor", ANCHOR]) == Exit.OK
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], check=True)
    Path(ANCHOR).unlink()
    assert run(["history", "--anchor", "git:HEAD"]) == Exit.OK
    assert not Path(ANCHOR).exists()
    cut_off(2)
    capsys.readouterr()
    assert run(["history", "--anchor", "git:HEAD"]) == Exit.ERROR
    assert "so the end is missing" in capsys.readouterr().err
    assert run(["history", "--anchor", "git:nowhere"]) == Exit.ERROR
