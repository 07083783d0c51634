"""Test a journal with older records of the org than another one: it lacks the policy of the last apply."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import open_journal

Capture = pytest.CaptureFixture[str]
LAX = CONFIG
STRICT = CONFIG.replace("guards: {", "guards: {approval: other_person, ").replace("[Brand]", "[Brand, Marketing]")
CHANGED = CONFIG.replace("[Brand]", "[Marketing]")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    monkeypatch.setenv("ROLECALL_ACTOR", "ann")
    return made


def configure(folder: Path, text: str, journal: str) -> None:
    (folder / "rolecall.yaml").write_text(f"{text}journal: {{url: 'sqlite:{journal}'}}\n", encoding="utf-8")


def planned(capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    run(["plan", "--format", "json"])
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return made


def policy(plan: dict[str, Any]) -> dict[str, Any]:
    return next(guard for guard in plan["guards"] if guard["name"] == "policy")


def approve(capsys: Capture) -> int:
    return run(["apply", "--approve", planned(capsys)["digest"]])


@pytest.fixture
def two(folder: Path, capsys: Capture) -> Path:
    """An org to which old.db applied first, and new.db, with a stricter policy, after it."""
    configure(folder, LAX, "old.db")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    configure(folder, CHANGED, "new.db")
    assert approve(capsys) == Exit.OK
    return folder


@pytest.mark.parametrize("config", [LAX, CHANGED])
def test_a_change_to_an_older_journal_is_a_policy_change_and_requires_approval(
    two: Path, capsys: Capture, config: str
) -> None:
    last = open_journal("sqlite:new.db", two).id
    configure(two, config, "old.db")
    plan = planned(capsys)
    assert policy(plan)["verdict"] == "not judged"
    (change,) = plan["policy_changes"]
    assert change == {"path": "journal", "before": last, "after": "a journal without its run 1", "loosens": True}
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED
    assert "no record of run 1 (" in (said := capsys.readouterr().err)
    assert last in said
    assert run(["apply", "--auto-approve", "--allow", "policy=9"]) == Exit.REFUSED
    assert approve(capsys) == Exit.OK
    after = planned(capsys)
    assert (policy(after)["verdict"], after["policy_changes"]) == ("pass", [])
    assert run(["apply", "--auto-approve"]) == Exit.OK


def test_the_journal_of_the_last_apply_passes(two: Path, capsys: Capture) -> None:
    configure(two, LAX, "new.db")
    plan = planned(capsys)
    assert (policy(plan)["verdict"], plan["policy_changes"]) == ("pass", [])


def test_a_journal_restored_from_an_older_backup(folder: Path, capsys: Capture) -> None:
    configure(folder, LAX, "j.db")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    shutil.copy("j.db", "backup.db")
    configure(folder, CHANGED, "j.db")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    shutil.copy("backup.db", "j.db")
    plan = planned(capsys)
    assert policy(plan)["verdict"] == "not judged"
    assert "restored from an older backup" in policy(plan)["details"][0]["text"]
    assert approve(capsys) == Exit.OK
    assert policy(planned(capsys))["verdict"] == "pass"
    configure(folder, LAX, "j.db")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert policy(planned(capsys))["verdict"] == "pass"


def test_a_pruned_run_is_one_of_the_journal(folder: Path, capsys: Capture) -> None:
    configure(folder, LAX, "j.db")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert run(["apply", "--auto-approve"]) == Exit.OK, "a run without a write, so that the first may be pruned"
    with open_journal("sqlite:j.db", folder) as journal:
        (org,) = journal.orgs()
        journal.keep(org, "audit.entry", None)
        assert journal.prune(org, journal.runs(org, 1)[0].started_at) == 1
    assert policy(planned(capsys))["verdict"] == "pass"
