"""The section `idp` in commands: `people: idp`, `doctor`, pipelines, and service apps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo, run_in
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fake_idps import Site, graph_answers, okta_answers, served, uid

from rolecall.cli.main import run
from rolecall.desired.build import read_config
from rolecall.errors import Exit
from rolecall.live.people.okta_records import SCOPES

Capture = pytest.CaptureFixture[str]
TOKEN = "canary-idp-7c1e"
PEOPLE = {"ann@tiny.co": ["Admins"], "bo@tiny.co": ["Admins"], "cy@tiny.co": ["Marketing"], "di@tiny.co": ["Marketing"]}
KINDS = pytest.mark.parametrize("kind", ["okta", "entra"])
Repo = Callable[..., Path]


def a_site(**more: Any) -> Site:
    return Site(
        **{
            "people": PEOPLE,
            "groups": ["Admins", "Marketing"],
            "pushed": ["Admins", "Marketing"],
            "token": TOKEN,
            **more,
        }
    )


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    """Make a repo whose section `idp` is a stand-in."""
    monkeypatch.setenv("IDP_TOKEN", TOKEN)
    with ExitStack() as stack:

        def made(
            kind: str, site: Site, more: str = "people: idp\n", credentials: str = "token: {env: IDP_TOKEN}"
        ) -> Path:
            answers = okta_answers if kind == "okta" else graph_answers
            url = stack.enter_context(served(site, answers, okta=kind == "okta"))
            where = f"url: '{url}', app: 0oa1" if kind == "okta" else f"tenant: acme, url: '{url}', app: {uid('app')}"
            idp = f"idp: {{{kind}: {{{where}, {credentials}}}}}\n"
            return make_repo(tmp_path / "repo", f"{CONFIG}{idp}{more}")

        yield made


def printed(capsys: Capture, folder: Path, *line: str, code: Exit = Exit.OK) -> str:
    return run_in(capsys, folder, *line, secret=TOKEN, code=code).out


@KINDS
def test_users_are_read_through_the_connection(repo: Repo, capsys: Capture, kind: str) -> None:
    plan = json.loads(printed(capsys, repo(kind, a_site()), "plan", "--format", "json"))
    assert plan["impact"]["changed"] == 2
    assert plan["impact"]["people"] == 4


@KINDS
def test_a_trace_uses_the_connection_whatever_the_source_of_users(repo: Repo, capsys: Capture, kind: str) -> None:
    folder = repo(kind, a_site(), more="")
    report = json.loads(printed(capsys, folder, "why", "cy@tiny.co", "--trace", "--format", "json"))
    assert report["idp"] == kind


@KINDS
def test_a_plan_without_the_idp_as_the_source_does_not_ask_it(repo: Repo, capsys: Capture, kind: str) -> None:
    site = a_site()
    printed(capsys, repo(kind, site, more=""), "plan")
    assert site.seen == []


def doctor(capsys: Capture, folder: Path, code: Exit = Exit.OK) -> dict[str, Any]:
    checks = json.loads(printed(capsys, folder, "doctor", "--format", "json", code=code))["checks"]
    (found,) = [check for check in checks if check["name"] == "idp"]
    return dict(found)


@KINDS
def test_doctor_reads_each_part_of_the_app(repo: Repo, capsys: Capture, kind: str) -> None:
    found = doctor(capsys, repo(kind, a_site()))
    assert found["state"] == "ok"
    assert "assignments: " in str(found)


@KINDS
def test_doctor_names_what_cannot_be_read(repo: Repo, capsys: Capture, kind: str) -> None:
    end = "/mappings" if kind == "okta" else "/appRoleAssignedTo"
    found = doctor(capsys, repo(kind, a_site(forbidden=(end,))))
    assert found["state"] == "warning"
    assert "could not be read" in str(found)
    assert "the credential needs " in str(found)


@KINDS
def test_messages_name_the_keys_of_the_section(repo: Repo, capsys: Capture, kind: str) -> None:
    folder = repo(kind, a_site(token="another"))
    capsys.readouterr()
    run(["-C", str(folder), "doctor"])
    shown = capsys.readouterr()
    assert "`people." not in shown.out + shown.err


@KINDS
def test_a_token_that_is_not_accepted_is_not_taken_for_one_without_permission(
    repo: Repo, capsys: Capture, kind: str
) -> None:
    check = doctor(capsys, repo(kind, a_site(token="another")), code=Exit.ERROR)
    assert len(check["problems"]) == 1  # the same reason for each part
    text = str(check)
    assert f"{'Okta' if kind == 'okta' else 'Microsoft Graph'} does not accept the token" in text
    assert f"`idp.{kind}.token`" in text
    assert "the credential needs" not in text


def test_export_and_overlays_keep_the_connection(repo: Repo, capsys: Capture) -> None:
    folder = repo("okta", a_site())
    printed(capsys, folder, "export", "--out", str(folder / "copy"))
    exported = read_config(folder / "copy")
    assert (exported.idp, exported.people) == (exported.people, exported.idp)
    assert exported.people.kind == "okta"
    (folder / "env").mkdir()
    (folder / "env" / "prod.yaml").write_text("idp: {okta: {app: another}}\n")
    overlaid = read_config(folder, "prod").idp
    assert overlaid is not None
    assert (overlaid.app, overlaid.token is not None) == ("another", True)


def test_a_pipeline_sends_the_secret_only_where_its_settings_say(
    repo: Repo, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = a_site()
    folder = repo("okta", site)
    monkeypatch.setenv("CI", "true")
    run(["-C", str(folder), "plan"])
    assert "ROLECALL_IDP_HOST must name the IdP's host" in capsys.readouterr().err
    monkeypatch.setenv("ROLECALL_IDP_HOST", "acme.okta.com")
    run(["-C", str(folder), "plan"])
    assert "the token may only be sent to acme.okta.com" in capsys.readouterr().err
    assert site.seen == []


def test_a_service_app_of_okta(repo: Repo, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    monkeypatch.setenv("OKTA_KEY", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    site = a_site(public_key=key.public_key(), scopes=SCOPES)
    folder = repo("okta", site, credentials="client_id: 0oa9, private_key: {env: OKTA_KEY}")
    assert json.loads(printed(capsys, folder, "plan", "--format", "json"))["impact"]["people"] == 4
    assert doctor(capsys, folder)["state"] == "ok"
