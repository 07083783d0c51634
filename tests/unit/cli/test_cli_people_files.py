"""Test `validate`, `plan` and `doctor` for a configuration whose users come from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rolecall.cli.main import run

ORG = """\
snapshot: 1
taken_at: 2026-11-28T10:00:00Z
org: {id: org_1, name: acme}
teams: [Everyone, IT, Marketing]
roles: [org_admin, team_admin, member]
defaults: {role: member, teams: [Everyone]}
scim: {enabled: true, idp: okta, endpoint: new, manual_editing: false}
idp_groups:
  Writer-Admins: {role: org_admin, teams: [IT]}
  Writer-Marketing: {role: member, teams: [Marketing]}
"""
CONFIG = """\
version: 1
org: {name: acme, url: "observed:org.yaml"}
people: {file: p.csv}
idp_groups: {Writer-Marketing: blank, Writer-New: blank}
"""
GOOD = 'login,status,memberOf\nann@acme.com,ACTIVE,"Writer-Admins,Writer-New"\nbo@acme.com,STAGED,Other\n'


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rolecall.yaml").write_text(CONFIG)
    (tmp_path / "org.yaml").write_text(ORG)
    return tmp_path


def test_validate_says_what_a_people_file_holds(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "p.csv").write_text(GOOD)
    assert run(["validate"]) == 0
    line = "p.csv: 2 users (1 active), 3 memberships in 3 groups; 1 group unknown to the org: Other"
    assert capsys.readouterr().out == f"{line}\nNo problems found.\n"
    assert run(["validate", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["people"] == [
        {
            "files": ["p.csv"],
            "users": 2,
            "active": 1,
            "memberships": 3,
            "groups": 3,
            "unknown_groups": ["Other"],
        }
    ]


def test_without_the_org_nothing_is_said_of_its_groups(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "p.csv").write_text(GOOD)
    (repo / "rolecall.yaml").write_text(CONFIG.replace("observed:org.yaml", "local:org.db"))
    assert run(["validate"]) == 0
    assert capsys.readouterr().out.startswith("p.csv: 2 users (1 active), 2 memberships in 2 groups\n")


def test_each_overlay_has_its_own_files(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "p.csv").write_text(GOOD)
    (repo / "env").mkdir()
    (repo / "rolecall.yaml").write_text(CONFIG.replace("people: {file: p.csv}\n", ""))
    (repo / "env/dev.yaml").write_text("people: {file: p.csv}\n")
    (repo / "env/prod.yaml").write_text('people: {files: "m/*.csv"}\n')
    (repo / "m").mkdir()
    (repo / "m/Writer-Admins.csv").write_text("mail\nann@acme.com\n")
    (repo / "m/Writer-New.csv").write_text("mail\nann@acme.com\n")
    code = run(["validate"])
    told = capsys.readouterr().out
    assert code == 0, told
    assert "p.csv: 2 users" in told
    assert "2 people files: 1 user (1 active), 2 memberships in 2 groups, all known to the org" in told


@pytest.mark.parametrize("command", [["validate"], ["plan"], ["access"]])
def test_a_broken_file_is_an_error_with_its_line(
    repo: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    (repo / "p.csv").write_text("email,gruops\nann@acme.com,Writer-Marketing\n")
    assert run(command) == 1
    told = capsys.readouterr()
    assert "p.csv:1:1: no column for groups; the columns are email, gruops" in told.out + told.err
    (repo / "p.csv").write_text("email,groups,status\nann,Writer-Marketing,ACTIVE\nbo@acme.com,,GONE\n")
    assert run(command) == 1
    told = capsys.readouterr()
    assert "p.csv:2:1: " in told.out + told.err
    assert "p.csv:3:1: " in told.out + told.err


def test_a_missing_file_is_a_warning_and_users_are_unread(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate"]) == 0
    assert "warning: rolecall.yaml:3:16: file `p.csv` not found" in capsys.readouterr().out
    assert run(["plan", "--detailed-exitcode", "--assert", "no-access-change"]) == 3
    assert "p.csv: file not found" in capsys.readouterr().out
    (repo / "rolecall.yaml").write_text(CONFIG.replace("{file: p.csv}", '{files: "m/*.csv"}'))
    assert run(["validate"]) == 0
    assert "`m/*.csv` matches no file" in capsys.readouterr().out


def test_an_empty_file_is_an_error_unless_allowed(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "p.csv").write_text("email,groups\n")
    for command in ("validate", "plan"):
        assert run([command]) == 1
        told = capsys.readouterr()
        assert "p.csv: has no users" in told.out + told.err
    (repo / "rolecall.yaml").write_text(CONFIG.replace("p.csv}", "p.csv, allow_empty: true}"))
    assert run(["validate"]) == 0
    assert "p.csv: 0 users (0 active), 0 memberships in 0 groups\n" in capsys.readouterr().out


def test_a_plan_lists_the_columns_that_are_not_read(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repo / "p.csv").write_text("email,groups,Department,Manager\nbo@acme.com,Writer-Marketing,Sales,Ann\n")
    assert run(["plan"]) in (0, 3)
    assert "gnored columns of the people files: Department, Manager" in capsys.readouterr().out
    assert run(["validate"]) == 0
    assert "gnored columns of the people files: Department, Manager" in capsys.readouterr().out


def test_doctor_does_not_say_that_unread_users_can_be_read(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["doctor"])
    told = capsys.readouterr().out
    assert "users could not be read: p.csv: file not found" in told
    assert "users and memberships can be read" not in told
