"""Test `why`, `access` and `test`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
TESTS = """\
access_tests:
  - {name: cy gets Brand, person: cy@tiny.co, expect: [{team: Brand, role: member}]}
  - {name: one door, role: org_admin, granted_by_only: [Admins]}
"""


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    live = {**SNAPSHOT["idp_groups"], "Strays": {"role": "org_admin", "teams": ["Brand"]}}
    text = CONFIG.replace("manage: {idp_groups: authoritative}\n", "") + TESTS
    made = make_repo(tmp_path / "repo", text, {**SNAPSHOT, "idp_groups": live})
    monkeypatch.chdir(made)
    capsys.readouterr()
    return made


def test_why_tells_rule_setting_place_and_value(repo: Path, capsys: Capture) -> None:
    assert run(["why", "CY@tiny.co"]) == Exit.OK
    told = capsys.readouterr().out
    assert "  Marketing member\n" in told
    given, asked = "{role: member, teams: [Marketing]}", "{role: member, teams: [Brand]}"
    assert f"group:Marketing (R8): {given}  not applied: {asked}   rolecall.yaml:6\n" in told
    assert "state: live" in told
    assert "Settings that give nothing:\n    default (R8)" in told


def test_why_asks_other_states_too(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    capsys.readouterr()
    for at in ("desired", "plan.json"):
        assert run(["why", "cy@tiny.co", "--at", at]) == Exit.OK
        told = capsys.readouterr().out
        assert "  Brand member\n" in told
        assert f"state: {'configuration' if at == 'desired' else 'after the plan'}" in told
        assert "rolecall.yaml:6\n" in told
        assert "not applied" not in told


def test_why_marks_what_is_not_applied_in_json_too(repo: Path, capsys: Capture) -> None:
    for at, applied in (("live", False), ("desired", True)):
        assert run(["why", "cy@tiny.co", "--at", at, "--format", "json"]) == Exit.OK
        body = json.loads(capsys.readouterr().out)
        cause = body["combos"][0]["because"][0]
        assert (body["state"], cause["applied"], cause["asked"] is None) == (at, applied, applied)


def test_a_line_that_has_expired_is_not_applied(repo: Path, capsys: Capture) -> None:
    path = repo / "rolecall.yaml"
    path.write_text(path.read_text().replace("    owner:", "    expires: 2020-01-01\n    owner:"))
    assert run(["why", "cy@tiny.co"]) == Exit.OK
    assert "not applied: blank   rolecall.yaml:6\n" in capsys.readouterr().out


def test_why_not_says_what_would_give_it(repo: Path, capsys: Capture) -> None:
    assert run(["why", "cy@tiny.co", "--not", "Org admin"]) == Exit.OK
    told = capsys.readouterr().out
    assert "Does not have org_admin. Any one of these gives it:" in told
    assert "Add the user to `Admins` in the IdP" in told
    assert run(["why", "ann@tiny.co", "--not", "org_admin"]) == Exit.OK
    assert "Already has org_admin:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("email", "hint"),
    [
        ("cyy@tiny.co", "; did you mean cy@tiny.co?"),
        ("ANN@tinny.co", "; did you mean ann@tiny.co?"),
        ("cy@tiny.con", "; did you mean cy@tiny.co?"),
        ("cy", "; did you mean cy@tiny.co?"),
        ("Cyy", "; did you mean cy@tiny.co?"),
        ("zoe.quartz", "; for the list of users: rolecall access"),
        ("zoe.quartz@example.org", "; for the list of users: rolecall access"),
    ],
)
def test_an_unknown_user_is_told_from_those_who_are_near(repo: Path, email: str, hint: str, capsys: Capture) -> None:
    for at in ("live", "desired"):
        assert run(["why", email, "--at", at]) == Exit.USAGE
        assert capsys.readouterr().err == f"error: no user {email} in this org{hint}\n"


def test_why_asks_for_somebody_who_need_not_exist(repo: Path, capsys: Capture) -> None:
    assert run(["why", "--groups", "Marketing, Admins", "--format", "json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["org_admin"] is True
    assert {row["team"] for row in told["combos"]} == {"Marketing", "Everyone"}


@pytest.mark.parametrize(
    "args", [[], ["ann@tiny.co", "--groups", "Admins"], ["nobody@tiny.co"], ["--groups", "Nowhere"]]
)
def test_why_wants_one_person_or_persona_that_can_be_found(repo: Path, args: list[str]) -> None:
    assert run(["why", *args]) == Exit.USAGE


def test_access_lists_everybody_sorted(repo: Path, capsys: Capture) -> None:
    assert run(["access", "--format", "json"]) == Exit.OK
    rows = json.loads(capsys.readouterr().out)["people"]
    assert [row["email"] for row in rows] == ["ann@tiny.co", "bo@tiny.co", "cy@tiny.co", "di@tiny.co"]
    assert rows[0] == {
        "email": "ann@tiny.co",
        "org_admin": True,
        "combos": [{"team": "Everyone", "role": "org_admin", "reason": "group:Admins", "reasons": ["group:Admins"]}],
    }


@pytest.mark.parametrize(
    ("args", "people"),
    [
        (["--role", "org_admin"], ["ann", "bo"]),
        (["--team", "Marketing"], ["cy", "di"]),
        (["--team", "Brand", "--at", "desired"], ["cy", "di"]),
        (["--team", "Everyone", "--role", "team_admin"], []),
    ],
)
def test_access_can_be_narrowed(repo: Path, args: list[str], people: list[str], capsys: Capture) -> None:
    assert run(["access", *args, "--format", "csv"]) == Exit.OK
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["email"].partition("@")[0] for row in rows] == people


def test_access_as_text_ends_with_a_count(repo: Path, capsys: Capture) -> None:
    run(["access"])
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith("LOCAL REHEARSAL, not WRITER")
    assert rows[1] == "ann@tiny.co                   org_admin (org-wide, team Everyone) (group:Admins)  org admin"
    assert rows[-1] == "4 users."


def test_people_are_named_in_a_pipeline_too(repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    run(["access"])
    assert "ann@tiny.co" in capsys.readouterr().out


def test_what_is_not_managed_is_listed(repo: Path, capsys: Capture) -> None:
    assert run(["access", "--unmanaged"]) == Exit.OK
    assert "idp_groups/Strays  org_admin (org-wide, team Brand)" in capsys.readouterr().out
    run(["access", "--unmanaged", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["unmanaged"][0]["address"] == "idp_groups/Strays"
    assert run(["access", "--unmanaged", "--format", "csv"]) == Exit.USAGE


def test_access_tests_hold_or_leave_three(repo: Path, capsys: Capture) -> None:
    assert run(["test", "--report", "junit=tests.xml"]) == Exit.REFUSED
    told = capsys.readouterr().out
    assert "ok       cy gets Brand" in told
    assert "FAILED   one door" in told
    assert "1 of 2 access tests passed." in told
    root = ElementTree.fromstring((repo / "tests.xml").read_text(encoding="utf-8"))
    assert (root.attrib["tests"], root.attrib["failures"]) == ("2", "1")


def test_access_tests_run_on_live_too(repo: Path, capsys: Capture) -> None:
    assert run(["test", "--at", "live"]) == Exit.REFUSED
    assert "FAILED   cy gets Brand" in capsys.readouterr().out


def test_a_config_without_access_tests_says_so(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    assert run(["test"]) == Exit.OK
    assert "There are no access tests." in capsys.readouterr().out


@pytest.mark.parametrize("value", ["junit", "xml=x", "junit="])
def test_a_report_that_is_none(repo: Path, value: str) -> None:
    assert run(["test", "--report", value]) == Exit.USAGE


def test_a_failed_access_test_refuses_the_plan(repo: Path, capsys: Capture) -> None:
    assert run(["plan"]) == Exit.REFUSED
    assert "FAILED  access test: one door" in capsys.readouterr().out


def test_who_was_seen_to_hold_what_on_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    made = make_repo(tmp_path / "seen")
    monkeypatch.chdir(made)
    assert run(["access", "--at", "2026-03-01"]) == Exit.USAGE
    assert "there is no access record from 2026-03-01" in capsys.readouterr().err
    assert run(["apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    assert run(["access", "--role", "Org admin", "--at", "2999-12-31"]) == Exit.OK
    told = capsys.readouterr().out
    assert "UTC by run 1; no later record\nann@tiny.co" in told
    assert "org admin (org-wide, team Everyone) (group:Admins)  rolecall.yaml:6" in told
    assert run(["access", "--at", "2999-12-31", "--format", "csv"]) == Exit.OK
    assert capsys.readouterr().out.startswith("email,id,role,team,by,mapping,source,commit,pull_request,approved_by,")


WAITING = """\
idp_groups:
  Admins: {role: org_admin, teams: [Everyone]}
  Marketing: {role: member, teams: [Marketing]}
  New: {role: team_admin, teams: [Brand]}
access_tests:
  - {name: new leads, person: {groups: [New]}, expect: [{team: Brand, role: team_admin}]}
"""


def test_the_state_that_is_wanted_has_what_waits(repo: Path, capsys: Capture) -> None:
    head = "version: 1\norg: {name: tinyco, url: local:org.db}\n"
    (repo / "rolecall.yaml").write_text(head + WAITING, encoding="utf-8")
    assert run(["test"]) == Exit.OK
    assert run(["test", "--at", "live"]) == Exit.REFUSED
    assert run(["plan", "--out", "plan.json"]) == Exit.OK
    assert "LATER   access test: new leads\n          lacks Brand team admin" in capsys.readouterr().out
    assert run(["test", "--at", "plan.json", "--report", "junit=later.xml"]) == Exit.OK
    (suite,) = ElementTree.parse(repo / "later.xml").getroot()
    assert suite.get("failures") == "0"
    assert run(["why", "--groups", "New", "--at", "desired"]) == Exit.OK
    assert "  Brand team_admin\n" in capsys.readouterr().out
    assert run(["why", "--groups", "Marketin", "--at", "desired"]) == Exit.USAGE
    assert "did you mean `Marketing`?" in capsys.readouterr().err


def test_a_plan_of_another_org_is_asked_nothing(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    make_repo(repo / "other", CONFIG, {**SNAPSHOT, "org": {"id": "org_2", "name": "tinyco"}})
    for words in (["why", "cy@tiny.co"], ["access"], ["test"]):
        assert run(["-C", str(repo / "other"), *words, "--at", str(repo / "plan.json")]) == Exit.STALE
    assert "the plan is for tinyco (org_1)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["why", "cy@tiny.co", "--not", "org_admn"], "no role `org_admn` in this org; did you mean `org_admin`?"),
        (
            ["why", "cy@tiny.co", "--not", "boss"],
            "choose one of the org's roles: business_admin, it_admin, member, org_admin, team_admin",
        ),
        (["access", "--role", "Team admn"], "no role `Team admn` in this org; did you mean `Team admin`?"),
        (["access", "--role", "admin"], "no role `admin` in this org; choose one of: "),
        (["access", "--role", "it_admn"], "no role `it_admn` in this org; did you mean `it_admin`?"),
        (["access", "--team", "Markting"], "no team `Markting` in this org; did you mean `Marketing`?"),
    ],
)
def test_a_role_or_team_that_is_none_is_told(repo: Path, words: list[str], said: str, capsys: Capture) -> None:
    assert run(words) == Exit.USAGE
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""
