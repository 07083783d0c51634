"""`rotate scim-token`: in one go with Entra, with a file for an admin with Okta, as steps on an org without an API."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from cli_repo import SNAPSHOT, make_repo
from idp import Entra, Fault, Okta
from scim_org import new_token, served

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.jobs import rotate_entered
from rolecall.localorg.store import Database, open_database, tokens

Capture = pytest.CaptureFixture[str]
READ, WRITE = "canary-read-5b1d", "canary-write-7e3a"
FAULTS = {
    "401": Fault(401),
    "500": Fault(500),
    "500 after the write": Fault(500, after=True),
    "time-out after the write": Fault("silence", after=True),
    "truncated JSON": Fault("truncated"),
}
BASE = "version: 1\norg: {name: tinyco, url: local:org.db}\n"
PERMISSIONS = {
    READ: ("Application.Read.All", "GroupMember.Read.All", "Synchronization.Read.All"),
    WRITE: ("Synchronization.ReadWrite.All",),
}


class Place:
    """A configuration, its local org, and the URL of its SCIM endpoint."""

    def __init__(self, folder: Path, db: Database, scim: str, capsys: Capture) -> None:
        self.folder, self.db, self.scim = folder, db, f"{scim}/api/scim/v2"
        self._capsys = capsys

    def configure(self, more: str, base: str = BASE) -> None:
        (self.folder / "rolecall.yaml").write_text(base + more, encoding="utf-8")

    def rotate(self, *line: str, code: Exit | None = Exit.OK) -> str:
        return self.run("rotate", "scim-token", *line, code=code)

    def run(self, *line: str, code: Exit | None = Exit.OK) -> str:
        """Run a command, and return what it prints, which never has a secret."""
        self._capsys.readouterr()
        ended = run(["-C", str(self.folder), *line])
        shown = self._capsys.readouterr()
        text = shown.out + shown.err
        assert code in (None, ended), text
        assert not any(secret in text for secret in ("rolecall_scim_", READ, WRITE))
        return text

    @property
    def valid(self) -> list[str]:
        with self.db.read() as tx:
            return [token.id for token in tokens.valid_tokens(tx, "scim")]


@pytest.fixture
def place(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("R", READ)
    monkeypatch.setenv("W", WRITE)
    folder = make_repo(tmp_path / "repo", BASE, {**SNAPSHOT, "people": []})
    db = open_database(folder / "org.db")
    with served(db) as scim:
        yield Place(folder, db, scim, capsys)
    db.close()


def connected_entra(place: Place, permissions: dict[str, tuple[str, ...]] = PERMISSIONS) -> Entra:
    """An Entra that sends to the local org, with a token of it."""
    entra = Entra(tokens=permissions)
    entra.connect(place.scim, new_token(place.db, "scim"))
    return entra


def enter_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what a pipeline has set, except for the app that may be written to."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("ROLECALL_IDP_HOST", "127.0.0.1")


def entra_config(place: Place, entra: Entra, url: str, write: str = "{token: {env: W}}") -> None:
    more = f", write: {write}" if write else ""
    place.configure(
        f"idp:\n  entra: {{tenant: acme, app: {entra.app}, url: '{url}', token: {{env: R}}{more}}}\n"
        "scim: {enabled: true, idp: entra}\n"
    )


def test_entra_gets_a_new_token(place: Place) -> None:
    entra = connected_entra(place)
    old = entra.secrets["SecretToken"]
    kept = {key: value for key, value in entra.secrets.items() if key != "SecretToken"}
    with entra.served() as url:
        entra_config(place, entra, url)
        text = place.rotate("--auto-approve")
    assert "The IdP uses the new token" in text
    assert len(place.valid) == 1
    assert entra.secrets["SecretToken"] != old
    assert {key: value for key, value in entra.secrets.items() if key != "SecretToken"} == kept
    assert "rotate" in place.run("history")


def test_a_rotation_is_not_begun_without_an_answer(place: Place) -> None:
    entra = connected_entra(place)
    with entra.served() as url:
        entra_config(place, entra, url)
        assert "--auto-approve" in place.rotate(code=Exit.USAGE)
    assert entra.writes == []
    assert len(place.valid) == 1


def test_an_interrupted_rotation_goes_on_without_a_question(place: Place) -> None:
    entra = connected_entra(place, {**PERMISSIONS, WRITE: ()})
    with entra.served() as url:
        entra_config(place, entra, url)
        text = place.rotate("--auto-approve", code=Exit.INCOMPLETE)
        assert "Insufficient privileges" in text
        assert "The new token was revoked" in text
        assert "The old token is still in use" in text
        assert len(place.valid) == 1
        entra.tokens = PERMISSIONS
        place.rotate("--auto-approve")


def test_a_pipeline_does_not_write_with_the_credential_that_reads(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra = connected_entra(place)
    enter_pipeline(monkeypatch)
    with entra.served() as url:
        entra_config(place, entra, url)
        assert "ROLECALL_IDP_APP" in place.rotate("--auto-approve", code=Exit.REFUSED)
        monkeypatch.setenv("ROLECALL_IDP_APP", entra.app)
        entra_config(place, entra, url, "{token: {env: R}}")
        assert "must not be the one that reads it" in place.rotate("--auto-approve", code=Exit.REFUSED)
    assert entra.writes == []


def test_an_apply_writes_nothing_to_entra_and_needs_no_app_of_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    entra = connected_entra(place)
    enter_pipeline(monkeypatch)
    with entra.served() as url:
        entra_config(place, entra, url)
        place.run("apply", "--auto-approve", "--journal-lost-ok")
    assert entra.writes == []


def test_an_admin_enters_the_token_in_okta(place: Place) -> None:
    okta = Okta()
    okta.tokens = {READ: ("okta.apps.read", "okta.groups.read")}
    user = okta.add_user("ann@tiny.co")
    okta.connect(place.scim, new_token(place.db, "scim"))
    (old,) = place.valid
    with okta.served() as url:
        place.configure(f"idp:\n  okta: {{url: '{url}', app: 0oa1, token: {{env: R}}}}\n")
        assert "--out FILE" in place.rotate("--auto-approve", code=Exit.REFUSED)
        file = place.folder / "token.txt"
        text = place.rotate("--auto-approve", "--out", str(file), code=Exit.HUMAN)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"1. Paste the content of {file} as the token in the IdP, test the connection, then save." in text
        assert "rolecall runbook token" in text
        assert "has not used the new token yet" in place.rotate(code=Exit.HUMAN)
        secret = file.read_text().strip()
        okta.connect(place.scim, secret)
        okta.direct.append(user.id)
        okta.provision()
        text = place.rotate()
    assert f"and {old} was revoked" in text
    assert len(place.valid) == 1
    assert old not in place.valid
    assert not file.exists()
    assert secret not in place.run("history", "1")


def test_a_file_that_exists_is_not_replaced(place: Place) -> None:
    file = place.folder / "token.txt"
    file.write_text("mine")
    place.configure("")
    assert "exists already" in place.rotate("--auto-approve", "--out", str(file), code=Exit.REFUSED)
    assert file.read_text() == "mine"
    assert place.valid == []


def test_a_token_that_nobody_entered_is_given_up(place: Place) -> None:
    new_token(place.db, "scim")
    before = place.valid
    place.configure("")
    file = place.folder / "token.txt"
    place.rotate("--auto-approve", "--out", str(file), code=Exit.HUMAN)
    assert "The new token was revoked" in place.rotate("--abandon")
    assert place.valid == before
    assert not file.exists()
    assert "no rotation to abandon" in place.rotate("--abandon", code=Exit.REFUSED)


class Stand(NamedTuple):
    """An org without an API, and an Entra that sends to WRITER, in whose place the local org is."""

    place: Place
    entra: Entra


@pytest.fixture
def stand(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setattr(rotate_entered, "WRITER_HOST", "127.0.0.1")
    entra = connected_entra(place)
    with entra.served() as url:
        entra_config(place, entra, url)
        text = (place.folder / "rolecall.yaml").read_text()
        (place.folder / "rolecall.yaml").write_text(text.replace("local:org.db", "observed:live.json"))
        yield Stand(place, entra)


def token_file(place: Place, text: str) -> str:
    path = place.folder / "new.txt"
    path.write_text(text)
    return str(path)


def test_a_token_of_writer_is_put_in_entra(stand: Stand) -> None:
    place, entra = stand
    secret = new_token(place.db, "scim")
    text = place.rotate("--token-file", token_file(place, f"{secret}\n"), "--auto-approve")
    assert "The IdP saved the new token, and connects with it." in text
    assert entra.secrets["SecretToken"] == secret
    assert "The IdP saved the new token" in place.run("history", "1")
    assert secret.encode() not in b"".join(path.read_bytes() for path in (place.folder / ".rolecall").iterdir())


def test_a_token_that_does_not_work_is_not_saved(stand: Stand) -> None:
    place, entra = stand
    old = entra.secrets["SecretToken"]
    text = place.rotate("--token-file", token_file(place, "rolecall-x"), "--auto-approve", code=Exit.INCOMPLETE)
    assert "cannot connect with this token, which was not saved" in text
    assert "rolecall-x" not in text
    assert entra.secrets["SecretToken"] == old
    assert "No runs" in place.run("history")


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("path", ["secrets", "validateCredentials", "jobs"])
def test_a_token_of_writer_is_put_again_after_a_fault(stand: Stand, kind: str, path: str) -> None:
    place, entra = stand
    secret, old = new_token(place.db, "scim"), entra.secrets["SecretToken"]
    file = token_file(place, secret)
    for number in (1, 2):
        entra.faults.append(replace(FAULTS[kind], path=f"{path}$", number=number, times=9))
        place.rotate("--token-file", file, "--auto-approve", code=None)
        assert entra.secrets["SecretToken"] in (old, secret)
        entra.faults.clear()
        place.rotate("--token-file", file, "--auto-approve")
        assert entra.secrets["SecretToken"] == secret


def test_the_token_of_writer_is_for_an_app_that_sends_to_writer(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    place, entra = stand
    monkeypatch.setattr(rotate_entered, "WRITER_HOST", "app.writer.com")
    text = place.rotate("--token-file", token_file(place, "x"), "--auto-approve", code=Exit.REFUSED)
    assert re.search(r"rolecall\.yaml:\d+:\d+: the app in the IdP sends to 127\.0\.0\.1, not to app\.writer\.com", text)
    assert entra.writes == []


@pytest.mark.parametrize("content", ["", "two words", "two\nlines"])
def test_what_is_not_a_token_is_refused(stand: Stand, content: str) -> None:
    file = token_file(stand.place, content)
    assert "does not have a token" in stand.place.rotate("--token-file", file, "--auto-approve", code=Exit.USAGE)


def test_a_token_file_is_for_an_org_without_an_api(place: Place) -> None:
    place.configure("")
    assert "without an API" in place.rotate("--token-file", token_file(place, "x"), code=Exit.USAGE)


def test_an_org_without_an_api_has_a_runbook(place: Place) -> None:
    place.configure("", BASE.replace("local:org.db", "observed:live.json"))
    text = place.rotate(code=Exit.HUMAN)
    assert text.startswith(place.run("runbook", "token"))
    assert "When the rotation is done: rolecall rotate scim-token --done" in text
    assert "Recorded (run 1)." in place.rotate("--done")
    assert "the SCIM token was rotated manually" in place.run("history", "1")
