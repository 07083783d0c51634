"""What one apply leaves for the guards of the next plan: another config's work, looser policies, what was protected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
BACK = CONFIG.replace("teams: [Brand]", "teams: [Marketing]")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    return made


def verdicts(capsys: Capture, *args: str) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    run(["plan", "--format", "json", *args])
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)["guards"]}


def test_an_address_that_another_config_applied_last_is_asked_about(repo: Path, capsys: Capture) -> None:
    assert run(["apply", "--auto-approve"]) == Exit.OK
    (repo / "rolecall.yaml").write_text(BACK, encoding="utf-8")
    assert verdicts(capsys)["foreign"]["verdict"] == "pass"
    (repo / "other.yaml").write_text(BACK, encoding="utf-8")
    said = verdicts(capsys, "-c", "other.yaml")["foreign"]
    assert said["verdict"] == "review"
    assert "rolecall.yaml" in said["message"]


def test_a_looser_policy_holds_from_the_next_plan_on(repo: Path, capsys: Capture) -> None:
    assert run(["apply", "--auto-approve"]) == Exit.OK
    loose = BACK.replace("block: 100%", "block: 100%}, require_self: false, escalations: {team_admin: allow").replace(
        "role: member\n", "role: team_admin\n"
    )
    (repo / "rolecall.yaml").write_text(loose, encoding="utf-8")
    said = verdicts(capsys)
    assert said["policy"]["verdict"] == "review"
    assert said["escalations"]["verdict"] == "review"


def test_what_was_protected_stays_so_until_an_apply_drops_it(repo: Path, capsys: Capture) -> None:
    protected = CONFIG.replace("owner: lead@tiny.co", "protect: true")
    (repo / "rolecall.yaml").write_text(protected, encoding="utf-8")
    assert run(["apply", "--auto-approve", "--allow", "protect=1"]) == Exit.OK
    (repo / "rolecall.yaml").write_text(BACK, encoding="utf-8")
    said = verdicts(capsys)["protect"]
    assert said["verdict"] == "block"
    assert "would lose Brand" in said["message"]
