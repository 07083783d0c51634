"""Test manual steps that a newer run superseded: `done` does not restore the value of an older run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
OBSERVED = CONFIG.replace("local:org.db", "observed:live.json").replace(
    "defaults: {role: member, teams: [Everyone]}", "defaults: {role: member, teams: [Everyone, Brand]}"
)


def output(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    shown = capsys.readouterr()
    return shown.out + shown.err


def configure(folder: Path, team: str) -> None:
    """Map Marketing to another team."""
    (folder / "rolecall.yaml").write_text(OBSERVED.replace("teams: [Brand]", f"teams: [{team}]"), encoding="utf-8")


def teams(folder: Path) -> Any:
    return json.loads((folder / "live.json").read_text())["idp_groups"]["Marketing"]["teams"]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """An observed org: an open step of run 1 maps Marketing to Brand, and run 2 has mapped it to Everyone."""
    folder = make_repo(tmp_path / "repo", OBSERVED)
    monkeypatch.chdir(folder)
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    configure(folder, "Everyone")
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    output(capsys, "done", "2", "1", code=Exit.HUMAN)
    assert teams(folder) == ["Everyone"]
    return folder


@pytest.mark.parametrize("steps", [["all"], ["1"], ["2", "1"], ["1-2"]])
def test_a_superseded_step_is_not_reported_done(repo: Path, steps: list[str], capsys: Capture) -> None:
    before = (repo / "live.json").read_text()
    text = output(capsys, "done", "1", *steps, code=Exit.USAGE)
    assert "run 2 recorded another value of idp_groups/Marketing after step 1 of run 1" in text
    assert "if the console has an older value, report it: rolecall done 1 1 --found VALUE" in text
    assert (repo / "live.json").read_text() == before
    steps_json = json.loads(output(capsys, "history", "1", "--format", "json"))["runs"][0]["steps"]
    assert [step["state"] for step in steps_json] == ["human", "human"]


def test_the_other_steps_and_a_found_value_are_recorded(repo: Path, capsys: Capture) -> None:
    output(capsys, "done", "1", "2", code=Exit.HUMAN)
    assert teams(repo) == ["Everyone"]
    output(capsys, "done", "1", "1", "--found", "Member: Brand")
    assert teams(repo) == ["Brand"]


def test_a_step_that_was_reported_done_does_not_restore_its_value_with_evidence(repo: Path, capsys: Capture) -> None:
    (repo / "shot.png").write_bytes(b"a picture")
    output(capsys, "done", "1", "1", "--found", "Member: Everyone", code=Exit.HUMAN)
    text = output(capsys, "done", "1", "1", "--evidence", "shot.png", code=Exit.USAGE)
    assert "run 2 recorded another value of idp_groups/Marketing" in text
    assert teams(repo) == ["Everyone"]


def test_a_step_with_the_value_that_was_recorded_since_is_reported_done(repo: Path, capsys: Capture) -> None:
    configure(repo, "Brand")
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    output(capsys, "done", "1", "1", code=Exit.USAGE)
    output(capsys, "done", "3", "1", code=Exit.HUMAN)
    output(capsys, "done", "1", "1", code=Exit.HUMAN)
    assert teams(repo) == ["Brand"]


def test_a_newer_run_whose_step_is_open_supersedes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    folder = make_repo(tmp_path / "repo", OBSERVED)
    monkeypatch.chdir(folder)
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    configure(folder, "Everyone")
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    output(capsys, "done", "1", "all")
    assert teams(folder) == ["Brand"]


def test_a_value_that_another_one_was_reported_for_supersedes(repo: Path, capsys: Capture) -> None:
    configure(repo, "Brand")
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    output(capsys, "done", "3", "1", "--found", "Member: Marketing, Brand", code=Exit.HUMAN)
    assert "run 3 recorded another value" in output(capsys, "done", "1", "1", code=Exit.USAGE)
    assert teams(repo) == ["Brand", "Marketing"]


def test_a_value_that_a_newer_run_read_supersedes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    folder = make_repo(tmp_path / "repo", OBSERVED)
    monkeypatch.chdir(folder)
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    configure(folder, "Everyone")
    groups = {**SNAPSHOT["idp_groups"], "Marketing": {"role": "member", "teams": ["Everyone"]}}
    (folder / "live.json").write_text(json.dumps({**SNAPSHOT, "idp_groups": groups}), encoding="utf-8")
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    assert "run 2 recorded another value" in output(capsys, "done", "1", "all", code=Exit.USAGE)
    assert teams(folder) == ["Everyone"]
