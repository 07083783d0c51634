"""The guards of changes in the IdP: the right app, users who lose it, and groups that must not be changed so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_idps import oid
from test_cli_idp_groups import Capture, Repo, a_site, changed, planned, printed
from test_cli_idp_groups import repo as repo

from rolecall.errors import Exit

ALL = "idp_groups: additive, idp_assignments: authoritative, idp_pushes: authoritative"
ASSIGNED = {f"{name}@tiny.co": ["Everyone"] for name in ("ann", "bo", "cy", "di")}


def guard(plan: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in plan["guards"] if each["name"] == name]
    return dict(found)


def append(folder: Path, text: str) -> None:
    with (folder / "rolecall.yaml").open("a", encoding="utf-8") as config:
        config.write(text)


def test_the_guards_are_only_for_configurations_that_manage_the_idp(repo: Repo, capsys: Capture) -> None:
    names = {each["name"] for each in planned(capsys, repo(a_site(), "", "idp_groups: additive"))["guards"]}
    assert not names & {"deprovisions", "unpush_mapped", "assigned_and_pushed", "idp_target"}


def test_a_group_that_stays_mapped_must_stay_pushed(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(pushed=["Admins", "Marketing"]), "  pushes: [Admins]\n", ALL)
    plan = planned(capsys, folder, code=Exit.REFUSED)
    assert changed(plan) == {"idp_pushes/Marketing": "delete"}
    found = guard(plan, "unpush_mapped")
    assert (found["verdict"], found["target"]) == ("block", "idp_pushes/Marketing")
    assert "`Marketing` would no longer be pushed and stays mapped" in found["message"]
    planned(capsys, folder, "--allow", "unpush_mapped=1")


def test_a_group_that_is_unmapped_first_may_go(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(pushed=["Admins", "Marketing"]), "  pushes: [Admins]\n", ALL)
    config = (folder / "rolecall.yaml").read_text()
    head, _, tail = config.partition("  Marketing:\n")
    below = tail.partition("lead@tiny.co\n")[2]
    (folder / "rolecall.yaml").write_text(f"{head}  Marketing: blank\n{below}")
    plan = planned(capsys, folder)
    assert guard(plan, "unpush_mapped")["verdict"] == "pass"
    assert [change["address"] for change in plan["changes"]] == ["idp_groups/Marketing", "idp_pushes/Marketing"]


def test_users_who_lose_the_app_require_approval_or_block(repo: Repo, capsys: Capture) -> None:
    site = a_site(people=ASSIGNED, assigned_groups=["Everyone"])
    site.direct_users = ["ann@tiny.co", "bo@tiny.co", "cy@tiny.co"]
    folder = repo(site, "  assignments: []\n", ALL)
    found = guard(planned(capsys, folder), "deprovisions")
    assert (found["verdict"], found["actual"], found["limit"]) == (
        "review",
        1,
        "review above 0, block above 1 (1% of 4 active users)",
    )
    site.direct_users = ["ann@tiny.co", "bo@tiny.co"]
    found = guard(planned(capsys, folder, code=Exit.REFUSED), "deprovisions")
    assert (found["verdict"], found["actual"]) == ("block", 2)
    assert "2 users lose the app; the limit is 1 (1% of 4 active users)" in found["message"]
    assert any("cannot be undone" in detail["text"] for detail in found["details"])


@pytest.mark.parametrize(
    ("target", "verdict"),
    [("for: idp_assignments/Everyone, ", "allowed"), ("for: 'idp_assignments/*', ", "block"), ("", "block")],
)
def test_an_override_of_deprovisions_names_an_address(repo: Repo, capsys: Capture, target: str, verdict: str) -> None:
    site = a_site(people=ASSIGNED, assigned_groups=["Everyone"])
    folder = repo(site, "  assignments: []\n", ALL)
    config = (folder / "rolecall.yaml").read_text().replace("block: 100%", "block: 100%, review: 100%")
    (folder / "rolecall.yaml").write_text(f"{config.replace('review: 10, ', '')}")
    append(folder, f"allow: [{{guard: deprovisions, {target}up_to: 4, until: 2999-01-01, reason: CHG-1}}]\n")
    plan = planned(capsys, folder, code=Exit.REFUSED)  # no org admin is left
    found = guard(plan, "deprovisions")
    assert found["verdict"] == verdict
    if verdict == "block":
        assert any("names no single address" in detail["text"] for detail in found["details"])
        assert any("for: idp_assignments/Everyone" in way for way in found["ways"])


def test_deprovisions_cannot_be_overridden_by_a_flag(repo: Repo, capsys: Capture) -> None:
    text = printed(capsys, repo(a_site()), "plan", "--allow", "deprovisions=4", code=Exit.USAGE)
    assert "can only be overridden for an address" in text


def test_a_group_must_not_become_both_assigned_and_pushed(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(), "  assignments: [Admins]\n  pushes: [Admins, Old]\n")
    plan = planned(capsys, folder, code=Exit.REFUSED)
    found = guard(plan, "assigned_and_pushed")
    assert (found["verdict"], found["target"]) == ("block", "idp_assignments/Admins")
    assert "`Admins` would be both assigned and pushed" in found["message"]


def test_a_group_that_is_both_already_is_a_warning(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(assigned_groups=["Admins"]), "  assignments: [Admins]\n  pushes: [Admins, Old]\n")
    plan = planned(capsys, folder)
    assert guard(plan, "assigned_and_pushed")["verdict"] == "pass"
    assert "groups are both assigned and pushed in Okta: Admins" in str(plan["warnings"])


@pytest.mark.parametrize(("forbidden", "verdict"), [((), "block"), (("/apps/0oa1/groups",), "not judged")])
def test_a_list_that_is_not_managed_is_read_before_a_group_becomes_both(
    repo: Repo, capsys: Capture, forbidden: tuple[str, ...], verdict: str
) -> None:
    site = a_site(assigned_groups=["Marketing"], forbidden=forbidden)
    plan = planned(capsys, repo(site, "  pushes: [Admins, Marketing, Old]\n"), code=Exit.REFUSED)
    assert changed(plan) == {"idp_pushes/Marketing": "create"}
    assert guard(plan, "assigned_and_pushed")["verdict"] == verdict


def test_members_of_a_pushed_group_that_are_not_read_are_not_none(repo: Repo, capsys: Capture) -> None:
    site = a_site(forbidden=(f"/groups/{oid('Marketing')}/users",))
    plan = planned(capsys, repo(site, "  pushes: [Admins, Marketing, Old]\n"), code=Exit.REFUSED)
    assert "the members of Marketing" in plan["impact"]["problem"]


@pytest.mark.parametrize(
    ("site", "verdict"),
    [
        ({}, "pass"),
        ({"urls": ("https://app.writer.com.evil.example/saml",)}, "block"),
        ({"urls": ()}, "block"),
        ({"forbidden": ("/apps/0oa1",)}, "block"),
    ],
)
def test_the_app_must_be_writers(repo: Repo, capsys: Capture, site: dict[str, Any], verdict: str) -> None:
    folder = repo(a_site(**site))
    snapshot = json.loads((folder / "live.json").read_text())
    (folder / "org.yaml").write_text(json.dumps({**snapshot, "org": {"id": "org_1", "name": "tinyco"}}))
    config = (folder / "rolecall.yaml").read_text()
    (folder / "rolecall.yaml").write_text(config.replace("local:org.db", "observed:org.yaml"))
    plan = planned(capsys, folder, code=Exit.REFUSED if verdict == "block" else Exit.OK)
    found = guard(plan, "idp_target")
    assert found["verdict"] == verdict
    assert "--allow" not in str(found["ways"])
    assert guard(plan, "unread")["verdict"] == "pass"


def test_a_local_org_may_have_any_app(repo: Repo, capsys: Capture) -> None:
    assert guard(planned(capsys, repo(a_site(urls=()))), "idp_target")["verdict"] == "pass"


def test_the_app_of_a_pipeline_can_be_pinned(repo: Repo, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repo(a_site())
    monkeypatch.setenv("ROLECALL_IDP_APP", "0oa1")
    planned(capsys, folder)
    monkeypatch.setenv("ROLECALL_IDP_APP", "0oa2")
    text = printed(capsys, folder, "plan", code=Exit.ERROR)
    assert "`idp` is about the app 0oa1, but ROLECALL_IDP_APP is 0oa2" in text


def test_groups_of_one_name_are_told_by_their_ids(repo: Repo, capsys: Capture) -> None:
    site = a_site(homonyms={"00gtwin": "Admins"})
    lists = f"  assignments: [{{name: Admins, id: 00gtwin}}]\n  pushes: [{{name: Admins, id: {oid('Admins')}}}, Old]\n"
    plan = planned(capsys, repo(site, lists))
    assert guard(plan, "assigned_and_pushed")["verdict"] == "pass"


def test_another_app_than_at_the_last_apply_is_refused(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(), "  assignments: [Everyone]\n")
    printed(capsys, folder, "apply", "--auto-approve", code=Exit.HUMAN)
    config = (folder / "rolecall.yaml").read_text()
    other = config.replace("127.0.0.1", "localhost")
    (folder / "rolecall.yaml").write_text(other)
    found = guard(planned(capsys, folder, code=Exit.REFUSED), "idp_target")
    assert found["verdict"] == "block"
    assert "and the last apply was about Okta, 127.0.0.1:" in found["message"]
    (folder / "rolecall.yaml").write_text(other.replace("assignments: [Everyone]", "assignments: []"))
    printed(capsys, folder, "apply", "--auto-approve")  # has no change there, and does not move to the other app
    (folder / "rolecall.yaml").write_text(other)
    assert guard(planned(capsys, folder, code=Exit.REFUSED), "idp_target")["verdict"] == "block"
    (folder / "rolecall.yaml").write_text(other.replace("  assignments: [Everyone]\n", ""))
    printed(capsys, folder, "apply", "--auto-approve")
    (folder / "rolecall.yaml").write_text(other)
    assert guard(planned(capsys, folder), "idp_target")["verdict"] == "pass"
