"""The example for Entra: plan, trace and a new SCIM token, with a stand-in that provisions the local org over SCIM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_repo import copy_example, run_in
from idp import AppRegistration, Entra
from scim_org import new_token, served

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.localorg.store import open_database, tokens

Capture = pytest.CaptureFixture[str]
READS = (
    *("Application.Read.All", "GroupMember.Read.All", "Synchronization.Read.All", "User.Read.All"),
    *("AuditLog.Read.All", "Directory.Read.All"),
)
MEMBERS = {
    "Writer-Admins": ["ada@acme.com", "bo@acme.com"],
    "Writer-Marketing": ["cem@acme.com"],
}


@pytest.fixture
def entra() -> Entra:
    entra = Entra(app="5f0c6a3e-8f39-4b1c-9a53-0a4f0d1f7a10")
    entra.clients = {
        "7d1f0f0e-2f8e-4c2f-8f55-1f4f7c6f2c11": AppRegistration("canary-read", READS),
        "0f1d5c3b-2f8e-4c2f-8f55-1f4f7c6f2c11": AppRegistration("canary-write", ("Synchronization.ReadWrite.All",)),
    }
    for name, members in MEMBERS.items():
        for upn in members:
            entra.add_user(upn)
        entra.add_group(name, members)
        entra.assign(name)
    return entra


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entra: Entra) -> Iterator[Path]:
    """The example, with the URL of the stand-in, and its local org, which that provisions."""
    monkeypatch.setenv("ENTRA_SECRET", "canary-read")
    monkeypatch.setenv("ENTRA_WRITE_SECRET", "canary-write")
    folder = copy_example("entra", tmp_path / "entra")
    assert run(["-C", str(folder), "local", "load", "snapshot.json"]) == 0
    db = open_database(folder / ".rolecall/org.db")
    with entra.served() as url, served(db) as org:
        entra.connect(f"{org}/api/scim/v2", new_token(db, "scim"))
        entra.provision()
        path = folder / "rolecall.yaml"
        tenant = "    tenant: acme.onmicrosoft.com\n"
        path.write_text(path.read_text().replace(tenant, f"{tenant}    url: {url}\n    login_url: {url}\n"))
        yield folder


def printed(capsys: Capture, folder: Path, *line: str, code: Exit = Exit.OK) -> str:
    return run_in(capsys, folder, *line, secret="canary", code=code).out


def test_marketing_is_mapped_and_the_token_replaced(folder: Path, capsys: Capture, entra: Entra) -> None:
    plan = json.loads(printed(capsys, folder, "plan", "--format", "json"))
    assert [change["address"] for change in plan["changes"]] == ["idp_groups/Writer-Marketing"]
    assert plan["impact"]["gain"] == 1
    printed(capsys, folder, "apply", "--auto-approve")
    assert "Marketing" in printed(capsys, folder, "why", "cem@acme.com")
    assert "ok" in printed(capsys, folder, "why", "cem@acme.com", "--trace")
    old = entra.secrets["SecretToken"]
    printed(capsys, folder, "rotate", "scim-token", "--auto-approve")
    assert entra.secrets["SecretToken"] != old
    db = open_database(folder / ".rolecall/org.db")
    with db.read() as tx:
        (left,) = tokens.valid_tokens(tx, "scim")
        assert tokens.check_token(tx, entra.secrets["SecretToken"], "scim").id == left.id
    db.close()
    entra.add_user("dee@acme.com")
    entra.group("Writer-Marketing").members.append(entra.user("dee@acme.com").id)
    entra.provision()
    assert "Marketing" in printed(capsys, folder, "why", "dee@acme.com")
    printed(capsys, folder, "plan", "--detailed-exitcode")


def test_doctor_reads_each_part(folder: Path, capsys: Capture) -> None:
    checks = json.loads(printed(capsys, folder, "doctor", "--format", "json"))["checks"]
    (check,) = [check for check in checks if check["name"] == "idp"]
    assert check["state"] == "ok"
