"""The ways to one local org: in this process, and over a socket. Every contract test runs over both."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
import uvicorn

from rolecall.codec.people import decode_people
from rolecall.codec.snapshot import decode_snapshot
from rolecall.live.client import OrgClient
from rolecall.live.connect import connect
from rolecall.localorg.asgi import create_app
from rolecall.localorg.load import load
from rolecall.localorg.manage import Knobs, make_token, set_knobs
from rolecall.localorg.store import Database, open_database

T = TypeVar("T")

ACME: dict[str, Any] = {
    "snapshot": 1,
    "org": {"id": "org_8817", "name": "acme"},
    "teams": ["Everyone", "Marketing", "Legal", "IT", "Sales"],
    "roles": ["org_admin", "team_admin", "member", {"id": "editor", "name": "Editor", "level": "team"}],
    "domains": {"acme.com": {"discoverable": True, "join": "approval"}, "acme.co.uk": {}},
    "defaults": {"role": "member", "teams": ["Everyone"]},
    "sso": {
        "enabled": True,
        "name": "Okta",
        "idp": "okta",
        "allow_uninvited": False,
        "allow_passwords": False,
        "metadata": "<EntityDescriptor/>",
    },
    "scim": {"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False},
    "idp_groups": {
        "Admins": {"role": "org_admin", "teams": ["IT"], "id": "g-admins"},
        "Marketing": {"role": "member", "teams": ["Marketing", "Sales"], "id": "g-marketing"},
        "All/Staff & “friends”": {"id": "g-all"},
        "Twins [g-1]": {"name": "Twins", "id": "g-1", "role": "editor", "teams": ["Legal"]},
        "Twins [g-2]": {"name": "Twins", "id": "g-2"},
    },
    "people": [
        {"email": "ann@acme.com", "id": "p-ann", "groups": ["Admins"]},
        {"email": "bo@acme.com", "id": "p-bo", "groups": ["Marketing", "Twins [g-2]"]},
        {"email": "cy@acme.com", "id": "p-cy", "groups": []},
        {"email": "di@acme.com", "id": "p-di", "origin": "saml", "manual": [{"team": "Sales", "role": "member"}]},
        {"email": "ed@acme.com", "id": "p-ed", "active": False, "groups": ["Admins"]},
    ],
}


class Site(NamedTuple):
    """One org, its database, and a way to it. ``via`` is embedded or http."""

    via: str
    database: Database
    path: Path
    base: str

    def client(self, email: str | None = "ann@acme.com", scope: Any = "write") -> OrgClient:
        """A client with a fresh admin token: a person's, or a service's when ``email`` is None."""
        secret = make_token(self.database, "admin", scope=scope, email=email).secret
        url = f"local:{self.path}" if self.via == "embedded" else self.base
        client = connect(url, lambda: secret)
        assert isinstance(client, OrgClient)
        return client

    def turn(self, **knobs: Any) -> None:
        set_knobs(self.database, Knobs(**knobs))

    def load(self, **changes: Any) -> None:
        """Fill the org with ACME, some keys changed."""
        snapshot = decode_snapshot(ACME | changes)
        facts = snapshot.live.facts
        rows = snapshot.people if isinstance(snapshot.people, list) else []
        load(self.database, snapshot.live, decode_people(rows, facts.groups, roles=facts.roles))


@pytest.fixture(scope="session")
def site_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that holds ACME, to be copied: making one anew takes longer than most tests."""
    path = tmp_path_factory.mktemp("site") / "org.db"
    database = open_database(path)
    Site("embedded", database, path, "").load()
    database.close()
    return path


@pytest.fixture(params=["embedded", "http"])
def site(request: pytest.FixtureRequest, tmp_path: Path, site_template: Path) -> Iterator[Site]:
    path = tmp_path / "org.db"
    shutil.copy(site_template, path)
    database = open_database(path)
    with served(database, request.param) as base:
        yield Site(request.param, database, path, base)
    database.close()


@contextmanager
def served(database: Database, via: str) -> Iterator[str]:
    """The org's base URL while it is served on a free port; nothing is served for ``embedded``."""
    if via == "embedded":
        yield ""
        return
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(database), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def run(client: OrgClient, work: Callable[[OrgClient], Awaitable[T]]) -> T:
    """What ``work`` gives for a client, which is closed after."""

    async def whole() -> T:
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(whole())
