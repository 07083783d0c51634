"""Test users in pages and partitions, searches for users, and their access."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from org_client import SNAPSHOT, Client, fill

from rolecall.codec.people import decode_people
from rolecall.localorg.api.handle import handle
from rolecall.localorg.web import Request
from rolecall.model.directory import PLAIN

EVERYBODY = {person["email"] for person in SNAPSHOT["people"]}


def walk(org: Client, target: str, limit: int, body: Any = None, order: str = "asc") -> list[Any]:
    """All rows of a list, page by page."""
    rows: list[Any] = []
    after = ""
    method = "GET" if body is None else "POST"
    while True:
        joint = "&" if "?" in target else "?"
        page = org.call(method, f"{target}{joint}limit={limit}&order={order}{after}", body).body
        rows += page["data"]
        assert len(page["data"]) <= limit
        if not page["has_more"]:
            assert page["total"] == len(rows)
            return rows
        after = f"&after={page['last_id']}"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_everybody_is_seen_once_whatever_the_pages(org: Client, limit: int) -> None:
    rows = walk(org, "/v1/people", limit)
    assert sorted(row["email"] for row in rows) == sorted(EVERYBODY)
    assert [row["id"] for row in walk(org, "/v1/people", limit, order="desc")] == [row["id"] for row in rows][::-1]


@pytest.mark.parametrize("parts", [1, 2, 5, 64])
def test_parts_are_lists_of_their_own_that_make_up_everybody(org: Client, parts: int) -> None:
    seen = [row["email"] for part in range(parts) for row in walk(org, f"/v1/people?partition={part}/{parts}", 2)]
    assert sorted(seen) == sorted(EVERYBODY)


def test_before_reads_back(org: Client) -> None:
    ids = [row["id"] for row in walk(org, "/v1/people", 1000)]
    page = org.get(f"/v1/people?limit=2&before={ids[4]}")
    assert [row["id"] for row in page["data"]] == ids[2:4]
    assert page["has_more"]
    assert not org.get(f"/v1/people?limit=2&before={ids[2]}")["has_more"]


def test_a_row_has_everything_that_the_rules_read(org: Client) -> None:
    names = {group["id"]: group["name"] for group in org.get("/v1/idp-groups")["data"]}
    people = decode_people(walk(org, "/v1/people", 3), names=names)
    read = {people.emails[number]: people.person(number) for number in range(len(people))}
    expected = decode_people(SNAPSHOT["people"])
    for number, email in enumerate(expected.emails):
        wanted = expected.person(number)
        assert set(read[email].groups) == set(wanted.groups)
        assert read[email].traits == wanted.traits
    assert read["bo@acme.com"].traits is PLAIN


def test_the_revision_moves_when_the_people_do(org: Client) -> None:
    before = org.get("/v1/people?limit=1")["revision"]
    assert org.get("/v1/people?limit=1")["revision"] == before
    fill(org.db)
    assert org.get("/v1/people?limit=1")["revision"] != before


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"emails": ["BO@acme.com", "nobody@acme.com"]}, {"bo"}),
        ({"groups": ["Blank"]}, {"bo", "cy"}),
        ({"groups": ["Blank", "Marketing", "Admins"]}, {"ann", "bo", "cy", "fay"}),
        ({"org_admins": True}, {"ann"}),
        ({"unmapped": True}, {"cy", "di", "ed", "gus"}),
        ({"manual": True}, {"cy", "ed"}),
        ({"attribute_admins": True}, {"gus"}),
        ({"attribute_admins": True, "manual": True, "groups": ["Blank"]}, {"bo", "cy", "ed", "gus"}),
        ({"groups": []}, set()),
        ({"emails": []}, set()),
    ],
)
def test_a_search_finds_the_union_once(org: Client, body: Any, found: set[str]) -> None:
    if "groups" in body:
        body = {**body, "groups": [org.group(name)["id"] for name in body["groups"]]}
    for limit in (1, 1000):
        rows = walk(org, "/v1/people/search", limit, body)
        assert sorted(row["email"].split("@")[0] for row in rows) == sorted(found)


def test_a_search_for_org_admins_finds_those_by_hand_and_by_attribute(org: Client) -> None:
    people = [
        {"email": "hand@acme.com", "origin": "saml", "manual": [{"team": "IT", "role": "org_admin"}]},
        {"email": "attribute@acme.com", "role_attribute": "admin"},
        {"email": "plain@acme.com"},
    ]
    fill(org.db, people=people, scim={"enabled": True, "endpoint": "legacy"}, idp_groups={})
    rows = walk(org, "/v1/people/search", 10, {"org_admins": True})
    assert {row["email"] for row in rows} == {"hand@acme.com", "attribute@acme.com"}
    assert org.team_roles("hand@acme.com") == {("IT", "org_admin")}


def test_a_search_for_org_admins_finds_all_who_are(org: Client) -> None:
    found = {row["id"] for row in walk(org, "/v1/people/search", 10, {"org_admins": True})}
    admins = {
        row["id"] for row in walk(org, "/v1/people", 10) if org.get(f"/v1/people/{row['id']}/access")["org_admin"]
    }
    assert admins <= found


@pytest.mark.parametrize(
    "body",
    [{}, [], {"org_admins": False}, {"groups": "x"}, {"emails": [1]}, {"everybody": True}, {"emails": ["a", "a"]}],
)
def test_a_search_that_names_nobody_is_refused(org: Client, body: Any) -> None:
    assert org.call("POST", "/v1/people/search", body).status == 400


def test_a_search_is_a_read(org: Client) -> None:
    reader = Client(org.db, org.as_person("ann@acme.com", scope="read").token)
    assert reader.call("POST", "/v1/people/search", {"manual": True}).status == 200


def test_access_comes_with_its_reasons(org: Client) -> None:
    org.write("PUT", "/v1/access/scim", {"manual_editing": True})
    access = org.get(f"/v1/people/{org.person('cy@acme.com')['id']}/access")
    assert access["email"] == "cy@acme.com"
    assert access["org_admin"] is False
    assert access["combos"] == [
        {
            "team": "Everyone",
            "role": "member",
            "reason": "default",
            "reasons": [{"source": "default", "role": "member", "rule": "R7"}],
        },
        {
            "team": "Sales",
            "role": "member",
            "reason": "manual",
            "reasons": [{"source": "manual", "role": "member", "rule": "R16"}],
        },
    ]
    assert org.get(f"/v1/people/{org.person('ann@acme.com')['id']}/access")["org_admin"] is True
    assert org.team_roles("fay@acme.com") == set()
    assert org.call("GET", "/v1/people/nobody/access").key == "no_such_person"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=99999999999999999999",
        "limit=ten",
        "limit=1.5",
        "limit=",
        "limit=%D9%A1",
        "order=up",
        "after=",
        "after=a&before=b",
        "limit=1&limit=2",
        "partition=8/8",
        "partition=0/65",
        "partition=1",
        "partition=-1/2",
        "partition=0/0",
        "partition=1/2/3",
        "after=%00",
        "after=%ff",
        "color=red",
        "after=" + "x" * 301,
    ],
)
def test_a_query_that_does_not_fit_is_refused(org: Client, query: str) -> None:
    answer = org.call("GET", f"/v1/people?{query}")
    assert answer.status in (400, 422)


@pytest.mark.parametrize(
    "cursor", ["forged", "%27%20OR%201=1--", "ffffffff-ffff-ffff-ffff-ffffffffffff", "%F0%9F%92%A5"]
)
def test_a_forged_cursor_is_a_place_in_the_list_and_no_more(org: Client, cursor: str) -> None:
    page = org.get(f"/v1/people?after={cursor}&limit=1000")
    assert page["total"] == len(EVERYBODY)
    assert {row["email"] for row in page["data"]} <= EVERYBODY


def test_names_beyond_ascii_and_with_quotes_survive(org: Client) -> None:
    people = [
        {"email": 'o"brien\\@acme.com', "role_attribute": 'a"b'},
        {"email": "ünïcode💥@acme.com", "manual": [{"team": "Ma\u202erketing", "role": "member"}]},
    ]
    fill(org.db, people=people)
    rows = {row["email"]: row for row in walk(org, "/v1/people", 10)}
    assert rows['o"brien\\@acme.com']["role_attribute"] == 'a"b'
    assert rows["ünïcode💥@acme.com"]["manual"] == [{"team": "Ma\u202erketing", "role": "member"}]


@pytest.mark.parametrize("search", [None, {"groups": ["Marketing"], "manual": True}], ids=["everybody", "search"])
def test_users_in_columns_are_the_users_of_the_list(org: Client, search: dict[str, Any] | None) -> None:
    target = "/v1/people" if search is None else "/v1/people/search"
    if search is not None:
        ids = {group["name"]: group["id"] for group in org.get("/v1/idp-groups")["data"]}
        search = {**search, "groups": [ids[name] for name in search["groups"]]}
    listed = walk(org, target, 1000, search)
    method, body = ("GET", b"") if search is None else ("POST", json.dumps(search).encode())
    request = Request(method, target, "", {"content-type": "application/json"}, body, embedded=True, columns=True)
    users = handle(request, org.db).users
    assert users is not None
    assert users.ids == [row["id"] for row in listed]
    assert users.emails == [row["email"] for row in listed]
    numbers = [users.members[first:end] for first, end in pairwise(users.offsets)]
    assert [{users.groups[n] for n in some} for some in numbers] == [set(row["groups"]) for row in listed]
    plain = {"origin": "scim", "active": True, "pending": False, "role_attribute": None, "manual": []}
    plain |= {"org_role": None, "seat": None, "billing_group": None}
    traits = [{name: row.get(name, plain[name]) for name in plain} for row in listed]
    uncommon = {n: {**row, "manual": json.loads(row["manual"])} for n, row in users.uncommon.items()}
    assert uncommon == {number: own for number, own in enumerate(traits) if own != plain}


def test_columns_are_refused_as_any_list_is(org: Client) -> None:
    refused = handle(Request("GET", "/v1/people", "", {"authorization": "Bearer none"}, columns=True), org.db)
    assert (refused.status, refused.users) == (401, None)
