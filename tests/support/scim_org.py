"""A local org for SCIM tests, on SQLite or PostgreSQL, and a client that speaks to it without a socket."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import postgres_server
import pytest

from rolecall.localorg.scim.handle import PREFIX, handle_scim
from rolecall.localorg.store import Database, open_database, tokens
from rolecall.localorg.store.audit import Actor
from rolecall.localorg.store.singletons import empty, read_value, seed, write_singleton
from rolecall.localorg.web import Request, Response

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WRITER = "urn:custom:params:scim:schemas:extension:writer:2.0"
WRITER_USER = f"{WRITER}:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
ACTOR = Actor("scim", "scim")


class Answer(NamedTuple):
    """An answer with its JSON."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def ids(self) -> list[str]:
        return [one["id"] for one in self.body["Resources"]]


class Client:
    """Speaks SCIM to an org in the same process, with a token as an IdP would."""

    def __init__(self, db: Database, token: str | None = None) -> None:
        self.db = db
        self.token = token or new_token(db, "scim")

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"host": "org.example", "authorization": f"Bearer {self.token}"}
        sent |= {"content-type": "application/scim+json"} if body is not None else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        where, _, query = path.partition("?")
        return read(handle_scim(Request(method, PREFIX + where, query, sent, raw), self.db))

    def get(self, path: str, **query: str | int) -> Answer:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Answer:
        return self.call("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.call("DELETE", path, **headers)

    def user(self, user_name: str, /, **more: Any) -> str:
        """The id of a new user."""
        made = self.post("/Users", {"schemas": [USER], "userName": user_name, "active": True, **more})
        assert made.status == 201, made
        return str(made.body["id"])

    def group(self, name: str, /, *members: str, **more: Any) -> str:
        """The id of a new group."""
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members], **more}
        made = self.post("/Groups", body)
        assert made.status == 201, made
        return str(made.body["id"])

    def active_by_user(self) -> dict[str, bool]:
        """Return whether each user is active, by user name."""
        return {user["userName"]: user["active"] for user in self.get("/Users").body["Resources"]}

    def members_by_group(self) -> dict[str, set[str]]:
        """Return the user names of the members of each group, by name."""
        names = {user["id"]: user["userName"] for user in self.get("/Users").body["Resources"]}
        groups = self.get("/Groups").body["Resources"]
        return {group["displayName"]: {names[user] for user in self.members(group["id"])} for group in groups}

    def members(self, group: str) -> set[str]:
        return {one["value"] for one in self.get(f"/Groups/{group}").body.get("members", [])}


def read(response: Response) -> Answer:
    raw = response.read()
    return Answer(response.status, json.loads(raw) if raw else None, {k.lower(): v for k, v in response.headers})


def new_token(db: Database, kind: Any, **more: Any) -> str:
    with db.write() as tx:
        return tokens.issue_token(tx, kind, **more).secret


def configure(db: Database, **changes: Any) -> None:
    """Change SCIM settings behind everybody's back."""
    with db.write() as tx:
        write_singleton(tx, "scim", {**read_value(tx, "scim"), **changes})


def fresh(where: str | Path) -> Database:
    """An empty org with SCIM on."""
    db = open_database(where)
    with db.write() as tx:
        empty(tx, keep_tokens=False)
        seed(tx)
    configure(db, enabled=True)
    return db


@contextmanager
def served(db: Database) -> Iterator[str]:
    """The whole org on a socket of this machine; gives its base URL."""
    import uvicorn

    from rolecall.localorg.asgi import create_app

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    config = uvicorn.Config(create_app(db), log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@pytest.fixture(scope="session")
def scim_postgres() -> Iterator[str]:
    """The url of a PostgreSQL of our own; without one the test is skipped, or fails where it is required."""
    programs = postgres_server.programs()
    if programs is None:
        if "postgres" in os.environ.get("ROLECALL_REQUIRE", ""):
            pytest.fail("PostgreSQL is required and not installed")
        pytest.skip("PostgreSQL is not installed")
    with postgres_server.server(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def scim_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty org with SCIM on, on each database."""
    if request.param == "postgresql":
        db = fresh(request.getfixturevalue("scim_postgres"))
    else:
        db = open_database(copied(request.getfixturevalue("scim_template"), tmp_path))
    yield db
    db.close()


@pytest.fixture(scope="session")
def scim_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file of an empty org with SCIM on: copying it is quicker than making it."""
    path = tmp_path_factory.mktemp("template") / "org.db"
    fresh(path).close()
    return path


def copied(template: Path, folder: Path) -> Path:
    """A copy of a database that nobody has open."""
    return Path(shutil.copy(template, folder / "org.db"))


@pytest.fixture
def lite(scim_template: Path, tmp_path: Path) -> Iterator[Client]:
    """A client of an org on SQLite alone, for what no database has a part in."""
    db = open_database(copied(scim_template, tmp_path))
    yield Client(db)
    db.close()


@pytest.fixture
def scim(scim_db: Database) -> Client:
    """A client with the org's SCIM token."""
    return Client(scim_db)
