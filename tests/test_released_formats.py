"""Files written by released versions are still read: configuration, local org, journal, plans and snapshots."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parent / "fixtures" / "0.1.0"


class Copy:
    """A scratch copy of one folder of fixtures, in which rolecall is run as a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "rolecall", *arguments]
        process = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False
        )
        assert process.returncode == code, process.stdout + process.stderr
        return process.stdout

    def read(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--format", "json"))

    def snapshot(self) -> Any:
        self.run("snapshot", "--out", "now.json")
        return json.loads((self.folder / "now.json").read_text())

    def rewrite(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


@pytest.fixture
def local(tmp_path: Path) -> Copy:
    return Copy(Path(shutil.copytree(FIXTURES / "local", tmp_path / "local")))


@pytest.fixture
def observed(tmp_path: Path) -> Copy:
    return Copy(Path(shutil.copytree(FIXTURES / "observed", tmp_path / "observed")))


def addresses(plan: Any) -> set[str]:
    return {change["address"] for change in plan["changes"]}


def test_the_configuration_is_valid_and_planned_as_it_was(local: Copy) -> None:
    local.run("validate")
    plan = local.read("plan")
    assert addresses(plan) == {"idp_groups/Writer-Legal", "idp_groups/Writer-Later"}
    assert plan["summary"]["waiting"] == 1


def test_guards_keep_their_limits(local: Copy) -> None:
    limits = {guard["name"]: guard["limit"] for guard in local.read("plan")["guards"]}
    saved = json.loads((local.folder / "plan.json").read_text())
    expected = {guard["name"]: _now(guard["limit"]) for guard in saved["guards"]}
    assert {name: limits[name] for name in expected} == expected


def _now(limit: Any) -> Any:
    """Return a limit in the words of today, which calls people users."""
    return limit.replace("active people", "active users") if isinstance(limit, str) else limit


@pytest.mark.parametrize("name", ["applied-plan.json", "plan.json", "rollback-plan.json"])
def test_a_saved_plan_is_shown(local: Copy, name: str) -> None:
    saved = json.loads((local.folder / name).read_text())
    assert addresses(local.read("show", name)) == addresses(saved)


def test_a_saved_plan_is_applied(local: Copy) -> None:
    local.run("apply", "plan.json", "--auto-approve")
    assert addresses(local.read("plan")) == {"idp_groups/Writer-Later"}
    local.run("drift", "--detailed-exitcode")


def test_a_saved_rollback_is_applied(local: Copy) -> None:
    local.rewrite("idp_groups/a.yaml", "Writer-Legal: {role: member", "Writer-Legal: {role: team_admin")
    local.run("apply", "rollback-plan.json", "--auto-approve")
    snapshot = local.snapshot()
    assert snapshot["domains"]["acme.com"]["discoverable"] is True
    assert snapshot["idp_groups"]["Writer-Marketing"]["teams"] == ["Marketing"]


def test_a_plan_that_was_applied_already_changes_nothing(local: Copy) -> None:
    before = local.snapshot()
    process = subprocess.run(
        [sys.executable, "-m", "rolecall", "apply", "applied-plan.json", "--auto-approve"],
        cwd=local.folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert process.returncode in (0, 5)
    assert "Traceback" not in process.stderr
    assert "a bug in rolecall" not in process.stderr
    after = local.snapshot()
    assert (after["idp_groups"], after["domains"]) == (before["idp_groups"], before["domains"])


def test_the_journal_is_verified_and_listed(local: Copy) -> None:
    local.run("history", "--verify")
    runs = local.read("history")
    assert [(run["id"], run["kind"]) for run in runs["runs"]] == [(3, "drift"), (2, "apply"), (1, "apply")]
    assert "idp_groups/Writer-Marketing" in local.run("history", "1")


def test_nothing_drifted_since_the_last_apply(local: Copy) -> None:
    local.run("drift", "--detailed-exitcode")


def test_a_run_is_rolled_back(local: Copy) -> None:
    local.run("rollback", "2", "--out", "back.json")
    plan = json.loads((local.folder / "back.json").read_text())
    assert addresses(plan) == {"domains/acme.com", "idp_groups/Writer-Marketing"}


def test_the_access_of_the_last_run_is_known(local: Copy) -> None:
    assert "ann@acme.com" in local.run("access", "--role", "org_admin")
    assert "root@acme.com" in local.run("access", "--at", "2026-11-30", "--role", "org_admin")


def test_a_snapshot_is_loaded_and_planned(local: Copy) -> None:
    plan = local.read("plan", "--snapshot", "before.json")
    assert "idp_groups/Writer-Marketing" in addresses(plan)
    local.run("local", "load", "before.json")
    assert local.snapshot()["idp_groups"]["Writer-Marketing"].get("role") is None


def test_an_observed_org_is_planned(observed: Copy) -> None:
    assert addresses(observed.read("plan")) == set()
    observed.run("history", "--verify")
    observed.run("drift")
    assert "ann@acme.com" in observed.run("history", "1")
    assert addresses(observed.read("show", "plan.json")) == {"idp_groups/Writer-Marketing"}
