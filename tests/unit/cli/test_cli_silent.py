"""Test what must not pass silently: no org admins, changes outside rolecall that a plan undoes, and who is recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import meddler
import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
SAME = CONFIG.replace("teams: [Brand]", "teams: [Marketing]")
NONE = {**SNAPSHOT, "people": [user for user in SNAPSHOT["people"] if "Admins" not in user["groups"]]}


def enter(folder: Path, monkeypatch: pytest.MonkeyPatch, config: str, snapshot: dict[str, Any] = SNAPSHOT) -> Path:
    made = make_repo(folder, config, snapshot)
    monkeypatch.chdir(made)
    return made


def output(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def warnings(capsys: Capture) -> dict[str, str]:
    """The messages of a plan's warnings, by code."""
    plan = json.loads(output(capsys, "plan", "--format", "json"))
    return {warning["code"]: warning["message"] for warning in plan["warnings"]}


def test_a_plan_without_changes_warns_of_no_org_admins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    enter(tmp_path / "repo", monkeypatch, SAME, NONE)
    text = output(capsys, "plan")
    assert "No changes." in text
    assert "  0 users are org admin; the minimum is 1\n" in text
    assert "Map a group with active users to org_admin" in text
    assert output(capsys, "plan", "--detailed-exitcode")


def test_it_warns_of_fewer_than_the_guard_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    enter(tmp_path / "repo", monkeypatch, SAME.replace("guards: {", "guards: {min_org_admins: 3, "))
    assert warnings(capsys)["no_org_admins"] == "2 users are org admin; the minimum is 3"
    enter(tmp_path / "other", monkeypatch, SAME.replace("guards: {", "guards: {min_org_admins: 2, "))
    assert "no_org_admins" not in warnings(capsys)


def test_org_admins_who_were_not_read_are_not_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    snapshot = {name: part for name, part in NONE.items() if name != "people"}
    enter(tmp_path / "repo", monkeypatch, SAME.replace("local:org.db", "observed:live.json"))
    Path("live.json").write_text(json.dumps(snapshot), encoding="utf-8")
    assert "no_org_admins" not in warnings(capsys)
    Path("live.json").write_text(json.dumps(NONE), encoding="utf-8")
    assert "no_org_admins" in warnings(capsys)


@pytest.fixture
def applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    folder = enter(tmp_path / "repo", monkeypatch, CONFIG)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    return folder


def test_a_plan_that_undoes_a_change_in_the_console_says_so(applied: Path, capsys: Capture) -> None:
    assert "overwrites" not in warnings(capsys)
    meddler.remap(applied / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Marketing"]})
    message = "this plan undoes changes that were made outside rolecall since run 1: idp_groups/Marketing"
    assert warnings(capsys)["overwrites"] == message
    text = output(capsys, "plan")
    assert "To see who made them: rolecall drift; to keep them: rolecall drift --accept" in text


def test_a_change_in_the_config_undoes_nothing(applied: Path, capsys: Capture) -> None:
    (applied / "rolecall.yaml").write_text(SAME, encoding="utf-8")
    assert "overwrites" not in warnings(capsys)


def test_a_change_in_both_is_one_that_is_undone(applied: Path, capsys: Capture) -> None:
    meddler.remap(applied / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Everyone"]})
    (applied / "rolecall.yaml").write_text(SAME, encoding="utf-8")
    assert "overwrites" in warnings(capsys)


def test_a_revert_and_a_rollback_are_meant_to_undo(applied: Path, capsys: Capture) -> None:
    meddler.remap(applied / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Marketing"]})
    output(capsys, "drift", "--revert", "--out", "revert.json")
    assert "undoes changes" not in output(capsys, "show", "revert.json")


def test_done_says_whom_it_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    enter(tmp_path / "repo", monkeypatch, CONFIG.replace("local:org.db", "observed:live.json"))
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    monkeypatch.setenv("ROLECALL_ACTOR", "shared-ci")
    text = output(capsys, "done", "1", "1")
    assert "Recorded as done by shared-ci. To record another user: --by EMAIL\n" in text
    assert json.loads(output(capsys, "history", "1", "--format", "json"))["runs"][0]["steps"][0]["by"] == "shared-ci"
    assert "Recorded as done by" not in output(capsys, "done", "1", "1", "--by", "ann@tiny.co", "--found", "blank")
