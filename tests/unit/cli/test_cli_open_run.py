"""Test manual steps that a run already has: no other run repeats them, and plans and lists of runs name the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_repo import CONFIG, SNAPSHOT

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import open_journal

Capture = pytest.CaptureFixture[str]
BASE = CONFIG.replace("manage: {idp_groups: authoritative}\n", "").replace("local:org.db", "observed:org.json")
TWO = BASE.replace("defaults: {role: member, teams: [Everyone]}", "defaults: {role: member, teams: [Brand]}")
OPEN = "Run 1 already has these manual steps: rolecall runbook 1"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An observed org and a configuration with two changes: the default teams, and the mapping of Marketing."""
    folder = tmp_path / "observed"
    folder.mkdir()
    monkeypatch.chdir(folder)
    observe()
    configure(TWO)
    return folder


def observe(**sections: object) -> None:
    Path("org.json").write_text(json.dumps({**SNAPSHOT, **sections}), encoding="utf-8")


def configure(text: str) -> None:
    Path("rolecall.yaml").write_text(text, encoding="utf-8")


def output(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def runs(capsys: Capture) -> list[str]:
    """The list of runs, newest first, without their times."""
    return [line.split(maxsplit=3)[3] for line in output(capsys, "history").splitlines()]


@pytest.mark.parametrize("flags", [["--auto-approve"], []])
def test_a_second_apply_opens_no_run(repo: Path, capsys: Capture, flags: list[str]) -> None:
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    text = output(capsys, "apply", *flags, code=Exit.HUMAN)
    assert f"\n{OPEN}\n" in text
    assert len(runs(capsys)) == 1


@pytest.mark.parametrize("flags", [["--auto-approve"], []])
def test_nor_does_one_of_the_saved_plan(repo: Path, capsys: Capture, flags: list[str]) -> None:
    output(capsys, "plan", "--out", "p.json")
    output(capsys, "apply", "p.json", "--auto-approve", code=Exit.HUMAN)
    assert output(capsys, "apply", "p.json", *flags, code=Exit.HUMAN) == f"{OPEN}\n"
    assert len(runs(capsys)) == 1


def test_a_plan_names_the_run_and_keeps_its_digest(repo: Path, capsys: Capture) -> None:
    first = json.loads(output(capsys, "plan", "--format", "json"))
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    second = json.loads(output(capsys, "plan", "--format", "json"))
    assert ("open_run" in first, second["open_run"]) == (False, 1)
    assert first["digest"] == second["digest"]
    text = output(capsys, "plan")
    assert f"Next\n  {OPEN}\n  When all of them are done: rolecall done 1 all\n" in text
    assert "record the manual steps" not in text
    assert "runbook RUN" not in text


def test_other_steps_are_a_new_run(repo: Path, capsys: Capture) -> None:
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    configure(TWO.replace("teams: [Brand]\n    owner", "teams: [Brand, Everyone]\n    owner"))
    assert "Run 1" not in output(capsys, "plan")
    assert "(run 2)" in output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    configure(TWO)
    assert "(run 3)" in output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)


def test_fewer_steps_are_a_new_run_unless_the_org_has_the_value_of_the_others(repo: Path, capsys: Capture) -> None:
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    configure(BASE)
    assert "Run 1" not in output(capsys, "plan")
    configure(TWO)
    observe(defaults={"role": "member", "teams": ["Brand"]})
    assert OPEN in output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    assert len(runs(capsys)) == 1


def test_a_step_from_another_value_is_a_new_run(repo: Path, capsys: Capture) -> None:
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    observe(defaults={"role": "member", "teams": ["Marketing"]})
    assert "(run 2)" in output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)


def test_a_limited_plan_finds_its_steps_among_others(repo: Path, capsys: Capture) -> None:
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    assert OPEN in output(capsys, "apply", "--target", "defaults", "--auto-approve", code=Exit.HUMAN)
    assert len(runs(capsys)) == 1


def test_a_change_of_the_policy_is_recorded_without_the_steps(repo: Path, capsys: Capture) -> None:
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    configure(TWO.replace("review: 10", "review: 5"))
    text = output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    assert OPEN in text
    assert "Nothing to do (run 2)." in text
    assert OPEN in output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    assert len(runs(capsys)) == 2


def test_what_matches_by_now_is_remembered(repo: Path, capsys: Capture) -> None:
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    configure(TWO + "sso: {name: Okta}\n")
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    with open_journal("sqlite:.rolecall/journal.db", repo) as journal:
        assert {record.address: record.run for record in journal.records("org_1")}["sso"] == 1
    assert "Journal verified" in output(capsys, "history", "--verify")


def test_the_list_of_runs_counts_what_is_done(repo: Path, capsys: Capture) -> None:
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    assert runs(capsys)[0].startswith("apply     steps open   0 of 2 changes done, 2 open")
    for command in ("history", "show"):
        text = output(capsys, command, "1")
        assert "outcome:      0 of 2 changes done, 2 open\n" in text
        assert "For instructions for the manual steps: rolecall runbook 1\n" in text
        assert "When all of them are done: rolecall done 1 all\n" in text
    assert json.loads(output(capsys, "history", "--format", "json"))["runs"][0]["outcome"] == "done"
    output(capsys, "done", "1", "1", code=Exit.HUMAN)
    assert runs(capsys)[0].startswith("apply     steps open   1 of 2 changes done, 1 open")
    assert OPEN in output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    output(capsys, "done", "1", "all")
    assert runs(capsys)[0].startswith("apply     done         2 of 2 steps")


@pytest.mark.parametrize("flags", [["--auto-approve"], []])
def test_a_plan_whose_steps_are_done_names_the_run(repo: Path, capsys: Capture, flags: list[str]) -> None:
    output(capsys, "plan", "--out", "p.json")
    output(capsys, "apply", "p.json", "--auto-approve", code=Exit.HUMAN)
    output(capsys, "done", "1", "all")
    text = output(capsys, "apply", "p.json", *flags)
    assert text.startswith("Run 1 (")
    assert "already applied this plan\n" in text
    assert "affects" not in text


def test_a_plan_whose_steps_are_done_in_part_names_them(repo: Path, capsys: Capture) -> None:
    output(capsys, "plan", "--out", "p.json")
    output(capsys, "apply", "p.json", "--auto-approve", code=Exit.HUMAN)
    output(capsys, "done", "1", "1", code=Exit.HUMAN)
    text = output(capsys, "apply", "p.json", "--auto-approve", code=Exit.HUMAN)
    assert "already applied 1 of the 2 changes of this plan: " in text
    assert OPEN in text
    assert "affects" not in text
