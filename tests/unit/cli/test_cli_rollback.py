"""Test `rollback`: it restores what a run changed and nothing else, and guards check it."""

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
MORE = CONFIG.replace(
    "defaults: {role: member, teams: [Everyone]}", "defaults: {role: member, teams: [Everyone, Brand]}"
).replace("  Marketing:", "  Spare: {role: member, teams: [Brand]}\n  Marketing:")


def live(capsys: Capture) -> object:
    capsys.readouterr()
    run(["plan", "--format", "json"])
    return json.loads(capsys.readouterr().out)["changes"]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    snapshot = json.loads(json.dumps(SNAPSHOT))
    snapshot["idp_groups"]["Spare"] = None
    made = make_repo(tmp_path / "repo", MORE, snapshot)
    monkeypatch.chdir(made)
    capsys.readouterr()
    return made


def approve_all(plan: str, capsys: Capture) -> int:
    capsys.readouterr()
    run(["show", plan, "--format", "json"])
    digest = json.loads(capsys.readouterr().out)["digest"]
    return run(["apply", plan, "--approve", digest])


def test_going_back_restores_what_the_run_found(repo: Path, capsys: Capture) -> None:
    before = live(capsys)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert live(capsys) == []
    assert run(["rollback", "1", "--out", "back.json"]) == Exit.OK
    told = capsys.readouterr().out
    assert "teams: Brand → Marketing" in told
    assert "- idp_groups/Spare" in told
    assert "teams: Brand, Everyone → Everyone" in told
    assert "Rollback." in told
    assert approve_all("back.json", capsys) == Exit.OK
    assert live(capsys) == before


def test_what_was_done_since_elsewhere_stays(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    run(["apply", "--auto-approve"])
    (repo / "rolecall.yaml").write_text(MORE, encoding="utf-8")
    run(["apply", "--auto-approve"])
    run(["rollback", "1", "--out", "back.json", "--format", "json"])
    assert approve_all("back.json", capsys) == Exit.OK
    assert {change["address"] for change in live(capsys)} == {"idp_groups/Marketing"}


def test_the_run_after_a_rollback_brings_the_config_again(repo: Path, capsys: Capture) -> None:
    run(["apply", "--auto-approve"])
    run(["rollback", "1", "--out", "back.json"])
    approve_all("back.json", capsys)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert live(capsys) == []


def test_a_rollback_says_first_to_save_it(repo: Path, capsys: Capture) -> None:
    run(["apply", "--auto-approve"])
    capsys.readouterr()
    assert run(["rollback", "1"]) == Exit.OK
    assert "Save this plan with --out FILE, then apply it: rolecall apply FILE --approve" in capsys.readouterr().out
    assert run(["rollback", "1", "--out", "back.json", "--format", "json"]) == Exit.OK
    streams = capsys.readouterr()
    assert json.loads(streams.out)["command"] == "rolecall rollback 1"
    assert "Saved the plan to back.json. To apply exactly this plan: rolecall apply back.json --approve" in streams.err
    assert run(["show", "back.json"]) == Exit.OK
    assert "To apply it: rolecall apply back.json --approve" in capsys.readouterr().out


def test_a_run_that_did_nothing_has_nothing_to_put_back(repo: Path, capsys: Capture) -> None:
    run(["apply", "--auto-approve"])
    run(["apply", "--auto-approve"])
    assert run(["rollback", "2"]) == Exit.USAGE
    assert "changed nothing" in capsys.readouterr().err
    assert run(["rollback", "9"]) == Exit.USAGE


def test_going_back_goes_through_the_guards(repo: Path, capsys: Capture) -> None:
    run(["apply", "--auto-approve"])
    text = MORE.replace(
        "{max_people_losing_access: {review: 10, block: 100%}}", "{max_people_losing_access: {block: 1}}"
    )
    (repo / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert run(["rollback", "1"]) == Exit.REFUSED
    out = " ".join(capsys.readouterr().out.split())
    assert "BLOCK max_people_losing_access" in out
    assert "To allow it once: rolecall rollback 1 --allow max_people_losing_access=" in out
    assert "Then plan again: rolecall rollback 1" in out
    assert "--target" not in out
    assert run(["rollback", "1", "--allow", "max_people_losing_access=4"]) == Exit.OK


@pytest.mark.parametrize("section", ["scim: {manual_editing: true}", "domains: {tiny.co: {join: immediate}}"])
def test_a_section_that_left_the_config_can_be_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, section: str
) -> None:
    """What the org demands of a write is read also where the config no longer speaks of the section."""
    monkeypatch.chdir(made := make_repo(tmp_path / "repo", f"{CONFIG}{section}\n"))
    assert run(["apply", "--auto-approve"]) == Exit.OK
    (made / "rolecall.yaml").write_text(CONFIG, "utf-8")
    capsys.readouterr()
    assert run(["rollback", "1", "--out", "back.json"]) == Exit.OK
    assert "is unknown" not in capsys.readouterr().out
    assert approve_all("back.json", capsys) == Exit.OK


NARROW = CONFIG.replace("    owner: lead@tiny.co\n", "")
"""A config whose plans read the users of the groups that change, and no others."""


def test_a_user_with_another_address_is_not_named_as_inactive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(made := make_repo(tmp_path / "repo", NARROW))
    assert run(["apply", "--auto-approve"]) == Exit.OK
    with meddler.idp(made / "org.db") as idp:
        idp.moves("cy@tiny.co", out="Marketing")
        idp.readdresses("cy@tiny.co", "cyril@tiny.co")
        idp.leaves("di@tiny.co")
    capsys.readouterr()
    run(["rollback", "1"])
    told = "".join(capsys.readouterr())
    assert "1 user who lost access in run 1 is no longer active: di@tiny.co" in told


def test_users_whom_the_plan_of_the_run_does_not_list_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """A class of many users is in the journal as a hash of their ids."""
    for module in ("moves", "saved.encode"):
        monkeypatch.setattr(f"rolecall.plan.{module}.LISTED", 1)
    monkeypatch.chdir(made := make_repo(tmp_path / "repo", NARROW))
    assert run(["apply", "--auto-approve"]) == Exit.OK
    with meddler.idp(made / "org.db") as idp:
        idp.leaves("di@tiny.co")
    capsys.readouterr()
    run(["rollback", "1"])
    told = " ".join("".join(capsys.readouterr()).split())
    assert "The plan of run 1 does not list 2 users who lost access, so it is unknown whether they" in told


@pytest.mark.parametrize("of_everybody", [True, False])
def test_a_user_whom_the_source_knows_by_address_alone_is_not_called_inactive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, of_everybody: bool
) -> None:
    """Where the address is the id, another address is another user."""
    config = f"{CONFIG if of_everybody else NARROW}people: {{file: people.csv}}\n"
    monkeypatch.chdir(made := make_repo(tmp_path / "repo", config))
    users = "email,groups\nann@tiny.co,Admins\nbo@tiny.co,Admins\ncy@tiny.co,Marketing\n"
    (made / "people.csv").write_text(users, "utf-8")
    assert run(["apply", "--auto-approve"]) == Exit.OK
    (made / "people.csv").write_text(users.replace("cy@tiny.co", "cyril@tiny.co"), "utf-8")
    capsys.readouterr()
    run(["rollback", "1"])
    told = " ".join("".join(capsys.readouterr()).split())
    assert "is no longer active" not in told
    assert "1 user who lost access in run 1 is not found under the same address: cy@tiny.co" in told


@pytest.mark.parametrize("elsewhere", [True, False])
def test_users_are_named_as_inactive_only_if_they_are(elsewhere: bool, repo: Path, capsys: Capture) -> None:
    """Who is not among the users that the plan reads may be active all the same."""
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert run(["snapshot", "--out", "after.json"]) == Exit.OK
    after = json.loads((repo / "after.json").read_text(encoding="utf-8"))
    for person in after["people"]:
        if person["email"] == "cy@tiny.co":
            person.update({"groups": []} if elsewhere else {"active": False})
    (repo / "after.json").write_text(json.dumps(after), encoding="utf-8")
    assert run(["local", "load", "after.json"]) == Exit.OK
    unmanaged = "manage: {idp_groups: unmanaged, defaults: unmanaged}"
    (repo / "rolecall.yaml").write_text(MORE.replace("manage: {idp_groups: authoritative}", unmanaged), "utf-8")
    capsys.readouterr()
    run(["rollback", "1"])
    told = "".join(capsys.readouterr())
    assert "idp_groups is no longer managed" in told
    assert ("is no longer active" in told) is not elsewhere
    assert ("1 user who lost access in run 1 is no longer active: cy@tiny.co" in told) is not elsewhere


def test_the_command_that_a_rollback_offers_answers_its_reviews(repo: Path, capsys: Capture) -> None:
    """The plan is not made again from the config, so its digest is shown with the file."""
    text = MORE.replace(
        "{max_people_losing_access: {review: 10, block: 100%}}", "{max_people_losing_access: {review: 0}}"
    )
    (repo / "rolecall.yaml").write_text(text, encoding="utf-8")
    capsys.readouterr()
    run(["plan"])
    approve = capsys.readouterr().out.rpartition("--approve ")[2].split()[0]
    assert run(["apply", "--approve", approve]) == Exit.OK
    capsys.readouterr()
    assert run(["rollback", "1", "--out", "back.json"]) == Exit.OK
    told = capsys.readouterr().out
    assert "REVIEW  max_people_losing_access" in told
    command = told.partition("To apply it: rolecall ")[2].splitlines()[0].split()
    assert run(command) == Exit.OK


UPGRADING: dict[str, Any] = {
    **SNAPSHOT,
    "scim": {"enabled": True, "idp": "okta", "endpoint": "upgrading", "manual_editing": False},
    "legacy_links": {},
}


def test_a_run_that_upgraded_and_changed_scim_is_restored_but_for_the_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CONFIG.replace("guards: {", "scim: {endpoint: new, manual_editing: true}\nguards: {require_self: false, ")
    monkeypatch.chdir(make_repo(tmp_path / "upgrading", text, UPGRADING))
    assert run(["plan", "--out", "plan.json"]) in (Exit.OK, Exit.REFUSED)
    digest = json.loads(Path("plan.json").read_text(encoding="utf-8"))["digest"]
    assert run(["apply", "--approve", digest]) == Exit.OK
    capsys.readouterr()
    assert run(["rollback", "1", "--out", "back.json"]) == Exit.OK
    assert "The endpoint upgrade of run 1 cannot be undone" in capsys.readouterr().out
    back = json.loads(Path("back.json").read_text(encoding="utf-8"))
    (change,) = [change for change in back["changes"] if change["address"] == "scim"]
    assert (change["before"]["manual_editing"], change["after"]["manual_editing"]) == (True, False)
    assert run(["apply", "back.json", "--approve", back["digest"]]) == Exit.OK
    assert run(["snapshot", "--out", "now.json"]) == Exit.OK
    scim = json.loads(Path("now.json").read_text(encoding="utf-8"))["scim"]
    assert (scim["endpoint"], scim["manual_editing"]) == ("new", False)
