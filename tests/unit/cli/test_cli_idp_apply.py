"""`apply` writes which groups are assigned to the app in Okta and which are pushed, with a credential of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from idp import Fault, Okta, oid
from idp.wire import Call
from idp_repo import AUTHORITATIVE, READ, WRITE, WRITE_SCOPES, IdpRepo, an_okta, served_repo

from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
MAPPINGS = "group-push/mappings"


@pytest.fixture
def okta() -> Okta:
    return an_okta()


@pytest.fixture
def repo(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, okta: Okta) -> Iterator[IdpRepo]:
    with served_repo(tmp_path / "repo", capsys, monkeypatch, okta) as repo:
        yield repo


def test_groups_are_assigned_and_pushed(repo: IdpRepo, okta: Okta) -> None:
    assert {change["via"] for change in repo.plan()["changes"]} == {"api"}
    assert "Done: 2 steps (run 1)." in repo.apply()
    marketing, everyone = oid("Marketing"), oid("Everyone")
    body = {"sourceGroupId": marketing, "targetGroupName": "Marketing", "status": "ACTIVE"}
    assert sorted(repo.written, key=str) == [("POST", MAPPINGS, body), ("PUT", f"groups/{everyone}", {})]
    assert everyone in okta.assigned
    assert okta.mapping("Marketing").status == "ACTIVE"
    assert repo.changed() == {}
    repo.run("drift", "--detailed-exitcode")


def test_a_second_apply_writes_nothing(repo: IdpRepo, okta: Okta) -> None:
    repo.apply()
    before = len(okta.writes)
    repo.apply()
    assert len(okta.writes) == before


def test_groups_are_unassigned_and_no_longer_pushed_and_stay_in_writer(repo: IdpRepo, okta: Okta) -> None:
    target = okta.mapping("Old").target
    mapping = okta.mapping("Old").id
    repo.configure(manage=AUTHORITATIVE)
    repo.apply()
    removed = [(method, path, sent) for method, path, sent in repo.written if "Marketing" not in str(sent)]
    assert removed[-3:] == [
        ("PATCH", f"{MAPPINGS}/{mapping}", {"status": "INACTIVE"}),
        ("DELETE", f"{MAPPINGS}/{mapping}", None),
        ("DELETE", f"groups/{oid('Former')}", None),
    ]
    (deleted,) = [write for write in okta.writes if write.method == "DELETE" and MAPPINGS in write.path]
    assert dict(deleted.query) == {"deleteTargetGroup": "false"}
    assert target in okta.groups, "the group stays in WRITER"
    assert repo.changed() == {}


def test_an_existing_group_of_the_app_is_linked_by_its_id(repo: IdpRepo, okta: Okta) -> None:
    target = okta.add_app_group("Marketing").id
    repo.apply()
    assert okta.mapping("Marketing").target == target
    (posted,) = [sent for method, _, sent in repo.written if method == "POST"]
    assert posted == {"sourceGroupId": oid("Marketing"), "targetGroupId": target, "status": "ACTIVE"}


def test_a_push_that_was_turned_off_is_turned_on(repo: IdpRepo, okta: Okta) -> None:
    mapping = okta.push("Marketing", status="INACTIVE")
    repo.apply()
    assert ("PATCH", f"{MAPPINGS}/{mapping.id}", {"status": "ACTIVE"}) in repo.written
    assert okta.mapping("Marketing").status == "ACTIVE"


def test_a_group_that_was_renamed_after_the_plan_is_not_pushed(repo: IdpRepo, okta: Okta) -> None:
    """Its members would be in the group of WRITER with the new name, which nobody approved."""
    repo.run("plan", "--out", str(repo.folder / "plan.json"))
    group = okta.group("Marketing")
    group.name = "Admins"
    text = repo.apply(str(repo.folder / "plan.json"), code=Exit.STALE)
    assert "WRITER has Admins with other members, and a push replaces them" in text
    group.name = "Renamed"
    text = repo.apply(str(repo.folder / "plan.json"), code=Exit.INCOMPLETE)
    assert "has the name `Renamed` in Okta, not `Marketing`" in text
    assert {method for method, _, _ in repo.written} == {"PUT"}


def test_an_inactive_mapping_to_a_group_of_another_name_is_not_turned_on(repo: IdpRepo, okta: Okta) -> None:
    okta.push("Marketing", okta.add_app_group("Owners").id, status="INACTIVE")
    text = repo.apply(code=Exit.INCOMPLETE)
    assert "the inactive mapping of `Marketing` pushes it as `Owners`" in text
    assert okta.mapping("Marketing").status == "INACTIVE"


def test_a_push_that_replaces_the_members_of_a_mapped_group_is_not_judged(repo: IdpRepo, okta: Okta) -> None:
    okta.group("Marketing").members.append(oid("ann@tiny.co"))
    plan = repo.plan(code=Exit.REFUSED)
    assert "WRITER has Marketing with other members" in plan["impact"]["problem"]
    (found,) = [guard for guard in plan["guards"] if guard["name"] == "max_people_losing_access"]
    assert found["ways"][0].startswith("Compare the members of these groups in the IdP and in WRITER; ")
    repo.apply(code=Exit.REFUSED)
    assert okta.writes == []
    text = repo.run("access", "--at", "desired", code=Exit.UNSEEN)
    assert "WRITER has Marketing with other members, and a push replaces them" in text
    repo.run("access", "--at", "live")


def test_a_user_whose_name_in_the_app_is_not_the_login_loses_the_app(repo: IdpRepo, okta: Okta) -> None:
    user = okta.add_user("cy@corp.example", user_name="cy@tiny.co")
    okta.group("Core").members.remove(oid("cy@tiny.co"))
    okta.group("Everyone").members.remove(oid("cy@tiny.co"))
    okta.group("Former").members[:] = [user.id]
    repo.configure(manage=AUTHORITATIVE)
    plan = repo.plan()
    assert plan["idp_side"]["users"]["idp_assignments/Former"]["lose"] == 1
    (found,) = [guard for guard in plan["guards"] if guard["name"] == "deprovisions"]
    assert (found["verdict"], found["actual"]) == ("review", 1)


def test_reads_and_writes_use_their_own_credentials(repo: IdpRepo, okta: Okta) -> None:
    """The credential that reads has no right to write in this Okta, and the reverse; both are needed."""
    okta.tokens[WRITE] = WRITE_SCOPES
    repo.apply()
    assert {write.status for write in okta.writes} == {200, 201}


def test_without_a_credential_to_write_with_they_stay_manual_steps(repo: IdpRepo, okta: Okta) -> None:
    repo.configure(write="")
    assert {change["via"] for change in repo.plan()["changes"]} == {"human"}
    repo.apply(code=Exit.HUMAN)
    assert okta.writes == []


def test_a_missing_credential_is_an_error_before_anything_is_sent(
    repo: IdpRepo, okta: Okta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("W")
    repo.plan()
    text = repo.apply(code=Exit.ERROR)
    assert "rolecall.yaml:13" in text
    assert "`idp.okta.write.token`: the environment variable W is not set" in text
    assert okta.writes == []
    assert "No runs" in repo.run("history")


@pytest.mark.parametrize("scopes", [(), ("okta.apps.manage",)])
def test_a_right_that_is_missing_is_named(repo: IdpRepo, okta: Okta, scopes: tuple[str, ...]) -> None:
    okta.tokens[WRITE] = scopes
    text = repo.apply(code=Exit.INCOMPLETE)
    assert "okta.groups.manage" in text
    assert (oid("Everyone") in okta.assigned) == bool(scopes)


def test_an_item_that_changed_after_the_plan_was_checked_is_not_written(repo: IdpRepo, okta: Okta) -> None:
    """Okta has no ETags: the whole item is compared right before."""
    repo.configure(manage=AUTHORITATIVE)
    okta.faults.append(_Relinked(okta))
    text = repo.apply(code=Exit.INCOMPLETE)
    assert "someone changed it after the plan was checked" in text
    assert okta.mapping("Old").status == "ACTIVE"
    assert not [path for method, path, _ in repo.written if method == "PATCH"]


class _Relinked(Fault):
    """Links Old to another target when its mapping is looked up before the write."""

    def __init__(self, okta: Okta) -> None:
        super().__init__(500, path="group-push/mappings")
        self.okta = okta

    def hits(self, call: Call) -> bool:
        if call.query.get("sourceGroupId") == oid("Old"):
            self.okta.mapping("Old").target = self.okta.add_app_group("Other").id
        return False


def test_history_and_show_have_the_steps(repo: IdpRepo) -> None:
    repo.apply()
    assert "2 steps" in repo.run("history")
    shown = repo.run("show", "1")
    assert "idp_assignments/Everyone" in shown
    assert "idp_pushes/Marketing" in shown


def test_rollback_restores_both(repo: IdpRepo, okta: Okta, tmp_path: Path) -> None:
    repo.configure(lists="  assignments: [Core, Everyone]\n  pushes: [Admins, Extra]\n", manage=AUTHORITATIVE)
    repo.apply()
    assert {okta.groups[group].name for group in okta.assigned} == {"Core", "Everyone"}
    back = str(tmp_path / "back.json")
    repo.run("rollback", "1", "--out", back)
    repo.run("apply", back, "--auto-approve")
    assert {okta.groups[group].name for group in okta.assigned} == {"Core", "Former"}
    assert okta.mapping("Old").status == "ACTIVE"
    with pytest.raises(KeyError):
        okta.mapping("Extra")


def test_an_incomplete_end_of_a_push_is_completed_by_the_next_apply(repo: IdpRepo, okta: Okta) -> None:
    repo.configure(manage=AUTHORITATIVE)
    okta.faults.append(Fault(403, method="DELETE", path=MAPPINGS))
    text = repo.apply(code=Exit.INCOMPLETE)
    assert "Okta no longer pushes the group, but still has its inactive mapping" in text
    assert okta.mapping("Old").status == "INACTIVE"
    okta.faults.append(Fault(500, method="DELETE", path=MAPPINGS, times=4))
    repo.apply(code=Exit.INCOMPLETE)
    text = repo.apply()
    assert "idp_pushes/Old, was done" in text
    with pytest.raises(KeyError):
        okta.mapping("Old")
    before = len(okta.writes)
    repo.apply()
    assert len(okta.writes) == before


def test_only_the_mapping_of_the_step_is_deleted(repo: IdpRepo, okta: Okta) -> None:
    """The mapping was deleted in Okta's console since, and the group has another one, which is paused."""
    repo.configure(manage=AUTHORITATIVE)
    okta.faults.append(Fault(403, method="DELETE", path=MAPPINGS))
    repo.apply(code=Exit.INCOMPLETE)
    okta.unpush("Old")
    paused = okta.push("Old", okta.add_app_group("Elsewhere").id, status="INACTIVE")
    assert "idp_pushes/Old, was done" in repo.apply()
    assert okta.mapping("Old") is paused
    assert not [write for write in okta.writes if write.method == "DELETE" and paused.id in write.path]
    repo.apply()
    assert okta.mapping("Old") is paused


def test_a_step_of_a_former_app_is_not_settled_by_another_one(repo: IdpRepo, okta: Okta) -> None:
    """In between, a configuration that manages nothing in the IdP was applied, which clears the note of the app."""
    repo.configure(manage=AUTHORITATIVE)
    okta.faults.append(Fault(403, method="DELETE", path=MAPPINGS, times=2))
    repo.apply(code=Exit.INCOMPLETE)
    repo.configure(lists="", manage=AUTHORITATIVE)
    repo.apply(code=Exit.INCOMPLETE)
    former = okta.app, okta.mappings, okta.groups
    okta.app, okta.mappings = "0oa2", {}
    okta.groups = {group_id: group for group_id, group in okta.groups.items() if group.source is None}
    okta.push("Old", okta.add_app_group("Old of 0oa2").id, status="INACTIVE")
    repo.configure(manage=AUTHORITATIVE, app="0oa2")
    before = len(okta.writes)
    text = repo.apply(code=Exit.INCOMPLETE)
    assert "idp_pushes/Old, has an unknown outcome" in text
    assert "is not the app of the step" in text
    assert not [write for write in okta.writes[before:] if write.method == "DELETE" and MAPPINGS in write.path]
    assert okta.mapping("Old").status == "INACTIVE"
    okta.app, okta.mappings, okta.groups = former
    repo.configure(lists="", manage=AUTHORITATIVE)
    assert "idp_pushes/Old, was done" in repo.apply()
    with pytest.raises(KeyError):
        okta.mapping("Old")


def test_a_group_that_is_pushed_again_needs_no_end_of_its_push(repo: IdpRepo, okta: Okta) -> None:
    repo.configure(manage=AUTHORITATIVE)
    okta.faults.append(Fault(403, method="DELETE", path=MAPPINGS))
    repo.apply(code=Exit.INCOMPLETE)
    repo.configure(lists="  assignments: [Core, Everyone]\n  pushes: [Admins, Marketing, Old]\n", manage=AUTHORITATIVE)
    repo.apply()
    assert okta.mapping("Old").status == "ACTIVE"


@pytest.fixture
def ci(monkeypatch: pytest.MonkeyPatch, repo: IdpRepo) -> pytest.MonkeyPatch:
    """A pipeline that names the host and the app."""
    for name, value in {"CI": "true", "ROLECALL_IDP_HOST": "127.0.0.1", "ROLECALL_IDP_APP": "0oa1"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


IN_CI = ("--journal-lost-ok",)


def test_a_pipeline_that_names_the_app_and_its_host_writes(repo: IdpRepo, okta: Okta, ci: pytest.MonkeyPatch) -> None:
    repo.apply(*IN_CI)
    assert oid("Everyone") in okta.assigned


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ROLECALL_IDP_APP", "", "in CI, ROLECALL_IDP_APP must name the app"),
        ("ROLECALL_IDP_APP", "0oa2", "`idp` is about the app 0oa1, but ROLECALL_IDP_APP is 0oa2"),
        ("ROLECALL_IDP_HOST", "", "in CI, ROLECALL_IDP_HOST must name the IdP's host"),
        ("ROLECALL_IDP_HOST", "acme.okta.com", "may only be sent to acme.okta.com, not to 127.0.0.1"),
    ],
)
def test_a_pipeline_is_blocked_for_another_target(
    repo: IdpRepo, okta: Okta, ci: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    ci.setenv(name, value)
    assert expected in repo.apply(*IN_CI, code=Exit.REFUSED)
    assert okta.requests == []


def test_the_app_may_be_named_outside_a_pipeline(repo: IdpRepo, okta: Okta, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLECALL_IDP_APP", "0oa2")
    assert "but ROLECALL_IDP_APP is 0oa2" in repo.apply(code=Exit.REFUSED)
    assert "but ROLECALL_IDP_APP is 0oa2" in repo.run("plan", code=Exit.ERROR)


def test_a_pipeline_does_not_write_with_the_credential_that_reads(
    repo: IdpRepo, okta: Okta, ci: pytest.MonkeyPatch
) -> None:
    ci.setenv("W", READ)
    text = repo.apply(*IN_CI, code=Exit.REFUSED)
    assert "the credential that writes to the IdP must not be the one that reads it" in text
    assert okta.writes == []
    ci.delenv("CI")
    repo.apply(code=Exit.INCOMPLETE)  # outside a pipeline it is tried, and lacks the rights here
