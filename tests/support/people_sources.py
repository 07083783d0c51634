"""Every source of people, filled with the same people, behind the one door that rolecall reads them by.

A source is a row of ``SOURCES``: what it is called, how to fill and reach one, and what it can do. A further source
needs one more row, and the contract holds over it.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit, urlunsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import fake_idps
import httpx
import scim_org
from faulty_client import FakeClock
from faulty_org import Asked, Reply, error, faulty_org, reply
from faulty_proxy import FaultyProxy, Seen
from scim2_models import ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_resource_types, load_default_schemas, load_default_service_provider_config

from rolecall.live.connect import PeopleConnection, connect_people
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope

TOKEN = "canary-people-5f1c"
CORE = "urn:ietf:params:scim:schemas:core:2.0"
PAGE = 3
"""How many rows the servers that can be told give at once."""


@dataclass(frozen=True)
class World:
    """Who there is: address as the source writes it -> groups. ``inactive`` have left; ``waiting`` groups are not sent
    yet; ``unseen`` people the source knows of but does not name. ``full_names`` are first and last names."""

    people: Mapping[str, list[str]]
    inactive: frozenset[str] = frozenset()
    waiting: tuple[str, ...] = ()
    unseen: int = 0
    full_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def groups(self) -> list[str]:
        """All groups, by first use."""
        return list(dict.fromkeys(group for held in self.people.values() for group in held))

    @property
    def sent(self) -> list[str]:
        return [group for group in self.groups if group not in self.waiting]

    def members(self, group: str) -> list[str]:
        return [person for person, held in self.people.items() if group in held]


class Place(NamedTuple):
    """A source that stands: what `people` of a config names, and how to reach it."""

    kind: str
    at: str
    way: PeopleConnection


Filled = Callable[[World, Path], AbstractContextManager[Place]]


@dataclass(frozen=True)
class Source:
    """A source of people. ``can``: it is reached over a ``socket``, so that it may be busy, silent or talk rubbish; it
    is a ``file``, in which everything is as somebody wrote it; it tells the people of groups that are ``waiting`` to
    be sent; it names who has ``departed``; it knows of people that are ``unseen``; it may hold ``nameless`` users;
    ``addresses`` alone are taken for names; an address may stand ``twice`` in it, or those lines are ``merged``."""

    name: str
    filled: Filled
    can: frozenset[str] = field(default_factory=frozenset)

    def __str__(self) -> str:
        return self.name


def read(place: Place, *, scope: PeopleScope = EVERYBODY, wanted: tuple[str, ...] = (), **more: Any) -> Directory:
    """What the source gives. Waiting takes no time. Raises what the source raises."""
    people = connect_people(place.kind, place.at, place.way._replace(groups=wanted, **{"clock": FakeClock(), **more}))

    async def whole() -> Directory:
        try:
            return await people.read_people(scope)
        finally:
            if hasattr(people, "close"):
                await people.close()

    return asyncio.run(whole())


def held(directory: Directory, *, active: bool | None = True) -> dict[str, set[str]]:
    """The groups of each person who is active, or is not, or of all."""
    people = (directory.person(number) for number in range(len(directory)))
    return {one.email: set(one.groups) for one in people if active is None or one.traits.active is active}


@contextmanager
def between(place: Place, fault: Callable[[int, Seen], str | None]) -> Iterator[tuple[Place, FaultyProxy]]:
    """The same source behind a proxy that misbehaves at the requests that ``fault`` names."""
    url = place.way.url or place.at
    parts = urlsplit(url)
    assert parts.port is not None
    with FaultyProxy(parts.port, fault) as proxy:
        moved = urlunsplit(parts._replace(netloc=f"127.0.0.1:{proxy.port}"))
        yield (
            (
                place._replace(way=place.way._replace(url=moved, login_url=moved))
                if place.way.url
                else place._replace(at=moved)
            ),
            proxy,
        )


@contextmanager
def _csv(world: World, folder: Path) -> Iterator[Place]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["E-Mail", "Groups", "Active", *(["First name", "Last name"] if world.full_names else [])])
    for email, groups in world.people.items():
        names = world.full_names.get(email, ("", "")) if world.full_names else ()
        writer.writerow([email, ";".join(groups), "no" if email in world.inactive else "yes", *names])
    (folder / "people.csv").write_text(out.getvalue(), encoding="utf-8-sig")
    yield Place("file", "people.csv", PeopleConnection(folder=folder))


@contextmanager
def _jsonl(world: World, folder: Path) -> Iterator[Place]:
    rows = (
        {
            "email": email,
            "groups": groups,
            **({"active": False} if email in world.inactive else {}),
            **({"name": " ".join(world.full_names[email])} if email in world.full_names else {}),
        }
        for email, groups in world.people.items()
    )
    (folder / "people.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    yield Place("file", "people.jsonl", PeopleConnection(folder=folder))


def _scim(base: str, token: str = TOKEN) -> Place:
    return Place("scim", base, PeopleConnection(token=lambda: token))


def fill_scim(base: str, token: str, world: World) -> None:
    """Put people and groups into a server as a provisioning IdP does."""
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as http:

        def made(kind: str, body: dict[str, Any]) -> str:
            answer = http.post(f"{base}/{kind}s", json={"schemas": [f"{CORE}:{kind}"], **body})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        users = {who: {"userName": who, "active": who not in world.inactive} for who in world.people}
        for who, (given, family) in world.full_names.items():
            users[who] |= {"name": {"givenName": given, "familyName": family}}
        ids = {who: made("User", user) for who, user in users.items()}
        for group in world.sent:
            members = [{"value": ids[who], "type": "User"} for who in world.members(group)]
            made("Group", {"displayName": group, "members": members})


@contextmanager
def _local_org(world: World, folder: Path) -> Iterator[Place]:
    """The local org's own SCIM side, over a socket."""
    database = scim_org.fresh(folder / "org.db")
    token = scim_org.new_token(database, "scim")
    with scim_org.served(database) as org:
        fill_scim(f"{org}/api/scim/v2", token, world)
        yield _scim(f"{org}/api/scim/v2", token)
    database.close()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing."""


@contextmanager
def _plain_scim(world: World, folder: Path) -> Iterator[Place]:
    """scim2-server as it is, over a socket."""
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(),
        load_default_resource_types().values(),
        load_default_service_provider_config(),
    )
    application = BearerTokenApplication(InMemoryStorage(), provider, bearer_tokens=[TOKEN])
    server = make_server("127.0.0.1", 0, application, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        base = f"http://127.0.0.1:{server.server_port}/v2"
        fill_scim(base, TOKEN, world)
        yield _scim(base)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class ScimServer:
    """A SCIM server with users and groups, and every way of being difficult."""

    def __init__(
        self,
        users: list[Any],
        groups: list[Any] | None = None,
        *,
        page: int = 100,
        total: Callable[[int], int] = lambda real: real,
        clamp: bool = False,
        beyond: Reply | None = None,
        projects: bool = True,
    ) -> None:
        self.resources = {"/Users": users, "/Groups": groups}
        self.page, self.total, self.clamp, self.beyond, self.projects = page, total, clamp, beyond, projects

    def __call__(self, asked: Asked) -> Reply:
        held = self.resources[asked.path]
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.target).query).items()}
        if held is None:
            return error(404)
        if "attributes" in query and not self.projects:
            return error(400)
        start = int(query["startIndex"]) - 1
        if start >= len(held) and self.beyond is not None:
            return self.beyond
        if self.clamp and held:
            start = min(start, len(held) - 1)
        rows = held[start : start + min(self.page, int(query["count"]))]
        return reply({"totalResults": self.total(len(held)), "Resources": rows, "startIndex": start + 1})


@contextmanager
def _lying_scim(world: World, folder: Path) -> Iterator[Place]:
    """A server whose totals are those of the page, or with ``unseen`` people more than it gives."""
    users: list[dict[str, Any]] = [
        {"id": who, "userName": who, "active": who not in world.inactive} for who in world.people
    ]
    for user in users:
        if user["id"] in world.full_names:
            user["displayName"] = " ".join(world.full_names[user["id"]])
    groups = [
        {"id": f"g-{group}", "displayName": group, "members": [{"value": who} for who in world.members(group)]}
        for group in world.sent
    ]
    more = world.unseen

    def total(real: int) -> int:
        return real + more if more else min(real, 1)

    server = ScimServer(users, groups, page=PAGE, total=total)

    def answered(asked: Asked) -> Reply:
        return server(asked) if asked.headers.get("authorization") == f"Bearer {TOKEN}" else error(401)

    with faulty_org(answered) as org:
        yield _scim(org.base)


def _site(world: World) -> fake_idps.Site:
    named = world.full_names.items()
    return fake_idps.Site(
        profiles={who: {"firstName": given, "lastName": family} for who, (given, family) in named},
        properties={who: {"givenName": given, "surname": family} for who, (given, family) in named},
        people=dict(world.people),
        groups=world.groups,
        pushed=world.sent,
        inactive=set(world.inactive),
        page=PAGE,
        token=TOKEN,
        direct=[f"unseen{number}@acme.com" for number in range(world.unseen)],
    )


@contextmanager
def _okta(world: World, folder: Path) -> Iterator[Place]:
    with fake_idps.served(_site(world), fake_idps.okta_answers, okta=True) as url:
        yield Place("okta", url, PeopleConnection(token=lambda: TOKEN, app="0oa1"))


@contextmanager
def _entra(world: World, folder: Path) -> Iterator[Place]:
    with fake_idps.served(_site(world), fake_idps.graph_answers, okta=False) as url:
        way = PeopleConnection(token=lambda: TOKEN, app=fake_idps.uid("app"), url=url, login_url=url)
        yield Place("entra", "acme", way)


_SCIM = frozenset({"socket", "departed", "nameless"})
SOURCES = (
    Source("csv", _csv, frozenset({"file", "departed", "merged", "addresses"})),
    Source("jsonl", _jsonl, frozenset({"file", "departed", "twice"})),
    Source("scim: the local org", _local_org, _SCIM),
    Source("scim: scim2-server", _plain_scim, _SCIM),
    Source("scim: false totals", _lying_scim, _SCIM | {"unseen", "twice"}),
    Source("okta", _okta, frozenset({"socket", "waiting", "nameless", "twice"})),
    Source("entra", _entra, frozenset({"socket", "waiting", "departed", "unseen", "nameless", "twice"})),
)
