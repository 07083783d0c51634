"""The example for Okta, from the plan to the access of its users: the stand-in provisions the local org over SCIM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_repo import copy_example, run_in
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from idp import Okta, ServiceApp
from idp_repo import READ_SCOPES, WRITE_SCOPES
from scim_org import new_token, served

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.localorg.store import open_database

Capture = pytest.CaptureFixture[str]
MEMBERS = {
    "WRITER-Everyone": ["ada@acme.com", "bo@acme.com", "cem@acme.com", "dee@acme.com"],
    "WRITER-Legal": ["eve@acme.com", "finn@acme.com"],
    "Writer-Admins": ["ada@acme.com", "bo@acme.com"],
    "Writer-Marketing": ["cem@acme.com"],
    "Writer-Legal": ["eve@acme.com", "finn@acme.com", "dee@acme.com"],
}


def an_okta() -> Okta:
    okta = Okta(app="0oa1b2c3", provision_each=True)
    for login in sorted({login for members in MEMBERS.values() for login in members}):
        okta.add_user(login)
    for name, members in MEMBERS.items():
        okta.add_group(name, members)
    okta.assign("WRITER-Everyone")
    return okta


def key_pair(monkeypatch: pytest.MonkeyPatch, variable: str) -> Any:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv(variable, pem)
    return key.public_key()


@pytest.fixture
def okta() -> Okta:
    return an_okta()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, okta: Okta) -> Iterator[Path]:
    """The example, with the URL of the stand-in, and its local org, which that provisions."""
    folder = copy_example("okta", tmp_path / "okta")
    okta.apps["0oa9kfl2"] = ServiceApp(key_pair(monkeypatch, "OKTA_READ_KEY"), READ_SCOPES)
    okta.apps["0oa8mzr4"] = ServiceApp(key_pair(monkeypatch, "OKTA_WRITE_KEY"), WRITE_SCOPES)
    assert run(["-C", str(folder), "local", "load", "snapshot.json"]) == 0
    db = open_database(folder / ".rolecall/org.db")
    with okta.served() as url, served(db) as org:
        okta.connect(f"{org}/api/scim/v2", new_token(db, "scim"))
        okta.import_groups()
        for name in ("Writer-Admins", "Writer-Marketing"):
            okta.push(name, next(group.id for group in okta.groups.values() if group.name == name and group.source))
        okta.provision()
        path = folder / "rolecall.yaml"
        path.write_text(path.read_text().replace("https://acme.okta.com", url))
        yield folder


def printed(capsys: Capture, folder: Path, *line: str, code: Exit = Exit.OK) -> str:
    return run_in(capsys, folder, *line, secret="PRIVATE KEY", code=code).out


def test_legal_gets_writer_in_one_apply(folder: Path, capsys: Capture, okta: Okta) -> None:
    plan = json.loads(printed(capsys, folder, "plan", "--format", "json"))
    assert {change["address"]: change["via"] for change in plan["changes"]} == {
        "idp_assignments/WRITER-Legal": "api",
        "idp_pushes/Writer-Legal": "api",
        "idp_groups/Writer-Legal": "waiting",
    }
    text = printed(capsys, folder, "plan")
    assert "2 users get the app" in text
    printed(capsys, folder, "apply", "--auto-approve", "--arrival-timeout", "30")
    for user in ("eve@acme.com", "finn@acme.com", "dee@acme.com"):
        assert "Legal" in printed(capsys, folder, "why", user)
    printed(capsys, folder, "plan", "--detailed-exitcode")
    printed(capsys, folder, "drift", "--detailed-exitcode")
    printed(capsys, folder, "why", "eve@acme.com", "--trace", code=Exit.UNSEEN)  # the log needs a scope of its own


def test_doctor_has_the_scopes_of_both_credentials(folder: Path, capsys: Capture, okta: Okta) -> None:
    checks = {
        check["name"]: check for check in json.loads(printed(capsys, folder, "doctor", "--format", "json"))["checks"]
    }
    assert "okta.apps.read, okta.groups.read, okta.schemas.read, okta.users.read" in checks["scopes"]["said"]
    assert "the app lacks okta.logs.read, needed for why --trace" in str(checks["scopes"]["problems"])
    assert checks["write_scopes"]["state"] == "ok"
    okta.apps["0oa8mzr4"].scopes = ("okta.apps.manage",)
    checks = {
        check["name"]: check for check in json.loads(printed(capsys, folder, "doctor", "--format", "json"))["checks"]
    }
    assert checks["write_scopes"]["state"] == "warning"
    assert "lacks okta.groups.manage, needed for writing pushed groups" in str(checks["write_scopes"])


def test_doctor_reads_the_credential_that_writes_only_outside_a_pipeline(
    folder: Path, capsys: Capture, okta: Okta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("ROLECALL_IDP_HOST", "127.0.0.1")
    del okta.apps["0oa8mzr4"]
    run(["-C", str(folder), "doctor", "--format", "json"])
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["write_scopes"]["state"] == "skipped"
