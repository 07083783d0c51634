"""Test a plan made with another policy or another clock: the local configuration checks it too."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
LAX = CONFIG.replace("    role: member\n    teams: [Brand]", "    role: org_admin\n    teams: [Brand]").replace(
    "guards: {", "guards: {escalations: {team_admin: allow, org_admin: allow, custom: allow}, require_self: false, "
)
RULES = {
    "a guard": "escalations: {org_admin: deny}, ",
    "a review": "escalations: {org_admin: review}, ",
    "an approval": "approval: other_person, ",
}


@pytest.fixture
def lax(tmp_path: Path) -> Path:
    """Where somebody made a plan with a policy of their own."""
    return make_repo(tmp_path / "lax", LAX)


def planned(lax: Path, capsys: Capture) -> Path:
    assert run(["-C", str(lax), "plan", "--out", "plan.json"]) == Exit.OK
    capsys.readouterr()
    return lax / "plan.json"


def strict(lax: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The repository in which the plan is applied: the same org, another policy, nothing applied yet."""
    made = tmp_path / "strict"
    shutil.copytree(lax, made)
    shutil.rmtree(made / ".rolecall", ignore_errors=True)
    (made / "rolecall.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(made)


def org_admins(capsys: Capture) -> set[str]:
    capsys.readouterr()
    assert run(["access", "--role", "org_admin", "--format", "json"]) == Exit.OK
    return {row["email"] for row in json.loads(capsys.readouterr().out)["people"]}


@pytest.mark.parametrize("rule", RULES)
def test_a_lax_plan_does_not_pass_a_strict_configuration(
    lax: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, rule: str
) -> None:
    plan = planned(lax, capsys)
    base = LAX.replace("escalations: {team_admin: allow, org_admin: allow, custom: allow}, ", "")
    strict(lax, tmp_path, monkeypatch, base.replace("guards: {", f"guards: {{{RULES[rule]}"))
    before = org_admins(capsys)
    assert run(["apply", str(plan), "--auto-approve"]) == Exit.STALE
    told = capsys.readouterr().err
    assert "the policy of this configuration is stricter than that of the plan" in told
    assert org_admins(capsys) == before


def test_an_access_test_of_the_configuration_counts(
    lax: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    plan = planned(lax, capsys)
    tests = "access_tests:\n  - {name: marketing, person: {groups: [Marketing]}, never: [org_admin]}\n"
    strict(lax, tmp_path, monkeypatch, LAX + tests)
    assert run(["apply", str(plan), "--auto-approve"]) == Exit.STALE
    assert "marketing" in capsys.readouterr().err


def test_an_entry_that_is_protected_here_is_not_weakened(
    lax: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    text = LAX.replace("role: org_admin\n    teams: [Brand]", "role: member\n    teams: [Brand]")
    (lax / "rolecall.yaml").write_text(text, encoding="utf-8")
    plan = planned(lax, capsys)
    protected = LAX.replace(
        "role: org_admin\n    teams: [Brand]", "role: member\n    teams: [Marketing]\n    protect: true"
    )
    strict(lax, tmp_path, monkeypatch, protected)
    assert run(["apply", str(plan), "--auto-approve"]) == Exit.STALE
    assert "guard protect now blocks" in capsys.readouterr().err


def test_the_same_policy_or_a_looser_one_changes_nothing(
    lax: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    plan = planned(lax, capsys)
    strict(
        lax,
        tmp_path,
        monkeypatch,
        LAX.replace("max_people_losing_access: {review: 10", "max_people_losing_access: {review: 20"),
    )
    assert run(["apply", str(plan), "--auto-approve"]) == Exit.OK


@pytest.mark.parametrize(("minutes", "code"), [(4, Exit.OK), (6, Exit.STALE), (60 * 24 * 365, Exit.STALE)])
def test_a_plan_from_the_future_is_refused(
    lax: Path, capsys: Capture, minutes: int, code: Exit, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("rolecall.cli.planning.now", lambda: later)
    plan = planned(lax, capsys)
    made: dict[str, Any] = json.loads(plan.read_text(encoding="utf-8"))
    assert datetime.fromisoformat(made["created_at"]) == later
    monkeypatch.undo()
    assert run(["-C", str(lax), "apply", "plan.json", "--auto-approve"]) == code
    if code is Exit.STALE:
        assert "which is in the future" in capsys.readouterr().err
