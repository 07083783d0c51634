"""Pushes that Okta links to a group of another name in WRITER: that name decides about mappings and members."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from idp import Fault, Okta, oid
from idp_repo import AUTHORITATIVE, IdpRepo, an_okta, served_repo

from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def okta() -> Okta:
    """Okta's group Staff-Marketing is pushed as Marketing, which is mapped in WRITER."""
    okta = an_okta()
    okta.add_group("Staff-Marketing", ["cy@tiny.co", "di@tiny.co"])
    okta.push("Staff-Marketing", okta.add_app_group("Marketing").id)
    return okta


@pytest.fixture
def repo(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, okta: Okta) -> Iterator[IdpRepo]:
    lists = "  assignments: [Core, Former]\n  pushes: [Admins, Old]\n"
    with served_repo(tmp_path / "repo", capsys, monkeypatch, okta, lists=lists, manage=AUTHORITATIVE) as repo:
        yield repo


def guard(plan: dict[str, Any], name: str) -> dict[str, Any]:
    (verdict,) = [each for each in plan["guards"] if each["name"] == name]
    return dict(verdict)


def test_a_mapped_group_of_another_name_must_stay_pushed(repo: IdpRepo) -> None:
    plan = repo.plan(code=Exit.REFUSED)
    assert [change["address"] for change in plan["changes"]] == ["idp_pushes/Staff-Marketing"]
    verdict = guard(plan, "unpush_mapped")
    assert verdict["verdict"] == "block"
    assert "idp_groups/Marketing stays mapped" in str(verdict["details"])


def test_a_group_that_only_shares_the_name_of_a_mapping_may_go(repo: IdpRepo, okta: Okta) -> None:
    """It is pushed as a group of another name, which is not mapped."""
    okta.unpush("Staff-Marketing")
    okta.push("Marketing", okta.add_app_group("Elsewhere").id)
    plan = repo.plan()
    assert [change["address"] for change in plan["changes"]] == ["idp_pushes/Marketing"]
    assert guard(plan, "unpush_mapped")["verdict"] == "pass"


def test_a_name_in_writer_that_cannot_be_read_is_not_evaluated(repo: IdpRepo, okta: Okta) -> None:
    target = okta.mapping("Staff-Marketing").target
    okta.faults.append(Fault(403, path=f"/groups/{target}", times=10))
    verdict = guard(repo.plan(code=Exit.REFUSED), "unpush_mapped")
    assert verdict["verdict"] == "not judged"
    assert "the name in WRITER could not be read" in verdict["message"]


def test_a_target_that_okta_no_longer_has_is_not_evaluated(repo: IdpRepo, okta: Okta) -> None:
    del okta.groups[okta.mapping("Staff-Marketing").target]
    assert guard(repo.plan(code=Exit.REFUSED), "unpush_mapped")["verdict"] == "not judged"


def test_a_user_who_gets_the_app_has_the_access_of_the_linked_group(repo: IdpRepo, okta: Okta) -> None:
    okta.add_user("eli@tiny.co")
    okta.add_group("Newcomers", ["eli@tiny.co"])
    okta.group("Staff-Marketing").members.append(oid("eli@tiny.co"))
    repo.configure(
        lists="  assignments: [Core, Former, Newcomers]\n  pushes: [Admins, Old, Staff-Marketing]\n",
        manage=AUTHORITATIVE,
    )
    plan = repo.plan()
    assert [change["address"] for change in plan["changes"]] == ["idp_assignments/Newcomers"]
    text = repo.run("plan")
    assert "eli@tiny.co gains Marketing member" in text


def test_every_group_of_the_section_is_pushed_if_one_is_linked(repo: IdpRepo, okta: Okta) -> None:
    """Okta has no group Marketing of its own: the group of WRITER with that name is pushed by another one."""
    del okta.groups[oid("Marketing")]
    repo.configure(lists="  assignments: [Core, Former]\n  pushes: idp_groups\n", manage=AUTHORITATIVE)
    assert {change["address"]: change["action"] for change in repo.plan()["changes"]} == {"idp_pushes/Old": "delete"}
    repo.apply()
    assert okta.mapping("Staff-Marketing").status == "ACTIVE"
    assert repo.changed() == {}
    repo.run("drift", "--detailed-exitcode")


def test_a_name_is_not_absent_if_names_in_writer_cannot_be_read(repo: IdpRepo, okta: Okta) -> None:
    del okta.groups[oid("Marketing")]
    target = okta.mapping("Staff-Marketing").target
    okta.faults.append(Fault(403, path=f"/groups/{target}", times=20))
    repo.configure(lists="  assignments: [Core, Former]\n  pushes: idp_groups\n", manage=AUTHORITATIVE)
    plan = repo.plan(code=Exit.OK)
    assert plan["coverage"]["idp_pushes"]["state"] == "unread"
    assert plan["changes"] == []
    repo.plan("--detailed-exitcode", code=Exit.UNSEEN)


@pytest.mark.parametrize(("pushes", "requests"), [(5, 5), (60, 1)])
def test_names_of_many_targets_are_read_as_one_list(repo: IdpRepo, okta: Okta, pushes: int, requests: int) -> None:
    okta.unpush("Staff-Marketing")
    for number in range(pushes):
        okta.add_group(f"Team-{number}")
        okta.push(f"Team-{number}")
    targets = {mapping.target for mapping in okta.mappings.values()}
    repo.plan(code=Exit.REFUSED)  # deletions above the limit
    listed = [call for call in okta.requests if "source.id" in str(call.query)]
    singly = [call for call in okta.requests if call.path.rpartition("/")[2] in targets]
    assert len(listed) + len(singly) == requests


def move_admins(repo: IdpRepo, former: str) -> None:
    """Map a new group, of the same users, to org admin; ``former`` is the mapping of the previous one from now on."""
    repo.okta.add_group("New-Admins", ["ann@tiny.co", "bo@tiny.co"])
    repo.configure(lists="  assignments: [Core, Former]\n  pushes: [Admins, Old, New-Admins, Staff-Marketing]\n")
    path = repo.folder / "rolecall.yaml"
    new = f"  Admins: {former}\n  New-Admins: {{role: org_admin, teams: [Everyone]}}\n"
    path.write_text(path.read_text().replace("  Admins: {role: org_admin, teams: [Everyone]}\n", new))


def test_org_admins_must_not_depend_on_a_group_that_has_not_arrived(repo: IdpRepo, okta: Okta) -> None:
    """The new group is mapped after it arrives, which may never be; the former one would be unmapped before."""
    move_admins(repo, "blank")
    verdict = guard(repo.plan(code=Exit.REFUSED), "min_org_admins")
    assert (verdict["verdict"], verdict["actual"]) == ("block", 0)
    repo.apply(code=Exit.REFUSED)
    assert okta.writes == []
    move_admins(repo, "{role: org_admin, teams: [Everyone]}")
    verdict = guard(repo.plan(), "min_org_admins")
    assert (verdict["verdict"], verdict["actual"]) == ("pass", 2)
