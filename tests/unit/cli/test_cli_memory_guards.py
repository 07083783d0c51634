"""Test what an apply records for the guards of the next plan: configuration, policy, protected entries."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import open_journal
from rolecall.plan.saved.digest import short

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
    assert "rolecall.yaml" in said["details"][0]["text"]


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
    assert "would lose Brand" in said["details"][0]["text"]
    assert verdicts(capsys)["policy"]["details"][0]["text"] == "protect.idp_groups/Marketing: true → false"


STRICT = BACK.replace("teams: [Marketing]", "teams: [Brand]").replace(
    "block: 100%", "block: 100%}, require_self: true, approval: none, escalations: {team_admin: deny"
)
WAITING = "idp_groups:\n  Not-Pushed: {role: member, teams: [Brand]}\n"


def policy_of(repo: Path) -> Any:
    with open_journal("sqlite:.rolecall/journal.db", repo) as journal:
        return journal.applied("org_1").policy


def digest_now(capsys: Capture) -> str:
    capsys.readouterr()
    run(["plan", "--format", "json"])
    return short(json.loads(capsys.readouterr().out)["digest"])


@pytest.mark.parametrize("waiting", [False, True], ids=["no changes", "pending changes only"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("team_admin: deny", "team_admin: allow"),
        ("require_self: true", "require_self: false"),
        ("review: 10", "review: 100%"),
        ("{max_people", "{min_org_admins: 1, max_people"),
        ("manage: {idp_groups: authoritative}\n", ""),
        ("guards:", "ignore: [{address: idp_groups/Tmp, reason: test}]\nguards:"),
    ],
    ids=["escalations", "require_self", "losing", "min_org_admins", "manage", "ignore"],
)
def test_a_less_strict_policy_alone_needs_an_approval(
    repo: Path, capsys: Capture, old: str, new: str, waiting: bool
) -> None:
    strict = STRICT.replace("{max_people", "{min_org_admins: 2, max_people") if "min_org" in new else STRICT
    (repo / "rolecall.yaml").write_text(strict, encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    before = policy_of(repo)
    loose = strict.replace("min_org_admins: 2, ", "") if "min_org" in new else strict.replace(old, new)
    assert loose != strict
    (repo / "rolecall.yaml").write_text(loose.replace("idp_groups:\n", WAITING) if waiting else loose, encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED
    assert "policy" in capsys.readouterr().err
    assert run(["apply"]) == Exit.USAGE
    assert policy_of(repo) == before
    assert f"--approve {digest_now(capsys)}" in plan_text(capsys)
    assert run(["apply", "--approve", digest_now(capsys)]) == Exit.OK
    assert policy_of(repo) != before
    assert run(["apply", "--auto-approve"]) == Exit.OK


def plan_text(capsys: Capture) -> str:
    run(["plan"])
    return capsys.readouterr().out


def test_a_stricter_policy_alone_needs_no_approval(repo: Path, capsys: Capture) -> None:
    assert run(["apply", "--auto-approve"]) == Exit.OK
    (repo / "rolecall.yaml").write_text(STRICT, encoding="utf-8")
    assert run(["apply"]) == Exit.OK
    assert policy_of(repo).guards.escalations["team_admin"] == "deny"


def test_dropping_a_required_approval_needs_that_approval(repo: Path, capsys: Capture) -> None:
    assert run(["apply", "--auto-approve"]) == Exit.OK
    needing = STRICT.replace("approval: none", "approval: recorded")
    (repo / "rolecall.yaml").write_text(needing, encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    (repo / "rolecall.yaml").write_text(STRICT, encoding="utf-8")
    assert run(["apply", "--approve", digest_now(capsys)]) == Exit.REFUSED
    assert policy_of(repo).guards.approval == "recorded"
    approval = {
        "by": "bo@tiny.co",
        "at": datetime.now(UTC).isoformat(),
        "url": "https://example.com/1",
        "source": "test",
    }
    (repo / "approvals.json").write_text(json.dumps([approval]), encoding="utf-8")
    assert run(["apply", "--approve", digest_now(capsys), "--approval", "approvals.json"]) == Exit.OK
    assert policy_of(repo).guards.approval == "none"


def test_a_waived_policy_review_still_needs_a_yes(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(STRICT, encoding="utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    (repo / "rolecall.yaml").write_text(STRICT.replace("team_admin: deny", "team_admin: allow"), encoding="utf-8")
    assert run(["apply", "--allow", "policy=1"]) == Exit.USAGE
    assert policy_of(repo).guards.escalations["team_admin"] == "deny"
    assert run(["apply", "--allow", "policy=1", "--auto-approve"]) == Exit.OK
    assert policy_of(repo).guards.escalations["team_admin"] == "allow"
