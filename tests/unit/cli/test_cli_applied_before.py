"""Test a plan that was applied before, completely or partially, and a plan for another org."""

from __future__ import annotations

from pathlib import Path

import meddler
import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
TWO = CONFIG.replace("manage: {idp_groups: authoritative}\n", "").replace(
    "defaults: {role: member, teams: [Everyone]}", "defaults: {role: member, teams: [Brand]}"
)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_repo(tmp_path / "repo", TWO)
    monkeypatch.chdir(made)
    return made


def told(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    said = capsys.readouterr()
    return said.out + said.err


def test_a_plan_that_was_applied_names_the_run(repo: Path, capsys: Capture) -> None:
    told(capsys, "plan", "--out", "p.json")
    told(capsys, "apply", "p.json", "--auto-approve")
    text = told(capsys, "apply", "p.json", "--auto-approve")
    assert "Run 1 (" in text
    assert "already applied this plan" in text
    assert "affects" not in text
    assert "already has the planned value" not in text
    assert "Nothing to do (run 2)." in text
    assert "Plan: " not in text


def test_a_plan_that_was_applied_needs_no_approval_and_is_not_shown_again(repo: Path, capsys: Capture) -> None:
    told(capsys, "plan", "--out", "p.json")
    told(capsys, "apply", "p.json", "--auto-approve")
    text = told(capsys, "apply", "p.json", "--metrics-file", "m.txt")
    assert text.startswith("Run 1 (")
    assert text.endswith("already applied this plan\n")
    assert len(text.splitlines()) == 1
    assert "rolecall_last_attempt_failed{" not in text
    assert "Run 2" not in told(capsys, "history")


def test_a_plan_that_was_applied_and_changed_since_is_shown_again(repo: Path, capsys: Capture) -> None:
    told(capsys, "plan", "--out", "p.json")
    told(capsys, "apply", "p.json", "--auto-approve")
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Marketing"]})
    text = told(capsys, "apply", "p.json", code=Exit.USAGE)
    assert "Plan: " in text
    assert "already applied" not in text


def test_a_plan_that_is_applied_does_not_suggest_to_apply_it(repo: Path, capsys: Capture) -> None:
    digest = told(capsys, "plan", "--out", "p.json").rpartition("--approve ")[2].split()[0]
    text = told(capsys, "apply", "p.json", code=Exit.USAGE)
    assert "Plan: " in text
    assert "Next\n" not in text
    assert f"add --approve {digest}, or --auto-approve" in text
    assert "Next\n" not in told(capsys, "apply", "--auto-approve")


def test_a_plan_that_was_applied_in_part_names_the_run_and_the_changes(repo: Path, capsys: Capture) -> None:
    told(capsys, "plan", "--out", "p.json")
    told(capsys, "apply", "--target", "idp_groups/Marketing", "--auto-approve")
    text = told(capsys, "apply", "p.json", "--auto-approve")
    assert "applied 1 of the 2 changes of this plan: idp_groups/Marketing" in text
    assert "affects" not in text
    assert "Done: 1 step (run 2)." in text


def test_what_somebody_else_did_is_no_runs(repo: Path, capsys: Capture) -> None:
    told(capsys, "plan", "--out", "p.json")
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", {"role": "member", "teams": ["Brand"]})
    text = told(capsys, "apply", "p.json", "--auto-approve")
    assert "idp_groups/Marketing already has the planned value" in text
    assert "Run 1 (" not in text


def test_users_who_joined_between_two_applies_are_counted(repo: Path, capsys: Capture) -> None:
    told(capsys, "plan", "--out", "p.json")
    told(capsys, "apply", "--target", "idp_groups/Marketing", "--auto-approve")
    with meddler.idp(repo / "org.db") as idp:
        idp.joins("ev@tiny.co", "Marketing")
    text = told(capsys, "apply", "p.json", "--auto-approve")
    assert "The plan now affects 1 user more" in text


@pytest.mark.parametrize("env", [None, "prod"])
def test_a_plan_of_another_org_names_both_before_anything_else(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, env: str | None
) -> None:
    told(capsys, "plan", "--out", "p.json")
    other = make_repo(
        tmp_path / "other",
        TWO.replace("tinyco", "northwind"),
        {**SNAPSHOT, "org": {"id": "org_2", "name": "northwind"}},
    )
    monkeypatch.chdir(other)
    (other / "env").mkdir()
    (other / "env" / "prod.yaml").write_text("defaults: {teams: [Everyone]}\n", encoding="utf-8") if env else None
    command = [*(("-e", env) if env else ()), "apply", str(repo / "p.json"), "--auto-approve"]
    text = told(capsys, *command, code=Exit.STALE)
    assert "the plan is for tinyco (org_1); this configuration is for northwind (org_2)" in text
    assert "environment" not in text
    assert "idp_groups" not in text
