"""People from SCIM servers: our own, the library's, and servers that lie, limit and refuse."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
from faulty_client import HTML, TOKEN, FakeClock
from faulty_org import Asked, Close, Reply, error, faulty_org, reply
from live_site import Site
from scim2_models import ScimProvider
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BearerTokenApplication
from scim2_server.utils import load_default_resource_types, load_default_schemas, load_default_service_provider_config

from rolecall.errors import OrgError
from rolecall.live.exchange import Exchange
from rolecall.live.http import HttpTransport, base_url
from rolecall.live.people_scim import EXTENSION, ScimPeople
from rolecall.localorg.manage import make_token
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope, Person, Traits

CORE = "urn:ietf:params:scim:schemas:core:2.0"


def read(
    base: str, token: str = TOKEN, attribute: str | None = None, scope: PeopleScope = EVERYBODY, clock: Any = None
) -> Directory:
    exchange = Exchange(HttpTransport(base_url(base), lambda: token), clock or FakeClock(), chance=lambda: 0.0)
    people = ScimPeople(exchange, attribute)

    async def whole() -> Directory:
        try:
            return await people.read_people(scope)
        finally:
            await people.close()

    return asyncio.run(whole())


def persons(directory: Directory) -> dict[str, Person]:
    found = (directory.person(number) for number in range(len(directory)))
    return {person.email: person for person in found}


@pytest.mark.parametrize("site", ["http"], indirect=True)
def test_the_local_org(site: Site) -> None:
    token = make_token(site.database, "scim").secret
    directory = read(f"{site.base}/api/scim/v2", token)
    assert directory.coverage[:3] == ("complete", 4, 4)
    found = persons(directory)
    assert set(found) == {"ann@acme.com", "bo@acme.com", "cy@acme.com", "ed@acme.com"}, "di is SAML's"
    assert set(found["bo@acme.com"].groups) == {"Marketing", "Twins"}
    assert found["ed@acme.com"].traits == Traits(active=False)


@contextmanager
def plain_server() -> Iterator[str]:
    """scim2-server as it is, over a socket."""
    provider = ScimProvider.from_discovery(
        load_default_schemas().values(),
        load_default_resource_types().values(),
        load_default_service_provider_config(),
    )
    application = BearerTokenApplication(InMemoryStorage(), provider, bearer_tokens=[TOKEN])
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v2"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *args: Any) -> None:
        """Nothing."""


def test_the_library_as_it_is() -> None:
    with plain_server() as base, httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as http:
        ids = []
        for number in range(7):
            body = {"schemas": [f"{CORE}:User"], "userName": f"p{number}@acme.com", "active": number != 3}
            ids.append(http.post(f"{base}/Users", json=body).json()["id"])
        members = [{"value": one, "type": "User"} for one in ids[:5]]
        group = {"schemas": [f"{CORE}:Group"], "displayName": "Staff", "members": members}
        assert http.post(f"{base}/Groups", json=group).status_code == 201
        found = persons(read(base))
    assert len(found) == 7
    assert found["p0@acme.com"].groups == ("Staff",)
    assert found["p6@acme.com"].groups == ()
    assert found["p3@acme.com"].traits == Traits(active=False)


def user(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"u{number}", "userName": f"p{number}@acme.com", **more}


class Server:
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


def served(server: Callable[[Asked], Reply], **options: Any) -> Directory:
    with faulty_org(server) as faulty:
        return read(faulty.base, **options)


PEOPLE = [user(number) for number in range(5)]
STAFF = {"id": "g1", "displayName": "Staff", "members": [{"value": "u0"}, {"value": "u4"}]}


@pytest.mark.parametrize(
    "server",
    [
        Server(PEOPLE, [STAFF]),
        Server(PEOPLE, [STAFF], page=2),
        Server(PEOPLE, [STAFF], page=1, total=lambda real: 1),
        Server(PEOPLE, [STAFF], page=2, total=lambda real: 0),
        Server(PEOPLE, [STAFF], projects=False),
        Server(PEOPLE, [STAFF], beyond=error(400)),
        Server(PEOPLE, [STAFF], beyond=error(404)),
        Server(PEOPLE, [STAFF], page=1, clamp=True),
        Server([user(n, groups=[{"value": "g1", "display": "Staff"}] if n in (0, 4) else []) for n in range(5)], None),
        Server([user(n, groups=[{"value": "g1"}] if n == 0 else []) for n in range(5)], [STAFF]),
    ],
    ids=[
        "plain",
        "small pages",
        "total is the page",
        "total is nothing",
        "no projection",
        "400 beyond the end",
        "404 beyond the end",
        "last page again beyond the end",
        "groups on users alone",
        "groups on users too",
    ],
)
def test_difficult_servers_that_can_be_read(server: Server) -> None:
    directory = served(server)
    assert directory.coverage[:3] == ("complete", 5, 5)
    found = persons(directory)
    assert {email for email, person in found.items() if person.groups == ("Staff",)} == {"p0@acme.com", "p4@acme.com"}
    assert {person.groups for person in found.values()} == {(), ("Staff",)}


def test_a_server_that_hides_people_is_not_believed() -> None:
    coverage = served(Server(PEOPLE, [STAFF], total=lambda real: 2 * real)).coverage
    assert coverage[:3] == ("partial", 5, 10)
    assert coverage.problem is not None
    assert "5 more users" in coverage.problem


def endless(asked: Asked) -> Reply:
    start = int(parse_qs(urlsplit(asked.target).query)["startIndex"][0])
    return reply({"totalResults": 3, "Resources": [user(number) for number in range(start, start + 5000)]})


@pytest.mark.parametrize(
    "server",
    [
        endless,
        Server([*PEOPLE, PEOPLE[0]], [STAFF]),
        Server([*PEOPLE, user(9, userName="P1@acme.com")], [STAFF]),
        Server([{"userName": "no id"}], [STAFF]),
        Server(["text"], [STAFF]),
        Server(PEOPLE, [{"id": "g1"}]),
        lambda asked: error(401),
        lambda asked: error(403),
        lambda asked: error(500),
        lambda asked: reply(HTML),
        lambda asked: reply({"Resources": []}),
        lambda asked: reply(b"", 302, location="https://evil.example.com"),
    ],
    ids=range(12),
)
def test_servers_that_cannot_be_read(server: Callable[[Asked], Reply]) -> None:
    directory = served(server)
    assert (len(directory), directory.coverage.state) == (0, "unread")
    assert directory.coverage.problem


def test_a_silent_server_is_an_error() -> None:
    with pytest.raises(OrgError):
        served(lambda asked: Close())


def test_reading_goes_on_after_a_wait() -> None:
    server, clock = Server(PEOPLE, [STAFF], page=2), FakeClock()
    busy = [error(429, retry_after="4")]
    directory = served(
        lambda asked: busy.pop() if "startIndex=3" in asked.target and busy else server(asked), clock=clock
    )
    assert len(directory) == 5
    assert sum(clock.slept) >= 4


OTHER = {"value": "x@acme.com"}


@pytest.mark.parametrize(
    "row, email",
    [
        ({"userName": "Ann@acme.com"}, "ann@acme.com"),
        (
            {"userName": "ann", "emails": [{"value": "x@acme.com"}, {"value": "a@acme.com", "primary": True}]},
            "a@acme.com",
        ),
        (
            {"userName": "ann", "emails": [{"value": "x@acme.com"}, {"value": "w@acme.com", "type": "work"}]},
            "w@acme.com",
        ),
        ({"userName": "ann", "emails": [OTHER]}, "x@acme.com"),
    ],
    ids=range(4),
)
def test_whom_a_user_is(row: dict[str, Any], email: str) -> None:
    assert list(persons(served(Server([{"id": "u", **row}], [])))) == [email]


def test_users_without_an_address_are_left_out_and_told() -> None:
    directory = served(Server([{"id": "u", "userName": "robot"}, user(1)], []))
    assert list(directory.emails) == ["p1@acme.com"]
    assert directory.coverage.problem == "1 users without an e-mail address are left out"


@pytest.mark.parametrize("said, active", [(True, True), (False, False), ("False", False), ("True", True), (None, True)])
def test_active_in_each_form(said: Any, active: bool) -> None:
    assert served(Server([user(1, active=said)], [])).traits(0).active is active


def test_groups_within_groups_do_not_count() -> None:
    nested = {"id": "g2", "displayName": "All", "members": [{"value": "u0", "type": "Group"}, {"value": "u1"}]}
    indirect = user(2, groups=[{"value": "g2", "type": "indirect"}])
    found = persons(served(Server([user(0), user(1), indirect], [nested])))
    assert [person.groups for person in found.values()] == [(), ("All",), ()]


@pytest.mark.parametrize(
    "row", [{EXTENSION: {"role": "admin"}}, {f"{EXTENSION}:User": {"role": "admin"}}, {"role": "admin"}], ids=range(3)
)
def test_the_role_attribute_in_each_place(row: dict[str, Any]) -> None:
    server = Server([user(1, **row)], [])
    assert served(server, attribute="role").traits(0).role_attribute == "admin"
    assert served(server).traits(0).role_attribute is None


def test_nobody_is_asked_for_when_nobody_is_in_scope() -> None:
    with faulty_org(Server(PEOPLE, [])) as faulty:
        assert len(read(faulty.base, scope=PeopleScope())) == 0
        assert faulty.asked == []
