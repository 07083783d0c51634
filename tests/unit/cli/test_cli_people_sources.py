"""Test a configuration whose users come from another source than the org."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_repo import CONFIG, make_repo
from fake_idps import Site, graph_answers, okta_answers, served, uid
from served_org import Server

from rolecall.cli.main import run
from rolecall.errors import Exit

PEOPLE = {"ann@tiny.co": ["Admins"], "bo@tiny.co": ["Admins"], "cy@tiny.co": ["Marketing"], "di@tiny.co": ["Marketing"]}


def planned(repo: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    run(["-C", str(repo), "plan", "--format", "json"])
    return json.loads(capsys.readouterr().out)


def repo_with(tmp_path: Path, people: str) -> Path:
    return make_repo(tmp_path / "repo", f"{CONFIG}people: {people}\n")


def test_people_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = repo_with(tmp_path, "{file: people.csv}")
    rows = [f"{email},{';'.join(groups)}" for email, groups in {**PEOPLE, "ed@tiny.co": ["Marketing"]}.items()]
    (repo / "people.csv").write_text("\n".join(["email,groups", *rows]))
    assert planned(repo, capsys)["impact"]["changed"] == 3


@pytest.mark.parametrize("kind", ["okta", "entra"])
def test_people_from_an_idp(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("IDP_TOKEN", "secret-token")
    people = {**PEOPLE, "ed@tiny.co": ["Marketing"], "robot": ["Marketing"]}
    site = Site(people, ["Admins", "Marketing", "New"], ["Admins", "Marketing", "New"])
    with served(site, okta_answers if kind == "okta" else graph_answers, okta=kind == "okta") as url:
        where = f"okta: '{url}', app: 0oa1" if kind == "okta" else f"entra: acme, url: '{url}', app: {uid('app')}"
        repo = repo_with(tmp_path, f"{{{where}, token: {{env: IDP_TOKEN}}}}")
        said = planned(repo, capsys)
        assert said["impact"]["changed"] == 3
        run(["-C", str(repo), "plan"])
        told = capsys.readouterr().out
        assert "pushes groups that do not exist in the org: `New`" in told
        assert "email address" in told
        assert run(["-C", str(repo), "validate", "--online"]) == 0
        assert "pushes groups that do not exist in the org: `New`" in capsys.readouterr().out
        site.token = "another"
        assert run(["-C", str(repo), "validate", "--online"]) == Exit.UNSEEN
        assert "does not accept the token: Invalid token provided" in capsys.readouterr().out


def test_a_pipeline_sends_the_token_only_where_its_settings_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A branch could name any host as its source of people."""
    for name, said in (("IDP_TOKEN", "secret-token"), ("CI", "true")):
        monkeypatch.setenv(name, said)
    site = Site(PEOPLE, ["Admins", "Marketing"], ["Admins", "Marketing"])
    with served(site, okta_answers, okta=True) as url:
        repo = repo_with(tmp_path, f"{{okta: '{url}', app: 0oa1, token: {{env: IDP_TOKEN}}}}")
        run(["-C", str(repo), "plan"])
        assert "ROLECALL_PEOPLE_HOST must name the host of the source of users" in capsys.readouterr().err
        monkeypatch.setenv("ROLECALL_PEOPLE_HOST", "acme.okta.com")
        run(["-C", str(repo), "plan"])
        assert "the token may only be sent to acme.okta.com" in capsys.readouterr().err
        assert site.seen == []
        monkeypatch.setenv("ROLECALL_PEOPLE_HOST", "127.0.0.1")
        assert planned(repo, capsys)["impact"]["people"] == 4
        assert site.seen != []


def test_a_missing_secret_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = repo_with(tmp_path, "{okta: 'https://acme.okta.com', app: 0oa1, token: {env: NOWHERE}}")
    assert run(["-C", str(repo), "plan"]) == 1
    assert "the environment variable NOWHERE is not set" in capsys.readouterr().err


def test_people_from_a_scim_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local org's own SCIM side, over a socket, stands for any server."""
    first = make_repo(tmp_path / "scim")
    capsys.readouterr()
    assert run(["-C", str(first), "local", "token", "--scim", "--database", "org.db"]) == 0
    monkeypatch.setenv("SCIM_TOKEN", capsys.readouterr().out.split()[-1])
    server = Server(str(first / "org.db"))
    try:
        url = f"http://127.0.0.1:{server.port}/api/scim/v2"
        repo = repo_with(tmp_path, f"{{scim: '{url}', token: {{env: SCIM_TOKEN}}}}")
        said = planned(repo, capsys)
    finally:
        server.stop()
    assert said["impact"]["people"] == 4
    assert said["impact"]["changed"] == 2
