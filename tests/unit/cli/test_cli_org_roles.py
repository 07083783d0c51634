"""Roles at org level and seats, as a snapshot states them: in `why`, `access`, plans, access tests and snapshots."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_repo import SNAPSHOT

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
CONFIG = """\
version: 1
org: {name: tinyco, url: observed:org.json}
idp_groups:
  Marketing: {role: team_admin, teams: [Brand]}
guards: {min_org_admins: 3, max_people_losing_access: {review: 100%, block: 100%}}
"""
USERS = [
    {"email": "ann@tiny.co", "groups": ["Admins"]},
    {"email": "bo@tiny.co", "groups": ["Marketing"], "org_role": "org_admin"},
    {"email": "cy@tiny.co", "groups": ["Marketing"], "org_role": "IT admin", "seat": "Lite"},
    {"email": "di@tiny.co", "groups": ["Marketing"], "seat": "lite", "billing_group": "West"},
    {"email": "ed@tiny.co", "groups": ["Admins"], "seat": "pro"},
    {"email": "flo@tiny.co", "groups": [], "org_role": "org_admin", "active": False},
]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "org.json").write_text(json.dumps({**SNAPSHOT, "people": USERS, "taken_at": "2026-11-20T08:00:00Z"}))
    (tmp_path / "rolecall.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output(capsys: Capture, *words: str, code: int | None = Exit.OK) -> str:
    capsys.readouterr()
    exit_code = run(list(words))
    assert code is None or exit_code == code
    return capsys.readouterr().out


def parsed(capsys: Capture, *words: str, code: int | None = Exit.OK) -> Any:
    return json.loads(output(capsys, *words, "--format", "json", code=code))


def test_why_shows_the_role_at_org_level_next_to_team_roles(repo: Path, capsys: Capture) -> None:
    text = output(capsys, "why", "cy@tiny.co")
    assert "IT admin at org level" in text
    assert "org_role (R36)" in text
    assert "Marketing member" in text
    answer = parsed(capsys, "why", "cy@tiny.co")
    assert (answer["org_role"], answer["org_admin"]) == ("it_admin", False)
    assert [grant["team"] for grant in answer["combos"]] == ["Marketing"]
    answer = parsed(capsys, "why", "bo@tiny.co")
    assert (answer["org_role"], answer["org_admin"]) == ("org_admin", True)
    assert "org_role" not in parsed(capsys, "why", "di@tiny.co")
    assert "org_role" not in parsed(capsys, "why", "flo@tiny.co")


def test_why_shows_seat_and_billing_group_where_they_are_stated(repo: Path, capsys: Capture) -> None:
    assert " · seat: lite · billing group: West · " in output(capsys, "why", "di@tiny.co")
    answer = parsed(capsys, "why", "di@tiny.co")
    assert (answer["seat"], answer["billing_group"]) == ("lite", "West")
    assert "seat" not in output(capsys, "why", "ann@tiny.co")
    assert not {"seat", "billing_group"} & parsed(capsys, "why", "ann@tiny.co").keys()


def test_why_not_knows_that_the_role_is_at_org_level(repo: Path, capsys: Capture) -> None:
    assert "Already has org_admin" in output(capsys, "why", "bo@tiny.co", "--not", "org_admin")
    assert "Does not have org_admin" in output(capsys, "why", "cy@tiny.co", "--not", "org_admin")


def test_access_lists_it_in_every_format(repo: Path, capsys: Capture) -> None:
    assert "at org level: IT admin" in output(capsys, "access")
    users = {user["email"]: user for user in parsed(capsys, "access")["people"]}
    assert users["bo@tiny.co"]["org_admin"] is True
    assert {email for email, user in users.items() if "org_role" in user} == {"bo@tiny.co", "cy@tiny.co"}
    rows = list(csv.DictReader(io.StringIO(output(capsys, "access", "--format", "csv"))))
    assert {"email": "cy@tiny.co", "team": "", "role": "it_admin", "reason": "org_role"} in rows
    admins = parsed(capsys, "access", "--role", "org_admin")["people"]
    assert [user["email"] for user in admins] == ["ann@tiny.co", "bo@tiny.co", "ed@tiny.co"]


def test_a_plan_counts_org_admins_and_notes_roles_that_stay_and_seats(repo: Path, capsys: Capture) -> None:
    impact = parsed(capsys, "plan", code=None)["impact"]
    assert impact["org_admins"] == {"before": 3, "after": 3}
    assert impact["org_roles"] == {"it_admin": 1, "org_admin": 1}
    assert impact["lite_seats"] == 2
    text = " ".join(output(capsys, "plan", code=None).split())
    assert "2 users keep a role at org level, which no plan changes (R36): IT admin 1, Org admin 1." in text
    assert "2 users with Lite seats would get a role that Lite seats cannot hold (R35)." in text


def test_without_such_users_a_plan_says_nothing(repo: Path, capsys: Capture) -> None:
    plain = [{key: value for key, value in user.items() if key in ("email", "groups", "active")} for user in USERS]
    (repo / "org.json").write_text(json.dumps({**SNAPSHOT, "people": plain}))
    impact = parsed(capsys, "plan", code=None)["impact"]
    assert not {"org_roles", "lite_seats"} & impact.keys()


def test_an_access_test_sees_it(repo: Path, capsys: Capture) -> None:
    tests = (
        "access_tests:\n"
        "  - {name: never, person: bo@tiny.co, never: org_admin}\n"
        "  - {name: groups, role: org_admin, granted_by_only: [Admins]}\n"
    )
    (repo / "rolecall.yaml").write_text(CONFIG + tests)
    text = " ".join(output(capsys, "test", code=None).split())
    assert "must never be org admin but has org admin (org-wide) (by org_role)" in text
    assert "org admin is also given to bo@tiny.co (org_role)" in text


def test_a_snapshot_keeps_what_users_state(repo: Path, capsys: Capture) -> None:
    output(capsys, "snapshot", "--out", "again.json", "--people", "names")
    users = {user["email"]: user for user in json.loads((repo / "again.json").read_text())["people"]}
    assert users["cy@tiny.co"]["org_role"] == "it_admin"
    assert (users["di@tiny.co"]["seat"], users["di@tiny.co"]["billing_group"]) == ("lite", "West")
    output(capsys, "snapshot", "--out", "masked.json", "--people", "masked")
    masked = json.loads((repo / "masked.json").read_text())["people"]
    assert sorted(user.get("org_role", "") for user in masked) == ["", "", "", "it_admin", "org_admin", "org_admin"]


def test_an_access_record_has_it(repo: Path, capsys: Capture) -> None:
    output(capsys, "snapshot", "--out", "again.json", "--people", "names", "--record")
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    text = output(capsys, "access", "--at", tomorrow, code=None)
    assert "org admin (org-wide) (org_role)" in text


def test_an_org_admin_at_org_level_stays_one_when_the_mapping_goes(repo: Path, capsys: Capture) -> None:
    users = [{**user, "groups": ["Admins"]} if user["email"] == "bo@tiny.co" else user for user in USERS]
    (repo / "org.json").write_text(json.dumps({**SNAPSHOT, "people": users}))
    config = "version: 1\norg: {name: tinyco, url: observed:org.json}\nidp_groups: {Admins: blank}\n"
    (repo / "rolecall.yaml").write_text(f"{config}guards: {{min_org_admins: 1}}\n")
    impact = parsed(capsys, "plan", code=None)["impact"]
    assert impact["org_admins"] == {"before": 3, "after": 1}
    details = {detail["email"]: detail for detail in impact["details"]}
    assert details["bo@tiny.co"]["after"] == [{"team": "", "role": "org_admin"}, {"team": "Everyone", "role": "member"}]
    assert details["ann@tiny.co"]["after"] == [{"team": "Everyone", "role": "member"}]
    text = " ".join(output(capsys, "plan", code=None).split())
    sentence = "bo@tiny.co stays org admin (now member in Everyone) and falls back to default access (Everyone member)."
    assert sentence in text
    assert impact["teams"] == [{"team": "Everyone", "gain": 0, "lose": 0, "change": 3}]
    output(capsys, "plan", "--out", "plan.json", code=None)
    runbook = re.sub(r"[*\\]", "", output(capsys, "runbook", "plan.json", code=None))
    assert "removes org admin from ann@tiny.co, ed@tiny.co. 1 org admin remains (bo@tiny.co)" in runbook
