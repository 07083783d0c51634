"""A configuration of a local org and a stand-in Okta that is written to, for tests of `apply`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, make_repo
from idp import Okta

from rolecall.cli.main import run
from rolecall.errors import Exit

READ, WRITE = "canary-read-7c1e", "canary-write-9d2f"
READ_SCOPES = ("okta.apps.read", "okta.groups.read", "okta.users.read", "okta.schemas.read")
WRITE_SCOPES = ("okta.apps.manage", "okta.groups.manage")
LISTS = "  assignments: [Core, Everyone]\n  pushes: idp_groups\n"
AUTHORITATIVE = "{idp_groups: authoritative, idp_assignments: authoritative, idp_pushes: authoritative}"
USERS = ["ann@tiny.co", "bo@tiny.co", "cy@tiny.co", "di@tiny.co"]
MEMBERS = {
    "Core": USERS,
    "Former": ["cy@tiny.co"],
    "Extra": ["di@tiny.co"],
    "Admins": ["ann@tiny.co", "bo@tiny.co"],
    "Marketing": ["cy@tiny.co", "di@tiny.co"],
    "Everyone": USERS,
    "Old": ["cy@tiny.co"],
}


def an_okta(**more: Any) -> Okta:
    """Everyone has the app by Core, and cy also by Former; Admins and Old are pushed. The credential that reads cannot
    write."""
    okta = Okta(**more)
    okta.tokens = {READ: READ_SCOPES, WRITE: WRITE_SCOPES}
    for login in USERS:
        okta.add_user(login)
    for name, members in MEMBERS.items():
        okta.add_group(name, members)
    okta.push("Admins")
    okta.push("Old")
    okta.assign("Core")
    okta.assign("Former")
    return okta


def config(
    url: str, lists: str = LISTS, manage: str = "{idp_groups: authoritative}", write: str = "W", app: str = "0oa1"
) -> str:
    """The configuration; without ``write``, rolecall only reads Okta."""
    base = CONFIG.replace("{idp_groups: authoritative}", manage).replace("[Brand]", "[Marketing]")
    more = f", write: {{token: {{env: {write}}}}}" if write else ""
    return f"{base}idp:\n  okta: {{url: '{url}', app: {app}, token: {{env: R}}{more}}}\n{lists}"


class IdpRepo:
    """A configuration, its local org, and its Okta, which is served."""

    def __init__(self, folder: Path, okta: Okta, url: str, capsys: pytest.CaptureFixture[str], **more: str) -> None:
        self.okta, self.url, self._capsys = okta, url, capsys
        snapshot = {**SNAPSHOT, "idp_groups": {**SNAPSHOT["idp_groups"], "Old": None}}
        self.folder = make_repo(folder, config(url, **more), snapshot)

    def configure(self, **more: str) -> None:
        """Write another configuration."""
        (self.folder / "rolecall.yaml").write_text(config(self.url, **more), encoding="utf-8")

    def run(self, *line: str, code: Exit = Exit.OK) -> str:
        """Run a command and return what it prints, which never has a token."""
        self._capsys.readouterr()
        ended = run(["-C", str(self.folder), *line])
        shown = self._capsys.readouterr()
        assert ended == code, shown.out + shown.err
        assert READ not in shown.out + shown.err
        assert WRITE not in shown.out + shown.err
        return shown.out + shown.err

    def apply(self, *line: str, code: Exit = Exit.OK) -> str:
        return self.run("apply", "--auto-approve", *line, code=code)

    def plan(self, *line: str, code: Exit = Exit.OK) -> dict[str, Any]:
        self._capsys.readouterr()
        assert run(["-C", str(self.folder), "plan", "--format", "json", *line]) == code
        plan: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return plan

    def changed(self) -> dict[str, str]:
        """The changes that a new plan has, address -> action."""
        return {change["address"]: change["action"] for change in self.plan()["changes"]}

    @property
    def written(self) -> list[tuple[str, str, Any]]:
        """The writes that Okta received, with the app's path left out."""
        app = f"/api/v1/apps/{self.okta.app}/"
        return [(write.method, write.path.removeprefix(app), write.sent) for write in self.okta.writes]


@contextmanager
def served_repo(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, okta: Okta, **more: str
) -> Iterator[IdpRepo]:
    """Serve an Okta and give the configuration that uses it."""
    environment: Mapping[str, str] = {"R": READ, "W": WRITE}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with okta.served() as url:
        yield IdpRepo(folder, okta, url, capsys, **more)
