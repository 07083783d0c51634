"""`local role` changes a user's role: the access follows, the log has it, mistakes change nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_repo import SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
PEOPLE = [*SNAPSHOT["people"], {"email": "ed@tiny.co", "origin": "saml", "active": True}]
INVITED = {
    "email": "fay@tiny.co",
    "origin": "invite",
    "active": True,
    "manual": [{"team": "Brand", "role": "member"}],
}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_repo(tmp_path / "repo", snapshot={**SNAPSHOT, "people": [*PEOPLE, INVITED]})
    monkeypatch.chdir(folder)
    return folder


def role(*words: str, code: int = Exit.OK) -> None:
    assert run(["local", "role", *words]) == code


def access(capsys: Capture, email: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["why", email, "--format", "json"]) == Exit.OK
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


def logged(capsys: Capture) -> list[dict[str, Any]]:
    """The entries about users in the org's log, as JSON."""
    capsys.readouterr()
    assert run(["audit", "--raw", "--address", "users"]) == Exit.OK
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_team_role_replaces_default_access_and_is_in_the_log(repo: Path, capsys: Capture) -> None:
    role("ED@tiny.co", "Team admin", "--team", "Brand", "--as", "ann@tiny.co")
    assert capsys.readouterr().out == "ED@tiny.co has the role Team admin in team Brand.\n"
    combos = access(capsys, "ed@tiny.co")["combos"]
    assert [(entry["team"], entry["role"]) for entry in combos] == [("Brand", "team_admin")]
    (entry,) = logged(capsys)
    assert (entry["actor"], entry["channel"]) == ("ann@tiny.co", "console")
    assert (entry["before"]["manual"], entry["after"]["manual"]) == ([], [{"team": "Brand", "role": "team_admin"}])


def test_a_role_is_replaced_and_removed(repo: Path, capsys: Capture) -> None:
    for name in ("member", "team_admin"):
        role("ed@tiny.co", name, "--team", "Brand")
    role("ed@tiny.co", "none", "--team", "Brand")
    assert [entry["team"] for entry in access(capsys, "ed@tiny.co")["combos"]] == ["Everyone"]
    assert [len(entry["after"]["manual"]) for entry in logged(capsys)] == [1, 1, 0]
    assert {entry["actor"] for entry in logged(capsys)} == {"service"}


def test_a_role_at_org_level(repo: Path, capsys: Capture) -> None:
    role("cy@tiny.co", "it_admin")
    assert access(capsys, "cy@tiny.co")["org_role"] == "it_admin"
    role("cy@tiny.co", "none")
    assert access(capsys, "cy@tiny.co").get("org_role") is None


@pytest.mark.parametrize(
    ("words", "origin"),
    [
        (("member", "--team", "Marketing"), "invite"),
        (("org_admin", "--team", "Marketing"), "invite"),
        (("team_admin", "--team", "Brand"), "invite"),
        (("team_admin", "--team", "Marketing"), "saml"),
        (("none", "--team", "Brand"), "saml"),
        (("it_admin",), "invite"),
    ],
)
def test_an_edited_invited_user_can_be_loaded_again(
    repo: Path, capsys: Capture, words: tuple[str, ...], origin: str
) -> None:
    """No invitation gives two roles, or no team (R6); a user with these is one whose roles were edited."""
    role("fay@tiny.co", *words)
    assert run(["snapshot", "--people", "names", "--out", "again.json"]) == Exit.OK
    users = {user["email"]: user for user in json.loads(Path("again.json").read_text())["people"]}
    assert users["fay@tiny.co"]["origin"] == origin
    assert run(["local", "load", "again.json", "--database", "again.db"]) == Exit.OK


def test_what_changes_nothing_is_not_in_the_log(repo: Path, capsys: Capture) -> None:
    role("ed@tiny.co", "none")
    role("ed@tiny.co", "none", "--team", "Brand")
    assert logged(capsys) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("edd@tiny.co", "it_admin"), "no user edd@tiny.co in this org; did you mean `ed@tiny.co`?"),
        (("ed@tiny.co", "it_admn"), "no role `it_admn` in this org; did you mean `it_admin`?"),
        (("ed@tiny.co", "team_admin"), "no role `team_admin` in this org"),
        (("ed@tiny.co", "member", "--team", "Brnd"), "no team `Brnd` in this org; did you mean `Brand`?"),
        (("ed@tiny.co", "member", "--team", "Brand", "--as", "cy@tiny.co"), "cy@tiny.co is not an org admin"),
        (
            ("cy@tiny.co", "member", "--team", "Brand"),
            "cy@tiny.co is a SCIM user, whose team roles are locked while manual editing is off",
        ),
    ],
)
def test_mistakes(repo: Path, capsys: Capture, words: tuple[str, ...], message: str) -> None:
    role(*words, code=Exit.USAGE)
    assert message in capsys.readouterr().err
    assert logged(capsys) == []
