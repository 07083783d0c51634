"""The protocol: discovery, projections, sorting, paging, cursors, ETags, Bulk and .search."""

from __future__ import annotations

from typing import Any

import pytest
from scim_org import BULK, ENTERPRISE, GROUP, PATCH_OP, SEARCH, USER, WRITER_USER, Answer, Client

ANN = {
    "externalId": "E1",
    "name": {"givenName": "Ann", "familyName": "Åkesson"},
    "emails": [{"value": "ann@acme.com", "type": "work", "primary": True}, {"value": "ann@home.se", "type": "home"}],
    ENTERPRISE: {"department": "Press", "manager": {"value": "9c2b"}},
}


def test_discovery_says_what_there_is(scim: Client) -> None:
    config = scim.get("/ServiceProviderConfig").body
    supported = {name: config[name]["supported"] for name in ("patch", "bulk", "filter", "sort", "etag")}
    assert supported == dict.fromkeys(supported, True)
    assert config["changePassword"]["supported"] is False
    assert config["pagination"]["cursor"] is True
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"
    types = {one["id"]: one for one in scim.get("/ResourceTypes").body["Resources"]}
    assert {one["schema"] for one in types["User"]["schemaExtensions"]} == {ENTERPRISE, WRITER_USER}
    schemas = {one["id"]: one for one in scim.get("/Schemas").body["Resources"]}
    assert [one["name"] for one in schemas[WRITER_USER]["attributes"]] == ["role"]
    assert scim.get(f"/Schemas/{USER}").body["id"] == USER
    assert scim.get("/ResourceTypes/Group").body["endpoint"] == "/Groups"
    assert scim.get("/Schemas", filter="id pr").status == 403


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"attributes": "userName"}, {"userName"}),
        ({"attributes": "USERNAME,emails.value"}, {"userName", "emails"}),
        ({"attributes": "name.givenName"}, {"name"}),
        ({"attributes": f"{ENTERPRISE}:department"}, {ENTERPRISE}),
        ({"attributes": ENTERPRISE}, {ENTERPRISE}),
        ({"attributes": "groups,meta"}, {"groups", "meta"}),
        ({"attributes": f"{USER}:userName"}, {"userName"}),
        ({"attributes": "nothing"}, set()),
        (
            {"excludedAttributes": f"emails,meta,groups,{ENTERPRISE}"},
            {"userName", "externalId", "name", "active"},
        ),
        (
            {"excludedAttributes": "id,schemas,emails.type"},
            {"userName", "externalId", "name", "active", "emails", "groups", "meta", ENTERPRISE},
        ),
    ],
)
def test_projections_keep_what_was_asked_for(scim: Client, asked: dict[str, str], kept: set[str]) -> None:
    ann = scim.user("ann@acme.com", **ANN)
    scim.group("Writers", ann)
    whole = scim.get(f"/Users/{ann}").body
    one = scim.get(f"/Users/{ann}", **asked).body
    assert set(one) == kept | {"schemas", "id"}
    assert one["schemas"] == [urn for urn in whole["schemas"] if urn == USER or urn in kept]
    assert scim.get("/Users", **asked).body["Resources"] == [one]
    search = {"schemas": [SEARCH], **{name: value.split(",") for name, value in asked.items()}}
    assert scim.post("/Users/.search", search).body["Resources"] == [one]


def test_a_projection_reaches_into_entries(scim: Client) -> None:
    ann = scim.user("ann@acme.com", **ANN)
    one = scim.get(f"/Users/{ann}", attributes="emails.value,name.familyName").body
    assert one["emails"] == [{"value": "ann@acme.com"}, {"value": "ann@home.se"}]
    assert one["name"] == {"familyName": "Åkesson"}
    patched = scim.call(
        "PATCH",
        f"/Users/{ann}?attributes=title",
        {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "x"}]},
    )
    assert set(patched.body) == {"schemas", "id", "title"}
    assert scim.get(f"/Users/{ann}", attributes="title", excludedAttributes="emails").status == 400


@pytest.mark.parametrize(
    ("by", "order", "names"),
    [
        ("userName", "ascending", ["Ann@b.se", "bo@a.se", "cy@c.se"]),
        ("userName", "descending", ["cy@c.se", "bo@a.se", "Ann@b.se"]),
        ("title", "ascending", ["bo@a.se", "cy@c.se", "Ann@b.se"]),
        ("title", "descending", ["Ann@b.se", "cy@c.se", "bo@a.se"]),
        ("emails.value", "ascending", ["cy@c.se", "Ann@b.se", "bo@a.se"]),
        ("emails", "descending", ["bo@a.se", "Ann@b.se", "cy@c.se"]),
        ("meta.created", "descending", ["cy@c.se", "bo@a.se", "Ann@b.se"]),
        (f"{ENTERPRISE}:department", "ascending", ["bo@a.se", "Ann@b.se", "cy@c.se"]),
    ],
)
def test_sorting(scim: Client, by: str, order: str, names: list[str]) -> None:
    primary = [{"value": "x@z.se"}, {"value": "b@z.se", "primary": True}]
    scim.user("Ann@b.se", emails=primary, **{ENTERPRISE: {"department": "Press"}})
    scim.user("bo@a.se", title="alpha", emails=[{"value": "c@z.se"}], **{ENTERPRISE: {"department": "art"}})
    scim.user("cy@c.se", title="Beta", emails=[{"value": "A@z.se"}])
    found = scim.get("/Users", sortBy=by, sortOrder=order).body["Resources"]
    assert [one["userName"] for one in found] == names


@pytest.mark.parametrize("by", ["members", "name", "nothing", "password", "groups"])
def test_what_cannot_be_sorted_on_is_refused(scim: Client, by: str) -> None:
    answer = scim.get("/Groups" if by == "members" else "/Users", sortBy=by)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidPath")


@pytest.mark.parametrize(
    ("asked", "status", "start", "items"),
    [
        ({"startIndex": -5, "count": 2}, 200, 1, 2),
        ({"startIndex": 0, "count": 2}, 200, 1, 2),
        ({"startIndex": 3, "count": 2}, 200, 3, 1),
        ({"startIndex": 4, "count": 2}, 200, 4, 0),
        ({"startIndex": 10**30, "count": 2}, 200, 10**30, 0),
        ({"startIndex": 1, "count": 0}, 200, 1, 0),
        ({"startIndex": 1, "count": -1}, 200, 1, 0),
        ({"startIndex": 1, "count": 10**30}, 200, 1, 3),
        ({"startIndex": "x"}, 400, None, None),
        ({"count": "1.5"}, 400, None, None),
        ({"count": "9" * 5000}, 400, None, None),
    ],
)
def test_pages_by_index(scim: Client, asked: dict[str, Any], status: int, start: int | None, items: int | None) -> None:
    for name in ("a", "b", "c"):
        scim.user(f"{name}@acme.com")
    answer = scim.get("/Users", **asked)
    assert answer.status == status
    if status == 200:
        assert (answer.body["totalResults"], answer.body["startIndex"], answer.body["itemsPerPage"]) == (
            3,
            start,
            items,
        )


def walk(scim: Client, path: str, **asked: Any) -> list[Answer]:
    pages = [scim.get(path, cursor="", **asked)]
    while cursor := pages[-1].body.get("nextCursor"):
        pages.append(scim.get(path, cursor=cursor, **asked))
    return pages


@pytest.mark.parametrize("more", [{}, {"sortBy": "title"}, {"sortBy": "userName", "sortOrder": "descending"}])
def test_a_cursor_walks_everybody_once_while_people_come_and_go(scim: Client, more: dict[str, str]) -> None:
    stay = [scim.user(f"{name}@acme.com", **({"title": name} if name in "bd" else {})) for name in "abcdefg"]
    first = scim.get("/Users", cursor="", count=2, **more)
    gone = first.ids[-1]
    scim.delete(f"/Users/{gone}")
    scim.user("aa@acme.com")
    seen, cursor = first.ids, first.body["nextCursor"]
    while cursor:
        page = scim.get("/Users", cursor=cursor, count=2, **more)
        seen += page.ids
        cursor = page.body.get("nextCursor")
    assert len(seen) == len(set(seen))
    assert set(stay) <= set(seen)


def test_cursors_lead_back(scim: Client) -> None:
    for name in "abcde":
        scim.group(name)
    pages = walk(scim, "/Groups", count=2)
    assert [len(page.ids) for page in pages] == [2, 2, 1]
    back = scim.get("/Groups", cursor=pages[-1].body["previousCursor"], count=2)
    assert back.ids == pages[1].ids
    assert "startIndex" not in back.body


def test_a_forged_cursor_is_refused(scim: Client) -> None:
    for name in "abc":
        scim.user(f"{name}@acme.com")
    good = scim.get("/Users", cursor="", count=1).body["nextCursor"]
    last = "A" if good[-3] != "A" else "B"
    for cursor in ("x", "AAAA", good[:-4], good[:-3] + last + good[-2:], "a" * 3000, good + "="):
        answer = scim.get("/Users", cursor=cursor, count=1)
        assert (answer.status, answer.body["scimType"]) == (400, "invalidCursor"), cursor
    other = scim.get("/Users", cursor=good, count=1, filter="userName pr")
    assert other.body["scimType"] == "invalidCursor"
    assert scim.get("/Users", cursor=good, count=2).body["scimType"] == "invalidCount"
    assert scim.get("/Users", cursor=good, count=1, startIndex=1).status == 400


def test_etags_and_conditions(scim: Client) -> None:
    ann = scim.user("ann@acme.com")
    path = f"/Users/{ann}"
    first = scim.get(path)
    etag = first.headers["etag"]
    assert etag == first.body["meta"]["version"]
    assert etag.startswith('W/"')
    same = scim.get(path)
    assert scim.call("GET", path, if_none_match=etag).status == 304
    assert scim.call("GET", path, if_none_match='W/"0"').body == same.body
    title = {"op": "add", "path": "title", "value": "x"}
    changed = scim.patch(path, title, if_match=etag)
    assert (changed.status, changed.headers["etag"] != etag) == (200, True)
    for stale in (scim.patch(path, title, if_match=etag), scim.put(path, first.body, if_match=etag)):
        assert (stale.status, stale.body["status"]) == (412, "412")
    assert scim.delete(path, if_match=etag).status == 412
    assert scim.patch(path, title, if_match="*").headers["etag"] == changed.headers["etag"]
    assert scim.delete(path, if_match=changed.headers["etag"]).status == 204


def test_a_group_s_etag_changes_with_its_members(scim: Client) -> None:
    ann = scim.user("ann@acme.com")
    group = scim.group("Writers")
    path, etag = f"/Groups/{group}", scim.get(f"/Groups/{group}").headers["etag"]
    add = {"op": "add", "path": "members", "value": [{"value": ann}]}
    assert scim.patch(path, add, if_match='W/"77"').status == 412
    added = scim.patch(path, add, if_match=etag)
    assert (added.status, added.headers["etag"] != etag) == (200, True)
    assert added.body["meta"]["lastModified"] > added.body["meta"]["created"]


def bulk(scim: Client, *operations: dict[str, Any], **more: Any) -> Answer:
    return scim.post("/Bulk", {"schemas": [BULK], "Operations": list(operations), **more})


def test_bulk_resolves_references_and_goes_on_after_failures(scim: Client) -> None:
    done = bulk(
        scim,
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "g",
            "data": {"schemas": [GROUP], "displayName": "Writers", "members": [{"value": "bulkId:u"}]},
        },
        {
            "method": "POST",
            "path": "/Users",
            "bulkId": "u",
            "data": {
                "schemas": [USER],
                "userName": "ann@acme.com",
                "password": "SECRET",
                ENTERPRISE: {"manager": "9c2b"},
            },
        },
        {"method": "POST", "path": "/Users", "bulkId": "v", "data": {"schemas": [USER], "userName": "ANN@acme.com"}},
        {"method": "DELETE", "path": "/Users/nobody"},
        {
            "method": "PATCH",
            "path": "/Users/bulkId:u",
            "data": {"schemas": [PATCH_OP], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]},
        },
        {
            "method": "PATCH",
            "path": "/Groups/bulkId:g",
            "data": {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "displayName", "value": "Z"}]},
        },
    )
    assert done.status == 200
    assert [one["status"] for one in done.body["Operations"]] == ["201", "201", "409", "404", "200", "200"]
    (ann,) = scim.get("/Users").body["Resources"]
    assert (ann["active"], ann[ENTERPRISE]["manager"]) == (False, {"value": "9c2b"})
    (group,) = scim.get("/Groups").body["Resources"]
    assert (group["displayName"], [one["value"] for one in group["members"]]) == ("Z", [ann["id"]])


def test_bulk_moves_members_and_puts(scim: Client) -> None:
    ann, bo = scim.user("ann@acme.com"), scim.user("bo@acme.com")
    group = scim.group("Writers", ann)
    add = {"op": "Add", "path": "members", "value": [{"value": bo}]}
    drop = {"op": "Remove", "path": "members", "value": [{"value": ann}]}
    done = bulk(
        scim,
        {"method": "PATCH", "path": f"/Groups/{group}", "data": {"schemas": [PATCH_OP], "Operations": [add, drop]}},
    )
    assert done.body["Operations"][0]["status"] == "200"
    assert scim.members(group) == {bo}
    put = {"schemas": [GROUP], "displayName": "Writers", "members": [{"value": ann}]}
    bulk(scim, {"method": "PUT", "path": f"/Groups/{group}", "data": put, "version": 'W/"1"'})
    assert scim.members(group) == {bo}
    bulk(scim, {"method": "PUT", "path": f"/Groups/{group}", "data": put})
    assert scim.members(group) == {ann}


def test_a_failed_part_of_a_bulk_leaves_nothing_behind(scim: Client) -> None:
    ann = scim.user("ann@acme.com")
    group = scim.group("Writers", ann)
    operations = [{"op": "remove", "path": "members"}, {"op": "replace", "path": "displayName", "value": ""}]
    done = bulk(
        scim, {"method": "PATCH", "path": f"/Groups/{group}", "data": {"schemas": [PATCH_OP], "Operations": operations}}
    )
    assert done.body["Operations"][0]["status"] == "400"
    assert scim.members(group) == {ann}


def test_bulk_stops_at_fail_on_errors_and_has_a_limit(scim: Client) -> None:
    missing = {"method": "DELETE", "path": "/Users/nobody"}
    done = bulk(scim, missing, missing, missing, failOnErrors=2)
    assert len(done.body["Operations"]) == 2
    assert bulk(scim, *[missing] * 1001).status == 413
    assert bulk(scim).status == 400


def test_the_root_searches_both(scim: Client) -> None:
    ann = scim.user("ann@acme.com", displayName="Writers")
    group = scim.group("Writers", ann)
    found = scim.post("/.search", {"schemas": [SEARCH], "filter": 'displayName eq "writers"'})
    assert found.ids == [ann, group]
    assert scim.get("/", filter="members pr").ids == [group]
    assert scim.get("/", filter="not (members pr)").ids == [ann]
    assert scim.get("/", sortBy="userName", sortOrder="descending").ids == [group, ann]
    assert walk(scim, "/", count=1)[1].ids == [group]


def test_what_is_not_there(scim: Client) -> None:
    assert scim.get("/Nothing").status == 404
    assert scim.get("/Users/nobody").body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert scim.get("/Me").status == 501
    wrong = scim.call("PUT", "/Users", {})
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")
