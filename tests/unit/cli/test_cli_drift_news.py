"""Test what `drift` lists apart from drift: changes of users and groups, and policy violations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import meddler
import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
OPEN = CONFIG.replace("manage: {idp_groups: authoritative}\n", "")
WATCH = OPEN + "watch: {roles: [org_admin]}\n"


def started(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, config: str = OPEN) -> Path:
    """A repo whose config was applied."""
    made = make_repo(folder / "repo", config)
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    return made / "org.db"


def said(capsys: Capture, *args: str) -> dict[str, Any]:
    run(["drift", "--format", "json", *args])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_joiners_movers_and_leavers_are_no_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    org = started(tmp_path, monkeypatch, capsys)
    with meddler.idp(org) as idp:
        idp.joins("ed@tiny.co", "Marketing")
        idp.joins("fay@tiny.co")
        idp.leaves("cy@tiny.co")
        idp.moves("di@tiny.co", out="Marketing", into="Admins")
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    told = capsys.readouterr().out
    assert "  No drift.\n" in told
    assert "2 joined, 1 left, 1 changed groups, 1 new org admin: di@tiny.co, by Admins." in told
    assert "Documents of 1 user who left are transferred to an org admin (R23)." in told
    assert run(["drift"]) == Exit.OK
    assert "2 joined, 1 left" in capsys.readouterr().out, "a check does not change what the next one reports"
    assert run(["apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    assert run(["drift"]) == Exit.OK
    assert "joined" not in capsys.readouterr().out, "an apply takes what it sees as known"


def test_groups_that_came_went_or_were_renamed_in_the_idp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    org = started(tmp_path, monkeypatch, capsys)
    with meddler.idp(org) as idp:
        idp.renames("Marketing", "Writer-Marketing")
        idp.pushes("Sales")
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    told = capsys.readouterr().out
    assert (
        "`Marketing` is now called `Writer-Marketing` in the IdP. To rename the key `Marketing`: `rolecall fmt" in told
    )
    assert "1 new group from the IdP: Sales." in told
    with meddler.idp(org) as idp:
        idp.drops("Sales")
    renamed = [{"was": "Marketing", "now": "Writer-Marketing", "key": "Marketing"}]
    assert said(capsys)["groups"] == {"arrived": [], "vanished": [], "renamed": renamed, "ready": []}


def test_a_group_that_waited_and_has_arrived_wants_an_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    config = OPEN.replace("guards:", "  Sales: {role: member, teams: [Marketing]}\nguards:")
    org = started(tmp_path, monkeypatch, capsys, config)
    assert said(capsys)["groups"]["ready"] == []
    with meddler.idp(org) as idp:
        idp.pushes("Sales")
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    assert "`Sales` is no longer pending: the IdP has pushed it. To map it: `rolecall apply`" in capsys.readouterr().out


def test_a_group_that_is_gone_is_drift_when_it_had_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    org = started(tmp_path, monkeypatch, capsys)
    with meddler.idp(org) as idp:
        idp.drops("Marketing")
    assert run(["drift", "--detailed-exitcode"]) == Exit.CHANGES
    assert "- idp_groups/Marketing   role: member · teams: Brand" in capsys.readouterr().out
    assert [row["class"] for row in said(capsys)["drift"]] == ["idp"]
    assert run(["drift", "--accept"]) == Exit.OK
    assert "Marketing:" not in (tmp_path / "repo" / "rolecall.yaml").read_text()


def test_a_group_that_is_gone_with_nobody_in_it_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    org = started(tmp_path, monkeypatch, capsys)
    with meddler.idp(org) as idp:
        for email in ("cy@tiny.co", "di@tiny.co"):
            idp.moves(email, out="Marketing")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    with meddler.idp(org) as idp:
        idp.drops("Marketing")
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    assert "Deleted in the IdP, without users  1\n" in capsys.readouterr().out


def test_a_watched_role_that_the_idp_gives_counts_until_the_next_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    org = started(tmp_path, monkeypatch, capsys, WATCH)
    with meddler.idp(org) as idp:
        idp.moves("di@tiny.co", into="Admins")
    for _ in range(2):
        assert run(["drift", "--detailed-exitcode"]) == Exit.CHANGES
        assert "  di@tiny.co is now org admin, by Admins (rolecall.yaml:5)" in capsys.readouterr().out
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK


def test_standing_limits_and_access_tests_are_held_against_the_org(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    config = OPEN.replace("guards: {", "guards: {min_org_admins: 2, required_org_admins: [bo@tiny.co], ")
    config += "access_tests: [{name: cy keeps Brand, person: cy@tiny.co, expect: [{team: Brand, role: member}]}]\n"
    org = started(tmp_path, monkeypatch, capsys, config)
    assert run(["drift"]) == Exit.OK
    with meddler.idp(org) as idp:
        idp.moves("bo@tiny.co", out="Admins")
        idp.moves("cy@tiny.co", out="Marketing")
    capsys.readouterr()
    assert run(["drift"]) == Exit.REFUSED
    told = capsys.readouterr().out
    assert "min_org_admins: 1 user is org admin; the minimum is 2" in told
    assert "required_org_admins: bo@tiny.co must be an org admin but is not" in told
    assert "cy keeps Brand: lacks Brand member and also has Everyone member" in told


def test_a_new_mapping_that_nobody_manages_and_that_gives_org_admin_is_drift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    org = started(tmp_path, monkeypatch, capsys)
    with meddler.idp(org) as idp:
        idp.pushes("Helpdesk")
        idp.pushes("Plain")
        idp.moves("di@tiny.co", into="Helpdesk")
    meddler.by_console(org, "bo@tiny.co", "Helpdesk", {"role": "org_admin", "teams": ["Brand"]})
    meddler.by_console(org, "bo@tiny.co", "Plain", {"role": "member", "teams": ["Brand"]})
    assert run(["drift", "--detailed-exitcode"]) == Exit.CHANGES
    told = capsys.readouterr().out
    assert "+ idp_groups/Helpdesk   role: org_admin · teams: Brand" in told
    assert "by bo@tiny.co, " in told
    assert " UTC (from 10.1.2.3)" in told
    assert "Effect: di@tiny.co moves from member in Brand to org admin." in told
    assert "idp_groups/Plain" not in told.partition("No drift")[0].partition("Not drift")[0]
    assert {row["address"]: row["new"] for row in said(capsys)["unmanaged"]} == {
        "idp_groups/Helpdesk": True,
        "idp_groups/Plain": True,
    }
    assert run(["drift", "--revert", "--out", "back.json"]) == Exit.OK
    assert run(["apply", "back.json", "--auto-approve"]) == Exit.OK
    with meddler.org(org) as client:
        assert client.group("Helpdesk")["mapping"] is None
        assert client.group("Plain")["mapping"] is not None
