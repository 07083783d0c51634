"""What is SCIM's own beside the contract over all sources of people: difficult servers, and whom a user stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from faulty_client import TOKEN, FakeClock
from faulty_org import Asked, Reply, error, faulty_org, reply
from live_site import Site
from people_sources import ScimServer

from rolecall.live.http.exchange import Exchange
from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.people.scim import EXTENSION, ScimPeople
from rolecall.localorg.manage import make_token
from rolecall.model.directory import EVERYBODY, Directory, Person, Traits


def read(base: str, token: str = TOKEN, attribute: str | None = None) -> Directory:
    exchange = Exchange(HttpTransport(base_url(base), lambda: token), FakeClock(), chance=lambda: 0.0)
    people = ScimPeople(exchange, attribute)

    async def whole() -> Directory:
        try:
            return await people.read_people(EVERYBODY)
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


def user(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"u{number}", "userName": f"p{number}@acme.com", **more}


def served(server: Callable[[Asked], Reply], **options: Any) -> Directory:
    with faulty_org(server) as faulty:
        return read(faulty.base, **options)


PEOPLE = [user(number) for number in range(5)]
STAFF = {"id": "g1", "displayName": "Staff", "members": [{"value": "u0"}, {"value": "u4"}]}


@pytest.mark.parametrize(
    "server",
    [
        ScimServer(PEOPLE, [STAFF]),
        ScimServer(PEOPLE, [STAFF], page=2),
        ScimServer(PEOPLE, [STAFF], page=1, total=lambda real: 1),
        ScimServer(PEOPLE, [STAFF], page=2, total=lambda real: 0),
        ScimServer(PEOPLE, [STAFF], projects=False),
        ScimServer(PEOPLE, [STAFF], beyond=error(400)),
        ScimServer(PEOPLE, [STAFF], beyond=error(404)),
        ScimServer(PEOPLE, [STAFF], page=1, clamp=True),
        ScimServer([user(n, groups=[{"value": "g1", "display": "Staff"}] * (n in (0, 4))) for n in range(5)], None),
        ScimServer([user(n, groups=[{"value": "g1"}] if n == 0 else []) for n in range(5)], [STAFF]),
        ScimServer(
            [user(n, groups=[{"value": "g1", "display": "Other"}] if n in (0, 4) else []) for n in range(5)],
            [{"id": "g1", "displayName": "Staff"}],
        ),
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
        "members of groups on users alone",
    ],
)
def test_difficult_servers_that_can_be_read(server: ScimServer) -> None:
    directory = served(server)
    assert directory.coverage[:3] == ("complete", 5, 5)
    found = persons(directory)
    assert {email for email, person in found.items() if person.groups == ("Staff",)} == {"p0@acme.com", "p4@acme.com"}
    assert {person.groups for person in found.values()} == {(), ("Staff",)}


def endless(asked: Asked) -> Reply:
    start = int(parse_qs(urlsplit(asked.target).query)["startIndex"][0])
    return reply({"totalResults": 3, "Resources": [user(number) for number in range(start, start + 5000)]})


@pytest.mark.parametrize("more, headers", [({"nextCursor": "c2"}, {}), ({}, {"link": '<?cursor=c2>; rel="next"'})])
def test_a_next_page_in_another_form_makes_people_partial(more: dict[str, str], headers: dict[str, str]) -> None:
    page_one = {"totalResults": len(PEOPLE), "Resources": PEOPLE, **more}
    none = {"totalResults": 0, "Resources": []}
    directory = served(lambda asked: reply(page_one, **headers) if "Users" in asked.path else reply(none))
    assert directory.coverage.state == "partial"
    assert "may be incomplete" in (directory.coverage.problem or "")


@pytest.mark.parametrize(
    "server",
    [
        endless,
        ScimServer([*PEOPLE, PEOPLE[0]], [STAFF]),
        ScimServer([*PEOPLE, user(9, userName="P1@acme.com")], [STAFF]),
        ScimServer([{"userName": "no id"}], [STAFF]),
        ScimServer(["text"], [STAFF]),
        ScimServer(PEOPLE, [{"id": "g1"}]),
        lambda asked: error(403),
        lambda asked: reply({"Resources": []}),
        lambda asked: reply(b"", 302, location="https://evil.example.com"),
    ],
    ids=range(9),
)
def test_servers_that_cannot_be_read(server: Callable[[Asked], Reply]) -> None:
    directory = served(server)
    assert (len(directory), directory.coverage.state) == (0, "unread")
    assert directory.coverage.problem


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
    assert list(persons(served(ScimServer([{"id": "u", **row}], [])))) == [email]


def test_users_without_an_address_are_left_out_and_told() -> None:
    directory = served(ScimServer([{"id": "u", "userName": "robot"}, user(1)], []))
    assert list(directory.emails) == ["p1@acme.com"]
    assert directory.coverage.problem == "users without an email address are left out (1)"


@pytest.mark.parametrize("said, active", [(True, True), (False, False), ("False", False), ("True", True), (None, True)])
def test_active_in_each_form(said: Any, active: bool) -> None:
    assert served(ScimServer([user(1, active=said)], [])).traits(0).active is active


def test_groups_within_groups_do_not_count() -> None:
    nested = {"id": "g2", "displayName": "All", "members": [{"value": "u0", "type": "Group"}, {"value": "u1"}]}
    indirect = user(2, groups=[{"value": "g2", "type": "indirect"}])
    found = persons(served(ScimServer([user(0), user(1), indirect], [nested])))
    assert [person.groups for person in found.values()] == [(), ("All",), ()]


@pytest.mark.parametrize(
    "row", [{EXTENSION: {"role": "admin"}}, {f"{EXTENSION}:User": {"role": "admin"}}, {"role": "admin"}], ids=range(3)
)
def test_the_role_attribute_in_each_place(row: dict[str, Any]) -> None:
    server = ScimServer([user(1, **row)], [])
    assert served(server, attribute="role").traits(0).role_attribute == "admin"
    assert served(server).traits(0).role_attribute is None
