"""Test names that match nothing: warnings of validate and plan, errors for flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_repo import SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]

LOCAL = "version: 1\norg: {name: tinyco, url: 'local:org.db'}\n"
OBSERVED = "version: 1\norg: {name: tinyco, url: 'observed:live.json'}\n"
BLANK = "idp_groups: {Marketing: blank}\n"
CHANGE = "idp_groups: {Marketing: {role: member, teams: [Everyone]}}\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_repo(tmp_path))
    return tmp_path


def config(repo: Path, text: str) -> None:
    (repo / "rolecall.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["plan", "--target", "Marketing"], "did you mean `idp_groups/Marketing`?"),
        (["plan", "--target", "marketing"], "did you mean `idp_groups/Marketing`?"),
        (["plan", "--target", "idp_groups/Marketting"], "did you mean `idp_groups/Marketing`?"),
        (["plan", "--target", "idp_group/Marketing"], "did you mean `idp_groups/Marketing`?"),
        (["plan", "--target", "idp_groups"], "for all entries, use `idp_groups/*`"),
        (["plan", "--target", "sos"], "did you mean `sso`?"),
        (["plan", "--target", "idp_groups/X*"], "an address is `idp_groups/NAME`"),
        (["plan", "--exclude", "domains/tiny.com"], "did you mean `domains/tiny.co`?"),
        (["drift", "--ignore", "idp_groups/Marketin"], "did you mean `idp_groups/Marketing`?"),
        (["apply", "--target", "Marketing", "--auto-approve"], "did you mean `idp_groups/Marketing`?"),
    ],
)
def test_an_address_that_nothing_has_is_misuse(repo: Path, capsys: Capture, args: list[str], hint: str) -> None:
    config(repo, LOCAL + BLANK + "domains: {tiny.co: {join: approval}}\n")
    assert run(args) == Exit.USAGE
    told = capsys.readouterr().err
    assert args[2] in told
    assert hint in told


@pytest.mark.parametrize(
    "args", [["plan", "--exclude", "idp_groups/X*"], ["drift", "--ignore", "idp_groups/X*", "--include-unapplied"]]
)
def test_a_glob_that_leaves_nothing_out_is_a_warning(repo: Path, capsys: Capture, args: list[str]) -> None:
    config(repo, LOCAL)
    assert run(args) == Exit.OK
    assert f"`{args[1]} {args[2]}` matches nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    "pattern", ["idp_groups/Marketing", "idp_groups/*", "idp_groups/Admins", "domains/tiny.co", "sso"]
)
def test_what_the_config_or_the_org_has_can_be_targeted(repo: Path, pattern: str) -> None:
    config(repo, LOCAL)
    assert run(["plan", "--target", pattern]) == Exit.OK


POLICY = """\
access_tests:
  - {name: t, person: {groups: [Marketng]}, never: [org_admin]}
  - {name: u, role: org_admin, granted_by_only: [Adminz]}
ignore: [{address: idp_groups/Markting, reason: x}]
allow: [{guard: escalations, for: idp_groups/Admns, up_to: 1, until: 2099-01-01, reason: x}]
"""


@pytest.mark.parametrize(
    ("url", "args"), [(LOCAL, ["validate", "--online"]), (LOCAL, ["plan"]), (OBSERVED, ["validate"])]
)
def test_names_of_the_policy_that_nothing_has_are_warnings(
    repo: Path, capsys: Capture, url: str, args: list[str]
) -> None:
    config(repo, url + POLICY)
    capsys.readouterr()
    run(args)
    told = capsys.readouterr().out
    for name, near in (("Marketng", "Marketing"), ("Adminz", "Admins"), ("Markting", "Marketing"), ("Admns", "Admins")):
        assert name in told
        assert near in told


def test_ignores_that_have_run_out_are_not_reported(repo: Path, capsys: Capture) -> None:
    config(repo, LOCAL + "ignore: [{address: idp_groups/Gone, reason: x, until: 2020-01-01}]\n")
    run(["plan"])
    assert "idp_groups/Gone" not in capsys.readouterr().out


def test_validate_reports_what_an_observed_org_does_not_have(repo: Path, capsys: Capture) -> None:
    config(repo, OBSERVED + "idp_groups:\n  Marketing: {role: membr, teams: [Brnd]}\n")
    assert run(["validate"]) == Exit.ERROR
    told = capsys.readouterr().out
    assert "the org has no role `membr`" in told
    assert "the org has no team `Brnd`" in told


def test_validate_of_an_observed_org_that_is_not_written_down_yet(repo: Path) -> None:
    config(repo, OBSERVED.replace("live.json", "new.yaml") + BLANK)
    assert run(["validate"]) == Exit.OK


def test_validate_reports_a_broken_file_of_an_observed_org(repo: Path, capsys: Capture) -> None:
    config(repo, OBSERVED + BLANK)
    (repo / "live.json").write_text(json.dumps(SNAPSHOT | {"domain": {}}), encoding="utf-8")
    assert run(["validate"]) == Exit.ERROR
    assert "`domain`" in capsys.readouterr().out


ADMINS = "guards: {required_org_admins: [NAME], max_people_losing_access: {review: 100%, block: 100%}}\n"


@pytest.mark.parametrize(
    ("name", "verdict", "said"),
    [
        ("ann@tiny.co", "pass", ""),
        ("anne@tiny.co", "review", "did you mean ann@tiny.co"),
        ("ann@tiny.com", "review", "did you mean ann@tiny.co"),
        ("zacharias@tiny.co", "review", "no user zacharias@tiny.co in this org"),
        ("ed@tiny.co", "review", "ed@tiny.co is no longer active"),
    ],
)
def test_a_required_org_admin_that_is_no_active_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, name: str, verdict: str, said: str
) -> None:
    left = {"email": "ed@tiny.co", "active": False, "groups": ["Admins"]}
    monkeypatch.chdir(make_repo(tmp_path, snapshot=SNAPSHOT | {"people": [*SNAPSHOT["people"], left]}))
    config(tmp_path, LOCAL + CHANGE + ADMINS.replace("NAME", name))
    capsys.readouterr()
    run(["plan", "--format", "json"])
    guards = {guard["name"]: guard for guard in json.loads(capsys.readouterr().out)["guards"]}
    assert guards["required_org_admins"]["verdict"] == verdict
    assert said in json.dumps(guards["required_org_admins"]["details"]).replace("No user", "no user")
    run(["validate", "--online"])
    assert said in capsys.readouterr().out


def test_a_source_that_cannot_see_invited_users_gives_one_line(repo: Path, capsys: Capture) -> None:
    (repo / "people.csv").write_text("email,groups\ncy@tiny.co,Marketing\nann@tiny.co,Admins\n", encoding="utf-8")
    people = "people: {file: people.csv}\n"
    config(repo, OBSERVED + people + CHANGE + ADMINS.replace("NAME", "zacharias@tiny.co"))
    capsys.readouterr()
    run(["plan", "--format", "json"])
    guards = {guard["name"]: guard for guard in json.loads(capsys.readouterr().out)["guards"]}
    assert guards["required_org_admins"]["verdict"] == "pass"
    assert "does not list invited users" in guards["required_org_admins"]["message"]


def test_validate_reports_users_of_an_observed_org(repo: Path, capsys: Capture) -> None:
    owned = "idp_groups:\n  Marketing: {role: member, teams: [Brand], owner: bob@tiny.co}\n"
    config(repo, OBSERVED + owned + ADMINS.replace("NAME", "anne@tiny.co"))
    assert run(["validate"]) == Exit.OK
    told = capsys.readouterr().out
    assert "no user anne@tiny.co in this org; did you mean ann@tiny.co?" in told
    assert "bob@tiny.co" in told


@pytest.mark.parametrize("section", ["sso", "scim"])
@pytest.mark.parametrize("idp", ["otka", "Okt", "entar"])
def test_an_idp_that_is_near_to_a_known_one_is_a_warning(repo: Path, capsys: Capture, section: str, idp: str) -> None:
    config(repo, f"{LOCAL}{section}: {{idp: {idp}}}\n")
    assert run(["validate"]) == Exit.OK
    told = capsys.readouterr().out
    assert f"`{idp}` is not a known IdP; did you mean" in told


@pytest.mark.parametrize("idp", ["okta", "Entra ID", "azure", "our own"])
def test_an_idp_may_have_any_other_name(repo: Path, capsys: Capture, idp: str) -> None:
    config(repo, f"{LOCAL}sso: {{idp: {idp}}}\n")
    assert run(["validate"]) == Exit.OK
    assert "known IdP" not in capsys.readouterr().out
