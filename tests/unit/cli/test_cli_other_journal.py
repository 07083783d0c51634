"""Test an org that was applied with another journal: its policy is unknown, so pipelines require approval."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import open_journal

Capture = pytest.CaptureFixture[str]
SAME = CONFIG
CHANGED = CONFIG.replace("teams: [Brand]", "teams: [Brand, Marketing]")
ENTRY = "{guard: %s, up_to: 99, reason: x, until: 2999-01-01}"
LAX = CONFIG.replace("guards: {", f"allow: [{ENTRY % 'unread'}, {ENTRY % 'policy'}]\nguards: {{")


@pytest.fixture
def applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """An org with one apply, recorded in the default journal."""
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    monkeypatch.setenv("ROLECALL_ACTOR", "ann")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    return made


def configure(folder: Path, text: str, journal: str = "sqlite:other.db") -> None:
    (folder / "rolecall.yaml").write_text(f"{text}journal: {{url: '{journal}'}}\n", encoding="utf-8")


def planned(capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    run(["plan", "--format", "json"])
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return made


def guard(plan: dict[str, Any], name: str) -> dict[str, Any]:
    return next(guard for guard in plan["guards"] if guard["name"] == name)


@pytest.mark.parametrize("config", [SAME, CHANGED, LAX])
def test_an_apply_requires_approval(applied: Path, capsys: Capture, config: str) -> None:
    first = open_journal("sqlite:.rolecall/journal.db", applied).id
    configure(applied, config)
    plan = planned(capsys)
    assert guard(plan, "policy")["verdict"] == "not judged"
    assert guard(plan, "unread")["verdict"] == "pass"
    (change,) = plan["policy_changes"]
    assert change == {
        "path": "journal",
        "before": first,
        "after": "a journal without a record of an apply to this org",
        "loosens": True,
    }
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED
    error = capsys.readouterr().err
    assert "this journal has no record" in error
    assert "override the guard with --allow" not in error
    assert run(["apply", "--auto-approve", "--allow", "policy=9", "--allow", "unread=9"]) == Exit.REFUSED
    assert run(["history"]) == Exit.OK
    assert run(["apply", "--approve", plan["digest"]]) == Exit.OK
    after = planned(capsys)
    assert guard(after, "policy")["verdict"] == "pass"
    assert after["policy_changes"] == []


def test_in_ci_a_digest_needs_a_person(applied: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(applied, CHANGED)
    digest = planned(capsys)["digest"]
    monkeypatch.setenv("CI", "true")
    assert run(["apply", "--approve", digest]) == Exit.REFUSED


def test_a_lost_journal_requires_approval(applied: Path, capsys: Capture) -> None:
    for file in (applied / ".rolecall").glob("journal.db*"):
        file.unlink()
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED


def test_a_saved_plan_made_with_another_journal_is_out_of_date(applied: Path, capsys: Capture) -> None:
    (applied / "rolecall.yaml").write_text(CHANGED, encoding="utf-8")
    assert run(["plan", "--out", "plan.json"]) == Exit.OK
    configure(applied, CHANGED)
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.STALE


def test_the_journal_of_the_earlier_applies_passes(applied: Path, capsys: Capture) -> None:
    configure(applied, CHANGED, "sqlite:.rolecall/journal.db")
    plan = planned(capsys)
    assert guard(plan, "policy")["verdict"] == "pass"
    assert plan["policy_changes"] == []
    assert run(["apply", "--auto-approve"]) == Exit.OK


def test_a_new_org_needs_no_approval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(make_repo(tmp_path / "repo"))
    plan = planned(capsys)
    assert (guard(plan, "policy")["verdict"], plan["policy_changes"]) == ("pass", [])
    assert run(["apply", "--auto-approve"]) == Exit.OK
