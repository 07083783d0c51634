"""`why` lists who changed a user, from the own log of an org with an API: in this process and over a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo
from live_site import served
from scim_org import Client

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.live import client
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import Database, open_database

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def org(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A local org of a config repo, which is the working directory."""
    scim = {**SNAPSHOT["scim"], "manual_editing": True}
    monkeypatch.chdir(make_repo(tmp_path / "repo", snapshot={**SNAPSHOT, "scim": scim}))
    database = open_database(Path("org.db"))
    yield database
    database.close()


@pytest.fixture(params=["local", "http"])
def either(request: pytest.FixtureRequest, org: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    if request.param == "local":
        yield org
        return
    with served(org, "http") as base:
        monkeypatch.setenv("TOKEN", make_token(org, "admin", email="ann@tiny.co").secret)
        url = f"{{name: tinyco, url: '{base}', token: {{env: TOKEN}}}}"
        Path("rolecall.yaml").write_text(CONFIG.replace("{name: tinyco, url: local:org.db}", url))
        yield org


def events(capsys: Capture, email: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["why", email, "--format", "json"]) == Exit.OK
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)["events"]
    return shown


def id_of(idp: Client, kind: str, name: str) -> str:
    attribute = "userName" if kind == "Users" else "displayName"
    (found,) = idp.get(f"/{kind}", filter=f'{attribute} eq "{name}"').ids
    return found


def parts(shown: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        tuple(record[name] for name in ("actor", "area", "action", "object", "role")) for record in shown["records"]
    ]


def test_roles_groups_and_the_account_of_a_user(either: Database, capsys: Capture) -> None:
    idp = Client(either)
    bo, cy = id_of(idp, "Users", "bo@tiny.co"), id_of(idp, "Users", "cy@tiny.co")
    group = id_of(idp, "Groups", "Marketing")
    idp.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": bo}]})
    idp.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{cy}"]'})
    words = ["--team", "Brand", "--as", "ann@tiny.co", "--database", "org.db"]
    assert run(["local", "role", "bo@tiny.co", "team_admin", *words]) == Exit.OK
    idp.patch(f"/Users/{bo}", {"op": "replace", "path": "displayName", "value": "Bo"})
    shown = events(capsys, "BO@tiny.co")
    assert shown["coverage"] == {"state": "complete", "problem": None}
    assert parts(shown) == [
        ("scim", "groups", "user added", "Marketing", None),
        ("ann@tiny.co", "users", "updated", "bo@tiny.co", "team_admin"),
        ("scim", "users", "updated", "bo@tiny.co", None),
    ]
    assert parts(events(capsys, "cy@tiny.co")) == [("scim", "groups", "user removed", "Marketing", None)]
    assert parts(events(capsys, "di@tiny.co")) == []
    assert run(["why", "bo@tiny.co"]) == Exit.OK
    text = " ".join(capsys.readouterr().out.split())
    assert "Audit log" in text
    assert "ann@tiny.co users: updated · bo@tiny.co · team_admin" in text


def test_an_older_user_with_the_same_address(org: Database, capsys: Capture) -> None:
    """The entries of an account that was deleted have another ID and the address."""
    idp = Client(org)
    idp.delete(f"/Users/{id_of(idp, 'Users', 'bo@tiny.co')}")
    idp.user("bo@tiny.co")
    assert [action for _, _, action, *_ in parts(events(capsys, "bo@tiny.co"))] == ["deleted", "created"]


def test_a_long_log_is_read_from_its_end_and_says_so(
    org: Database, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOG_PAGES", 1)
    monkeypatch.setattr(client, "FIRST_PAGE", 2)
    idp = Client(org)
    bo = id_of(idp, "Users", "bo@tiny.co")
    for name in ("A", "B", "C"):
        idp.patch(f"/Users/{bo}", {"op": "replace", "path": "displayName", "value": name})
    shown = events(capsys, "bo@tiny.co")
    assert len(shown["records"]) == 2
    assert shown["coverage"]["state"] == "partial"
    assert shown["coverage"]["problem"].startswith("entries before ")
    assert run(["why", "bo@tiny.co"]) == Exit.OK
    assert "The audit log was partially read: entries before " in " ".join(capsys.readouterr().out.split())


def test_a_log_that_the_caller_may_not_read(either: Database, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: Any) -> Any:
        from rolecall.errors import OrgError, Problem

        raise OrgError(Problem("org_forbidden", "the org does not allow GET /v1/audit-log"))

    monkeypatch.setattr(client.OrgClient, "search", refused)
    shown = events(capsys, "bo@tiny.co")
    assert shown == {
        "coverage": {"state": "unread", "problem": "the org does not allow GET /v1/audit-log"},
        "records": [],
    }


@pytest.mark.parametrize("words", [["--snapshot", "live.json"], ["--at", "desired"]])
def test_without_a_log_nothing_is_listed(org: Database, capsys: Capture, words: list[str]) -> None:
    capsys.readouterr()
    assert run(["why", "bo@tiny.co", "--format", "json", *words]) == Exit.OK
    assert "events" not in json.loads(capsys.readouterr().out)
