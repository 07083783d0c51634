"""A legacy org of 3,000 people, Okta as the source, taken through the upgrade (R20): nobody loses what they had."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fake_idps import Site, okta_answers, served
from scim_org import GROUP, PATCH_OP, Client

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.live.connect import connect
from rolecall.localorg.store import open_database
from rolecall.model.directory import EVERYBODY

PEOPLE = 3000
TEAMS = ("Legal", "Sales", "Support", "Brand")
ADMINS = 4

CONFIG = """\
version: 1
org: {{name: acme, url: local:org.db}}
people: {{okta: "{url}", app: 0oa1, token: {{env: OKTA_TOKEN}}}}
defaults: {{role: member, teams: [Everyone]}}
scim: {{enabled: true, idp: okta, endpoint: new}}
idp_groups:
  Writer-Admins: {{role: org_admin, teams: [Everyone], protect: true}}
{groups}
guards: {{min_org_admins: 3, required_org_admins: [p0@acme.com]}}
watch: {{roles: [org_admin]}}
access_tests:
  - {{name: what the legacy link gives, person: p5@acme.com, expect: [{{team: Everyone, role: member}}]}}
  - {{name: and who is in a group, person: p9@acme.com, has: {{team: Sales, role: member}}}}
"""

Capture = pytest.CaptureFixture[str]


def groups_of(number: int) -> list[str]:
    """Four admins; of the others every fifth is in no group, some are in two."""
    if number < ADMINS:
        return ["Writer-Admins"]
    if number % 5 == 0:
        return []
    second = [f"Writer-{TEAMS[(number + 1) % 4]}"] if number % 7 == 0 else []
    return sorted({f"Writer-{TEAMS[number % 4]}", *second})


def legacy_org() -> dict[str, Any]:
    """As the legacy endpoint has it: org admins by attribute, groups linked to teams (R18)."""
    people = [
        {
            "email": f"p{number}@acme.com",
            "groups": [name for name in groups_of(number) if name != "Writer-Admins"],
            **({"role_attribute": "admin"} if number < ADMINS else {}),
        }
        for number in range(PEOPLE)
    ]
    return {
        "snapshot": 1,
        "org": {"id": "org_1", "name": "acme"},
        "teams": ["Everyone", *TEAMS],
        "domains": {"acme.com": {"discoverable": True, "join": "approval"}},
        "defaults": {"role": "member", "teams": ["Everyone"]},
        "sso": {"enabled": True, "name": "Okta", "idp": "okta", "allow_uninvited": False, "allow_passwords": False},
        "scim": {"enabled": True, "idp": "okta", "endpoint": "legacy", "manual_editing": False},
        "idp_groups": {f"Writer-{team}": {"teams": [team]} for team in TEAMS},
        "people": people,
    }


@pytest.fixture
def okta() -> Site:
    names = ["Writer-Admins", *(f"Writer-{team}" for team in TEAMS)]
    people = {f"p{number}@acme.com": groups_of(number) for number in range(PEOPLE)}
    admins = {f"p{number}@acme.com": {"role": "admin"} for number in range(ADMINS)}
    return Site(people, names, names[1:], profiles=admins, assigned_groups=[])


def said(capsys: Capture, *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run(words)
    return code, capsys.readouterr().out


def planned(capsys: Capture, leaves: int = Exit.OK) -> dict[str, Any]:
    code, told = said(capsys, "plan", "--format", "json")
    assert code == leaves, told[:2000]
    found: dict[str, Any] = json.loads(told)
    return found


def who_has_what(capsys: Capture, config: str = "truth.yaml") -> dict[str, Any]:
    """All users' team roles: with ``truth.yaml`` as the org works them out, with the config by what Okta says."""
    code, told = said(capsys, "-c", config, "access", "--at", "live", "--format", "json")
    assert code == Exit.OK
    rows = json.loads(told)["people"]
    return {
        row["email"]: (row["org_admin"], sorted((team_role["team"], team_role["role"]) for team_role in row["combos"]))
        for row in rows
    }


def assert_no_drift_and_all_teams(capsys: Capture, before: dict[str, Any]) -> None:
    """While groups are pushed again nothing has drifted, and everybody is seen in the teams they have."""
    code, told = said(capsys, "drift", "--format", "json", "--detailed-exitcode")
    found = json.loads(told)
    assert (code, found["drift"], found["alarms"]) == (Exit.OK, [], [])
    teams = Counter(team for _, team_roles in before.values() for team, _ in team_roles)
    assert (found["teams"], found["roles"]["org_admin"]) == (teams, ADMINS)


def ids_in(folder: Path) -> dict[str, str]:
    async def read() -> dict[str, str]:
        org = connect("local:org.db", folder=folder)
        found = await org.read_people(EVERYBODY)
        await org.close()
        return dict(zip(found.emails, found.ids, strict=True))

    return asyncio.run(read())


def push_again(folder: Path, okta: Site) -> None:
    """What an admin does in Okta: every group is pushed again, with its members."""
    okta.pushed = list(okta.groups)
    known = ids_in(folder)
    database = open_database(folder / "org.db")
    client = Client(database)
    for name in okta.groups:
        members = [{"value": known[email]} for email in okta.members(name)]
        answer = client.call("POST", "/Groups", {"schemas": [GROUP], "displayName": name, "members": members})
        assert answer.status == 201
    database.close()


def push_member(folder: Path, group: str, email: str) -> None:
    """A membership that changed in Okta, as it is sent on."""
    known = ids_in(folder)
    database = open_database(folder / "org.db")
    client = Client(database)
    found = client.call("GET", f"/Groups?filter={quote(f'displayName eq {json.dumps(group)}')}").ids
    add = {"op": "add", "path": "members", "value": [{"value": known[email]}]}
    answer = client.call("PATCH", f"/Groups/{found[0]}", {"schemas": [PATCH_OP], "Operations": [add]})
    assert answer.status in (200, 204)
    database.close()


def test_nobody_loses_what_they_had(
    tmp_path: Path, okta: Site, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OKTA_TOKEN", "secret-token")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "live.json").write_text(json.dumps(legacy_org()))
    (tmp_path / "truth.yaml").write_text("version: 1\norg: {name: acme, url: local:org.db}\n")
    assert run(["local", "load", "live.json", "--database", "org.db"]) == Exit.OK
    before = who_has_what(capsys)
    assert len(before) == PEOPLE
    assert sum(admin for admin, _ in before.values()) == ADMINS
    groups = "".join(f"  Writer-{team}: {{role: member, teams: [Everyone, {team}]}}\n" for team in TEAMS)

    with served(okta, okta_answers, okta=True) as url:
        (tmp_path / "rolecall.yaml").write_text(CONFIG.format(url=url, groups=groups))

        okta.people["p3@acme.com"] = []  # one org admin by attribute was forgotten in the new group
        start = planned(capsys)
        upgrades = [change for change in start["changes"] if change["address"] == "scim"]
        assert [(change["action"], change["via"]) for change in upgrades] == [("upgrade", "api")]
        assert [who["email"] for who in start["impact"]["upgrade"]["org_admins_lost"]] == ["p3@acme.com"]
        assert run(["apply", "--approve", start["digest"]]) == Exit.OK
        assert who_has_what(capsys) == before

        assert {change["via"] for change in planned(capsys)["changes"]} == {"waiting"}

        assert who_has_what(capsys, "rolecall.yaml") == before
        push_again(tmp_path, okta)
        assert who_has_what(capsys, "rolecall.yaml") == before
        assert said(capsys, "test", "--at", "live")[0] == Exit.OK
        assert "Sales member" in said(capsys, "why", "p9@acme.com")[1]
        assert_no_drift_and_all_teams(capsys, before)
        refused = planned(capsys, Exit.REFUSED)
        assert "upgrade" in [row["name"] for row in refused["guards"] if row["verdict"] == "block"]
        assert run(["apply", "--approve", refused["digest"]]) == Exit.REFUSED
        assert who_has_what(capsys) == before

        okta.people["p3@acme.com"] = ["Writer-Admins"]
        push_member(tmp_path, "Writer-Admins", "p3@acme.com")
        complete = planned(capsys)
        upgrade = complete["impact"]["upgrade"]
        assert (upgrade["keep"], upgrade["differ"], upgrade["org_admins_lost"]) == (PEOPLE, 0, [])
        assert {change["via"] for change in complete["changes"]} == {"api"}
        assert complete["impact"]["lose"] == complete["impact"]["change"] == 0
        assert run(["apply", "--approve", complete["digest"]]) == Exit.OK
        assert who_has_what(capsys) == before
        assert planned(capsys)["changes"] == []
