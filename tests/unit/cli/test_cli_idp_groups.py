"""Groups that the configuration assigns and pushes in Okta, in every command that plans, compares or writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli_repo import CONFIG, make_repo, run_in
from fake_idps import Site, oid, okta_answers, served

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import decode_plan

Capture = pytest.CaptureFixture[str]
TOKEN = "canary-idp-7c1e"
PEOPLE = {"ann@tiny.co": ["Admins"], "cy@tiny.co": ["Marketing", "Everyone"], "di@tiny.co": ["Marketing", "Everyone"]}
GROUPS = ["Admins", "Marketing", "Everyone", "Old"]
LISTS = "  assignments: [Everyone]\n  pushes: idp_groups\n"
Repo = Callable[..., Path]


def a_site(**more: Any) -> Site:
    return Site(**{"people": PEOPLE, "groups": list(GROUPS), "pushed": ["Admins", "Old"], "token": TOKEN, **more})


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    """Make a repo with lists of groups, and a stand-in for its Okta."""
    monkeypatch.setenv("IDP_TOKEN", TOKEN)
    with ExitStack() as stack:

        def made(site: Site, lists: str = LISTS, manage: str = "idp_groups: authoritative") -> Path:
            url = stack.enter_context(served(site, okta_answers, okta=True))
            config = CONFIG.replace("idp_groups: authoritative", manage).replace("[Brand]", "[Marketing]")
            okta = f"idp:\n  okta: {{url: '{url}', app: 0oa1, token: {{env: IDP_TOKEN}}}}\n"
            return make_repo(tmp_path / "repo", f"{config}{okta}{lists}")

        yield made


def printed(capsys: Capture, folder: Path, *line: str, code: Exit = Exit.OK) -> str:
    output = run_in(capsys, folder, *line, secret=TOKEN, code=code)
    return output.out + output.err


def planned(capsys: Capture, folder: Path, *line: str, code: Exit = Exit.OK) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["-C", str(folder), "plan", "--format", "json", *line]) == code
    plan: dict[str, Any] = json.loads(capsys.readouterr().out)
    return plan


def changed(plan: dict[str, Any]) -> dict[str, str]:
    return {change["address"]: change["action"] for change in plan["changes"]}


AUTHORITATIVE = "idp_groups: authoritative, idp_assignments: authoritative, idp_pushes: authoritative"


def test_a_plan_has_both_sides(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(assigned_groups=["Old"]), manage=AUTHORITATIVE)
    text = printed(capsys, folder, "plan")
    assert "IdP: Okta, 127.0.0.1:" in text
    assert "app 0oa1   read: 1 assigned group, 2 pushed groups" in text
    lines = text.splitlines()
    (assigned,) = [line for line in lines if "+ idp_assignments/Everyone" in line]
    assert f"id: {oid('Everyone')}" in assigned
    assert "rolecall.yaml:14" in assigned
    assert "OKTA_GROUP, 2 members" in lines[lines.index(assigned) + 1]
    (pushed,) = [line for line in lines if "+ idp_pushes/Marketing" in line]
    assert "rolecall.yaml:7" in pushed  # the place of the entry of idp_groups
    (ended,) = [line for line in lines if "- idp_pushes/Old" in line]
    assert "stays in WRITER with its members" in "".join(lines[lines.index(ended) :][:3])
    assert any("- idp_assignments/Old" in line for line in lines)


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_every_format_has_the_line_about_the_idp(repo: Repo, capsys: Capture, form: str) -> None:
    text = printed(capsys, repo(a_site()), "plan", "--format", form)
    assert "IdP: Okta, 127.0.0.1:" in text
    assert "0 assigned groups, 2 pushed groups" in text


def test_sections_are_additive_unless_the_configuration_says_otherwise(repo: Repo, capsys: Capture) -> None:
    plan = planned(capsys, repo(a_site(assigned_groups=["Old"])))
    assert changed(plan) == {"idp_assignments/Everyone": "create", "idp_pushes/Marketing": "create"}


def test_changes_are_manual_steps_until_rolecall_can_write_them(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site())
    plan = planned(capsys, folder)
    assert {(change["via"], change["via_reason"]) for change in plan["changes"]} == {("human", "idp_read_only")}
    text = printed(capsys, folder, "apply", "--auto-approve", code=Exit.HUMAN)
    assert "2 manual steps" in text
    runbook = printed(capsys, folder, "runbook", "1")
    assert "Assign to Groups" in runbook
    assert "Find groups by name" in runbook
    assert "an admin of it is needed" in runbook


def test_a_plan_in_json_survives_and_names_the_groups(repo: Repo, capsys: Capture) -> None:
    plan = planned(capsys, repo(a_site()))
    assert plan["idp_side"]["groups"]["idp_assignments/Everyone"] == {
        "id": oid("Everyone"),
        "type": "OKTA_GROUP",
        "members": 2,
    }
    assert plan["coverage"]["idp_pushes"]["state"] == "complete"
    assert digest(decode_plan(plan)) == plan["digest"]


def test_what_was_done_in_okta_is_no_longer_planned_and_remembered(repo: Repo, capsys: Capture) -> None:
    site = a_site()
    folder = repo(site)
    printed(capsys, folder, "apply", "--auto-approve", code=Exit.HUMAN)
    site.assigned_groups.append("Everyone")
    site.pushed.append("Marketing")
    assert changed(planned(capsys, folder, "--detailed-exitcode")) == {}
    printed(capsys, folder, "apply", "--auto-approve")
    site.assigned_groups.remove("Everyone")
    text = printed(capsys, folder, "drift", "--detailed-exitcode", code=Exit.CHANGES)
    assert "idp_assignments/Everyone" in text
    assert "1 setting changed in the console" in text
    assert "deprovisions" in printed(capsys, folder, "drift", "--accept", code=Exit.REFUSED)


def test_a_manual_step_in_okta_is_reported_done(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site())
    printed(capsys, folder, "apply", "--auto-approve", code=Exit.HUMAN)
    text = printed(capsys, folder, "done", "1", "1", "--by", "ann@tiny.co", code=Exit.HUMAN)
    assert "idp_assignments/Everyone" in text
    assert "idp_assignments" not in (folder / "live.json").read_text()


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ("  assignments: [Nobody]\n", "rolecall.yaml:14:17: Okta has no group named `Nobody`; correct the name"),
        ("  assignments: [Twin]\n", "rolecall.yaml:14:17: Okta has 2 groups named `Twin` ("),
        ("  pushes: [{name: Twin, id: 00gnone}]\n", "rolecall.yaml:14:12: Okta has no group with the id 00gnone"),
        ("  pushes: [Admins, Admins]\n", "rolecall.yaml:14:20: `Admins` is already listed at rolecall.yaml:14:12"),
    ],
)
def test_groups_that_are_not_one_group_are_errors(repo: Repo, capsys: Capture, lists: str, expected: str) -> None:
    site = a_site(groups=[*GROUPS, "Twin"], homonyms={"00gtwin2": "Twin"})
    text = printed(capsys, repo(site, lists), "plan", code=Exit.ERROR)
    assert expected in text
    if "2 groups" in expected:
        assert "00gtwin2" in text
        assert oid("Twin") in text


def test_an_id_pins_one_of_two_groups(repo: Repo, capsys: Capture) -> None:
    site = a_site(groups=[*GROUPS, "Twin"], homonyms={"00gtwin2": "Twin"})
    plan = planned(capsys, repo(site, f"  assignments: [{{name: Twin, id: {oid('Twin')}}}]\n"))
    (change,) = plan["changes"]
    assert (change["address"], change["after"]) == ("idp_assignments/Twin", {"id": oid("Twin")})


@pytest.mark.parametrize(("key", "column", "name"), [("pushes", 12, "Old"), ("assignments", 17, "Marketing")])
def test_an_outdated_name_of_a_pinned_group_is_an_error(
    repo: Repo, capsys: Capture, key: str, column: int, name: str
) -> None:
    pin = oid(name)
    folder = repo(a_site(), f"  {key}: [{{name: Former, id: {pin}}}]\n")
    text = printed(capsys, folder, "plan", code=Exit.ERROR)
    problem = f"`idp.{key}`: the group with id {pin} has the name `{name}` in Okta, not `Former`"
    assert f"rolecall.yaml:14:{column}: {problem}; write {{name: {name}, id: {pin}}}" in text
    config = (folder / "rolecall.yaml").read_text()
    (folder / "rolecall.yaml").write_text(config.replace("name: Former", f"name: {name}"))
    assert changed(planned(capsys, folder)) == ({} if key == "pushes" else {"idp_assignments/Marketing": "create"})


def test_a_name_that_means_another_group_than_at_the_last_apply_is_refused(repo: Repo, capsys: Capture) -> None:
    site = a_site(assigned_groups=["Everyone"])
    folder = repo(site, "  assignments: [Everyone]\n")
    printed(capsys, folder, "apply", "--auto-approve")
    site.groups.remove("Everyone")
    site.homonyms["00gother"] = "Everyone"
    site.assigned_groups.clear()
    text = printed(capsys, folder, "plan", code=Exit.ERROR)
    assert f"`Everyone` meant the group with id {oid('Everyone')} at the last apply, and now means 00gother" in text
    printed(capsys, folder, "apply", "--auto-approve", code=Exit.ERROR)


@pytest.mark.parametrize(
    ("end", "section", "other"),
    [
        ("/apps/0oa1/groups", "idp_assignments", "idp_pushes/Marketing"),
        ("/mappings", "idp_pushes", "idp_assignments/Everyone"),
    ],
)
def test_a_section_that_cannot_be_read_has_no_changes(
    repo: Repo, capsys: Capture, end: str, section: str, other: str
) -> None:
    folder = repo(a_site(forbidden=(end,)))
    plan = planned(capsys, folder, code=Exit.REFUSED)  # the guard `unread`, as there are other changes
    assert plan["coverage"][section]["state"] == "unread"
    assert list(changed(plan)) == [other]
    assert f"Incomplete read: {section} could not be read" in printed(capsys, folder, "plan", code=Exit.REFUSED)


def test_an_unread_side_exits_with_7(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(forbidden=("/mappings",)), "  pushes: idp_groups\n")
    plan = planned(capsys, folder, "--detailed-exitcode", code=Exit.UNSEEN)
    assert plan["changes"] == []
    printed(capsys, folder, "drift", "--detailed-exitcode", code=Exit.UNSEEN)


def test_a_refused_token_is_reported_once_for_each_section(repo: Repo, capsys: Capture) -> None:
    """`people: idp` reads the same app, which adds no third warning."""
    folder = repo(a_site(token="another"), f"{LISTS}people: idp\n")
    warnings = planned(capsys, folder)["warnings"]
    assert [warning["code"] for warning in warnings] == ["unread", "unread"]
    assert all("Okta does not accept the token: Invalid token provided" in warning["message"] for warning in warnings)


def test_doctor_reads_what_the_configuration_manages_in_the_idp(repo: Repo, capsys: Capture) -> None:
    text = printed(capsys, repo(a_site(assigned_groups=["Old"])), "doctor")
    assert "assignments: 1 groups; pushes: 2 groups" in text
    assert "could not be read" not in text


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("/mappings", "pushes could not be read: the token cannot read /api/v1/apps/0oa1/group-push/mappings of Okta"),
        ("/api/v1/groups", "idp_pushes could not be read: the token cannot read /api/v1/groups of Okta"),
    ],
)
def test_doctor_names_what_it_cannot_read_in_the_idp(repo: Repo, capsys: Capture, end: str, expected: str) -> None:
    text = printed(capsys, repo(a_site(forbidden=(end,)), "  pushes: idp_groups\n"), "doctor")
    (line,) = [line for line in text.splitlines() if "could not be read" in line]
    assert line.startswith("warning  idp ")
    assert expected in line


def test_doctor_names_groups_that_the_idp_does_not_have(repo: Repo, capsys: Capture) -> None:
    text = printed(capsys, repo(a_site(), "  assignments: [Nobody]\n"), "doctor", code=Exit.ERROR)
    assert "Okta has no group named `Nobody`" in text


@pytest.mark.parametrize("end", ["/groups", "/api/v1/groups"])
def test_groups_that_cannot_be_looked_up_leave_their_section_unread(repo: Repo, capsys: Capture, end: str) -> None:
    folder = repo(a_site(forbidden=(end,)), "  pushes: idp_groups\n")
    plan = planned(capsys, folder)
    assert plan["coverage"]["idp_pushes"]["state"] == "unread"
    assert changed(plan) == {}


def test_a_mapping_that_is_off_is_not_a_push(repo: Repo, capsys: Capture) -> None:
    plan = planned(
        capsys, repo(a_site(pushed=["Admins", "Marketing"], paused=("Marketing",)), "  pushes: idp_groups\n")
    )
    assert changed(plan) == {"idp_pushes/Marketing": "create"}


def test_okta_is_not_asked_about_what_the_configuration_does_not_manage(repo: Repo, capsys: Capture) -> None:
    site = a_site()
    printed(capsys, repo(site, "", "idp_groups: additive"), "plan")
    assert site.seen == []


def test_an_unmanaged_section_is_not_read(repo: Repo, capsys: Capture) -> None:
    site = a_site()
    folder = repo(site, manage="idp_groups: authoritative, idp_pushes: unmanaged, idp_assignments: unmanaged")
    assert changed(planned(capsys, folder)) == {}
    assert site.seen == []


def test_a_snapshot_has_no_side_of_the_idp(repo: Repo, capsys: Capture) -> None:
    plan = planned(capsys, repo(a_site()), "--snapshot", "live.json")
    assert plan["coverage"]["idp_pushes"]["state"] == "unread"


def test_export_writes_ids(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(assigned_groups=["Old"]))
    printed(capsys, folder, "export", "--out", str(folder / "new"))
    idp = yaml.safe_load((folder / "new" / "rolecall.yaml").read_text())["idp"]
    assert idp["assignments"] == [{"name": "Old", "id": oid("Old")}]
    assert idp["pushes"] == [{"name": name, "id": oid(name)} for name in ("Admins", "Old")]


def test_the_form_of_assignments_in_entra_is_not_supported_yet(tmp_path: Path, capsys: Capture) -> None:
    entra = "idp: {entra: {tenant: t, app: x, token: {env: T}}, assignments: {groups: [A], via: manual}}\n"
    text = printed(capsys, make_repo(tmp_path / "repo", f"{CONFIG}{entra}"), "validate", code=Exit.ERROR)
    assert "`assignments` with keys, for Entra, is not supported yet" in text


def test_every_list_that_is_not_supported_for_entra_is_refused(tmp_path: Path, capsys: Capture) -> None:
    entra = "idp: {entra: {tenant: t, app: x, token: {env: T}}, assignments: [A], pushes: idp_groups}\n"
    folder = make_repo(tmp_path / "repo", f"{CONFIG}{entra}")
    text = printed(capsys, folder, "validate", code=Exit.ERROR)
    assert "`assignments` is not supported yet for Entra" in text
    assert "`pushes` is not supported yet for Entra" in text


# Users on both sides

NEW = {**PEOPLE, "eve@tiny.co": ["Everyone", "Marketing"], "flo@tiny.co": ["Everyone"]}
ALL_SETS = "idp_groups: authoritative, idp_assignments: authoritative"


def test_an_assignment_shows_who_gets_the_app_and_with_which_access(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(people=NEW, pushed=["Admins", "Marketing"]), "  assignments: [Everyone]\n")
    text = printed(capsys, folder, "plan")
    assert "2 users get the app." in text
    assert "flo@tiny.co gains Everyone member" in text
    assert "fall back" not in text
    assert "falls back" not in text
    plan = planned(capsys, folder)
    assert plan["idp_side"]["users"] == {"idp_assignments/Everyone": {"gain": 2, "taken_over": 0, "lose": 0}}
    access = {user["email"]: user["after"] for user in plan["impact"]["details"]}
    assert access["eve@tiny.co"] == [{"team": "Marketing", "role": "member"}]
    assert access["flo@tiny.co"] == [{"team": "Everyone", "role": "member"}]  # in no mapped group
    assert {at for user in plan["impact"]["details"] for at in user["because"]} == {"idp_assignments/Everyone"}


def test_why_and_access_tests_use_the_state_after_both_sides(repo: Repo, capsys: Capture) -> None:
    folder = repo(a_site(people=NEW, pushed=["Admins", "Marketing"]), "  assignments: [Everyone]\n")
    assert "eve@tiny.co" in printed(capsys, folder, "access", "--at", "desired")
    assert "Marketing" in printed(capsys, folder, "why", "eve@tiny.co", "--at", "desired")
    assert "no user eve@tiny.co" in printed(capsys, folder, "why", "eve@tiny.co", "--at", "live", code=Exit.USAGE)
    with (folder / "rolecall.yaml").open("a") as config:
        config.write("access_tests: [{name: eve, person: eve@tiny.co, expect: [{team: Marketing, role: member}]}]\n")
    (result,) = planned(capsys, folder)["access_tests"]
    assert result["passed"] is True


def test_ending_an_assignment_shows_who_loses_the_app_and_counts_for_guards(repo: Repo, capsys: Capture) -> None:
    site = a_site(people=PEOPLE, assigned_groups=["Everyone", "Admins"])
    folder = repo(site, "  assignments: [Admins]\n", ALL_SETS)
    site.direct_users = ["di@tiny.co"]
    plan = planned(capsys, folder)
    assert changed(plan) == {"idp_assignments/Everyone": "delete"}
    assert plan["idp_side"]["users"]["idp_assignments/Everyone"]["lose"] == 1  # di@tiny.co has the app directly
    assert [user["email"] for user in plan["impact"]["details"]] == ["cy@tiny.co"]
    assert plan["impact"]["losing"] == 1
    assert "1 user loses the app" in printed(capsys, folder, "plan")


def test_a_push_shows_that_the_mapping_is_pending_and_who_gains(repo: Repo, capsys: Capture) -> None:
    site = a_site(people={**PEOPLE, "ann@tiny.co": ["Admins", "Old"]}, pushed=["Admins", "Marketing"])
    folder = repo(site, "  pushes: [Admins, Marketing, Old]\n")
    config = (folder / "rolecall.yaml").read_text()
    (folder / "rolecall.yaml").write_text(
        config.replace("idp_groups:\n", "idp_groups:\n  Old: {role: member, teams: [Brand]}\n", 1)
    )
    text = printed(capsys, folder, "plan")
    assert "New in WRITER: idp_groups/Old is mapped once the group arrives." in text
    assert "joins Brand" in text or "gains Brand" in text or "Brand" in text.partition("Pending")[2]


def test_members_that_cannot_be_read_leave_guards_unevaluated(repo: Repo, capsys: Capture) -> None:
    site = a_site(people=NEW, forbidden=(f"/groups/{oid('Everyone')}/users",))
    folder = repo(site, "  assignments: [Everyone]\n")
    plan = planned(capsys, folder, code=Exit.REFUSED)
    assert "the members of Everyone" in plan["impact"]["problem"]
    unjudged = [guard for guard in plan["guards"] if guard["verdict"] == "not judged"]
    assert unjudged
    assert {guard["ways"][0] for guard in unjudged} == {"Check the permissions of the credential in `idp`."}


def test_a_saved_plan_has_ids_and_is_applied_by_them(repo: Repo, capsys: Capture) -> None:
    site = a_site()
    folder = repo(site)
    saved = folder / "plan.json"
    printed(capsys, folder, "plan", "--out", str(saved))
    site.homonyms["00gother"] = "Everyone"  # the name is ambiguous now, and the plan has the ID
    assert "2 manual steps" in printed(capsys, folder, "apply", str(saved), "--auto-approve", code=Exit.HUMAN)


def test_drift_in_okta_shows_its_users_and_is_reverted(repo: Repo, capsys: Capture) -> None:
    people = {**PEOPLE, "bo@tiny.co": ["Partners"]}
    site = a_site(people=people, groups=[*GROUPS, "Partners"], assigned_groups=["Everyone", "Partners"])
    folder = repo(site, "  assignments: [Everyone, Partners]\n")
    printed(capsys, folder, "apply", "--auto-approve")
    site.assigned_groups.remove("Partners")
    capsys.readouterr()
    assert run(["-C", str(folder), "drift", "--format", "json"]) == Exit.OK
    report = json.loads(capsys.readouterr().out)
    (drift,) = report["drift"]
    assert (drift["address"], drift["class"]) == ("idp_assignments/Partners", "console")
    assert report["impact"]["did"]["losing"] == 1
    saved = folder / "revert.json"
    printed(capsys, folder, "drift", "--revert", "--out", str(saved))
    revert = json.loads(saved.read_text())
    assert {change["address"]: change["action"] for change in revert["changes"]} == {
        "idp_assignments/Partners": "create"
    }
    printed(capsys, folder, "apply", str(saved), "--auto-approve", code=Exit.HUMAN)
