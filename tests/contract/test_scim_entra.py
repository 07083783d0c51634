"""What Microsoft Entra sends, form by form, and what it has to get back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scim_org import BULK, ENTERPRISE, GROUP, PATCH_OP, USER, WRITER, WRITER_USER, Client, configure

ENTRA_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"


def bo(scim: Client) -> str:
    """The id of a user as Entra creates one."""
    made = scim.post(
        "/Users",
        {
            "schemas": [USER, ENTERPRISE],
            "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
            "userName": "Bo@acme.com",
            "active": True,
            "addresses": None,
            "displayName": "Bo Berg",
            "emails": [{"primary": True, "type": "work", "value": "bo@acme.com"}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Bo Berg", "familyName": "Berg", "givenName": "Bo"},
            "phoneNumbers": None,
            "roles": [],
            "title": None,
            "unheardOf": {"x": 1},
        },
    )
    assert made.status == 201
    assert "unheardOf" not in made.body
    assert "title" not in made.body
    return str(made.body["id"])


def test_the_connection_test_finds_nobody_and_is_content(scim: Client) -> None:
    found = scim.get("/Users", filter='userName eq "b3a7c1de-no-such-user"')
    assert (found.status, found.body["totalResults"], found.body["Resources"]) == (200, 0, [])
    assert found.headers["content-type"].startswith("application/scim+json")


@pytest.mark.parametrize(
    "asked",
    [
        'userName eq "bo@ACME.com"',
        'externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"',
        'emails[type eq "work"].value eq "BO@acme.com"',
        'emails[type eq "work" and value eq "bo@acme.com"]',
        'displayName eq "bo berg"',
        'userName eq "bo@acme.com" and active eq true',
        f'{USER}:userName eq "bo@acme.com"',
    ],
)
def test_it_finds_a_user_by(scim: Client, asked: str) -> None:
    one = bo(scim)
    scim.user("cy@acme.com", externalId="other")
    found = scim.get("/Users", filter=asked)
    assert (found.status, found.ids) == (200, [one])


def test_an_external_id_is_case_exact(scim: Client) -> None:
    bo(scim)
    assert scim.get("/Users", filter='externalId eq "0A21F0F2-8D2A-4F8E-BF98-7363C4AED4EF"').ids == []


@pytest.mark.parametrize("op", ["Replace", "replace", "Add", "add"])
@pytest.mark.parametrize("said", ["False", "false", False])
def test_it_switches_a_user_off(scim: Client, op: str, said: object) -> None:
    one = bo(scim)
    group = scim.group("Everybody", one)
    done = scim.patch(f"/Users/{one}", {"op": op, "path": "active", "value": said})
    assert (done.status, done.body["active"]) == (200, False)
    again = scim.get(f"/Users/{one}")
    assert again.body["active"] is False
    assert [held["value"] for held in again.body["groups"]] == [group]
    assert scim.members(group) == {one}
    back = scim.patch(f"/Users/{one}", {"op": op, "path": "active", "value": "True"})
    assert (back.body["active"], back.body["id"]) == (True, one)


def test_dotted_and_selecting_paths_change_what_they_name(scim: Client) -> None:
    one = bo(scim)
    done = scim.patch(
        f"/Users/{one}",
        {"op": "Replace", "path": "name.familyName", "value": "Berger"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "bo.berger@acme.com"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+46 8 123"},
        {"op": "Add", "path": 'addresses[type eq "work"].locality', "value": "Umeå"},
        {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Sales"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "9c2b"},
        {"op": "Replace", "path": "displayName", "value": "Bo Berger"},
    )
    assert done.status == 200
    body = done.body
    assert body["name"] == {"formatted": "Bo Berg", "familyName": "Berger", "givenName": "Bo"}
    assert body["emails"] == [{"primary": True, "type": "work", "value": "bo.berger@acme.com"}]
    assert body["phoneNumbers"] == [{"type": "mobile", "value": "+46 8 123"}]
    assert body["addresses"] == [{"type": "work", "locality": "Umeå"}]
    assert body[ENTERPRISE] == {"department": "Sales", "manager": {"value": "9c2b"}}
    assert body["displayName"] == "Bo Berger"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "9c2b"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": {"value": "9c2b", "$ref": None}},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": {"$ref": "../Users/9c2b", "value": "9c2b"}},
        {"op": "Add", "path": ENTERPRISE, "value": {"manager": "9c2b"}},
        {"op": "Add", "value": {ENTERPRISE: {"manager": "9c2b"}}},
        {"op": "Add", "value": {f"{ENTERPRISE}:manager": "9c2b"}},
        {"op": "Add", "value": {f"{ENTERPRISE}:manager.value": "9c2b"}},
    ],
)
def test_a_manager_comes_in_every_shape(scim: Client, operation: dict[str, object]) -> None:
    one = bo(scim)
    done = scim.patch(f"/Users/{one}", operation)
    assert (done.status, done.body[ENTERPRISE]["manager"]["value"]) == (200, "9c2b")
    for gone in ({"op": "Remove", "path": f"{ENTERPRISE}:manager"}, {"op": "Add", "value": {"title": "x"}}):
        done = scim.patch(f"/Users/{one}", gone)
        assert done.status == 200
    assert ENTERPRISE not in done.body


@pytest.mark.parametrize("value", ["", None, {"value": None}])
def test_an_empty_manager_is_no_manager(scim: Client, value: object) -> None:
    one = bo(scim)
    scim.patch(f"/Users/{one}", {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "9c2b"})
    done = scim.patch(f"/Users/{one}", {"op": "Replace", "path": f"{ENTERPRISE}:manager", "value": value})
    assert done.status == 200
    assert ENTERPRISE not in done.body


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Add", "path": f"{WRITER_USER}:role", "value": "admin"},
        {"op": "Add", "path": f"{WRITER}:role", "value": "admin"},
        {"op": "Replace", "path": WRITER_USER, "value": {"role": "admin"}},
        {"op": "Replace", "path": WRITER, "value": {"role": "admin"}},
        {"op": "Replace", "path": WRITER, "value": "admin"},
        {"op": "Replace", "path": WRITER_USER, "value": "admin"},
        {"op": "Add", "path": "role", "value": "admin"},
        {"op": "Add", "value": {WRITER: "admin"}},
        {"op": "Add", "value": {WRITER: {"role": "admin"}}},
        {"op": "Add", "value": {f"{WRITER}:role": "admin"}},
        {"op": "Add", "value": {f"{WRITER_USER}:role": "admin"}},
        {"op": "Add", "value": {"role": "admin"}},
    ],
)
def test_the_role_attribute_comes_under_both_urns_and_bare(scim: Client, operation: dict[str, object]) -> None:
    one = bo(scim)
    done = scim.patch(f"/Users/{one}", operation)
    assert (done.status, done.body[WRITER_USER]) == (200, {"role": "admin"})
    gone = scim.patch(f"/Users/{one}", {"op": "Remove", "path": f"{WRITER}:role"})
    assert WRITER_USER not in gone.body


def test_the_role_attribute_has_the_name_that_the_org_reads(scim: Client) -> None:
    configure(scim.db, role_attribute="writerRole")
    one = scim.user("bo@acme.com", **{WRITER: {"writerRole": "admin", "role": "member"}})
    assert scim.get(f"/Users/{one}").body[WRITER_USER] == {"writerRole": "admin"}
    done = scim.patch(f"/Users/{one}", {"op": "replace", "path": f"{WRITER_USER}:writerRole", "value": "member"})
    assert done.body[WRITER_USER] == {"writerRole": "member"}


def test_a_group_is_made_empty_and_filled_after(scim: Client) -> None:
    one, other = bo(scim), scim.user("cy@acme.com")
    made = scim.post(
        "/Groups",
        {
            "schemas": [GROUP, ENTRA_GROUP],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
            "displayName": "Writers",
            "meta": {"resourceType": "Group"},
            "members": [],
        },
    )
    assert made.status == 201
    path = f"/Groups/{made.body['id']}"
    added = scim.patch(path, {"op": "Add", "path": "members", "value": [{"$ref": None, "value": one}]})
    assert added.status == 200
    assert [held["value"] for held in added.body["members"]] == [one]
    scim.patch(path, {"op": "Add", "path": "members", "value": [{"$ref": None, "value": other}]})
    assert scim.members(made.body["id"]) == {one, other}
    found = scim.get("/Groups", excludedAttributes="members", filter='displayName eq "writers"')
    assert (found.ids, "members" in found.body["Resources"][0]) == ([made.body["id"]], False)
    assert "members" not in scim.get(path, excludedAttributes="members").body


@pytest.mark.parametrize(
    "shape",
    [
        lambda one: {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": one}]},
        lambda one: {"op": "Remove", "path": "members", "value": [{"value": one}]},
        lambda one: {"op": "remove", "path": f'members[value eq "{one}"]'},
        lambda one: {"op": "Remove", "path": f'{GROUP}:members[value eq "{one}"]'},
    ],
)
def test_a_member_is_removed_by_value_or_by_filter(scim: Client, shape: Callable[[str], dict[str, object]]) -> None:
    one, other = bo(scim), scim.user("cy@acme.com")
    group = scim.group("Writers", one, other)
    done = scim.patch(f"/Groups/{group}", shape(one))
    assert done.status == 200
    assert scim.members(group) == {other}
    again = scim.patch(f"/Groups/{group}", shape(one))
    assert (again.status, again.headers["etag"]) == (200, done.headers["etag"])


def test_it_asks_whether_somebody_is_a_member(scim: Client) -> None:
    one, other = bo(scim), scim.user("cy@acme.com")
    group = scim.group("Writers", one)
    scim.group("Readers", other)
    inside = scim.get("/Groups", filter=f'id eq "{group}" and members eq "{one}"')
    outside = scim.get("/Groups", filter=f'id eq "{group}" and members eq "{other}"')
    assert (inside.ids, outside.ids) == ([group], [])
    assert scim.get("/Groups", filter=f'members[value eq "{other}"]').body["totalResults"] == 1


def test_a_group_is_renamed(scim: Client) -> None:
    group = scim.group("Writers", externalId="e-1")
    done = scim.patch(
        f"/Groups/{group}",
        {"op": "Replace", "path": "displayName", "value": "Authors"},
        {"op": "Replace", "path": "externalId", "value": "e-2"},
    )
    assert (done.status, done.body["displayName"], done.body["externalId"]) == (200, "Authors", "e-2")
    done = scim.patch(f"/Groups/{group}", {"op": "Replace", "value": {"displayName": "Scribes"}})
    assert done.body["displayName"] == "Scribes"


def test_a_delete_is_for_good(scim: Client) -> None:
    one = bo(scim)
    group = scim.group("Writers", one)
    before = scim.get(f"/Groups/{group}").headers["etag"]
    assert scim.delete(f"/Users/{one}").status == 204
    off = {"op": "replace", "path": "active", "value": False}
    for answer in (scim.get(f"/Users/{one}"), scim.delete(f"/Users/{one}"), scim.patch(f"/Users/{one}", off)):
        assert answer.status == 404
    assert scim.members(group) == set()
    assert scim.get(f"/Groups/{group}").headers["etag"] != before
    assert scim.delete(f"/Groups/{group}").status == 204
    assert scim.get(f"/Groups/{group}").status == 404


@pytest.mark.parametrize(
    "path",
    ["actve", 'emials[type eq "work"].value', "name.familyname2", f"{ENTERPRISE}:departmnt", f"{USER}:usrName"],
)
def test_a_mistyped_path_is_an_error(scim: Client, path: str) -> None:
    one = bo(scim)
    done = scim.patch(f"/Users/{one}", {"op": "Replace", "path": path, "value": "x"})
    assert (done.status, done.body["scimType"]) == (400, "invalidPath")


def test_a_path_into_a_schema_of_somebody_else_is_ignored_and_the_answer_shows_it(scim: Client) -> None:
    one = bo(scim)
    urn = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:tag"
    done = scim.patch(f"/Users/{one}", {"op": "Add", "path": urn, "value": "x"})
    assert done.status == 200
    assert done.body == scim.get(f"/Users/{one}").body


def test_an_operation_may_hold_several_attributes(scim: Client) -> None:
    one = bo(scim)
    value = {"active": "False", "name.givenName": "Bosse", "displayName": "Bosse", "nonsense": 1}
    done = scim.patch(f"/Users/{one}", {"op": "Replace", "value": value})
    assert (done.status, done.body["active"], done.body["name"]["givenName"]) == (200, False, "Bosse")


def test_a_patch_without_its_schema_is_refused(scim: Client) -> None:
    one = bo(scim)
    operations = [{"op": "Replace", "path": "displayName", "value": "x"}]
    for schemas in ({}, {"schemas": []}, {"schemas": [USER]}, {"schemas": PATCH_OP}):
        done = scim.call("PATCH", f"/Users/{one}", {**schemas, "Operations": operations})
        assert (done.status, done.body["scimType"]) == (400, "invalidSyntax")


NESTED = {WRITER: {"User": "admin"}}
"""What the target attribute of Entra's article becomes in a whole resource: the last part is taken for a name."""


def test_the_role_is_read_where_entra_nests_it(scim: Client) -> None:
    """R18, on POST, PUT, PATCH without a path, and PATCH of the extension."""
    created = scim.post("/Users", {"schemas": [USER, WRITER], "userName": "ann@acme.com", **NESTED})
    assert (created.status, created.body[WRITER_USER]) == (201, {"role": "admin"})
    bo = scim.user("bo@acme.com")
    replaced = scim.put(f"/Users/{bo}", {"schemas": [USER, WRITER], "userName": "bo@acme.com", **NESTED})
    assert (replaced.status, replaced.body[WRITER_USER]) == (200, {"role": "admin"})
    for operation in ({"op": "Add", "value": NESTED}, {"op": "Replace", "path": WRITER, "value": {"User": "admin"}}):
        user = scim.user(f"{operation['op']}@acme.com")
        assert scim.patch(f"/Users/{user}", operation).body[WRITER_USER] == {"role": "admin"}


def test_a_nested_role_replaces_the_role_that_a_put_echoes(scim: Client) -> None:
    """R18: the spelling that differs from what the org has counts."""
    ann = scim.user("ann@acme.com", **NESTED)
    echoed = {"schemas": [USER], "userName": "ann@acme.com", WRITER_USER: {"role": "admin"}, WRITER: {"User": "member"}}
    assert scim.put(f"/Users/{ann}", echoed).body[WRITER_USER] == {"role": "member"}


def test_a_nested_role_counts_in_a_bulk_request(scim: Client) -> None:
    data = {"schemas": [USER], "userName": "ann@acme.com", **NESTED}
    operation = {"method": "POST", "path": "/Users", "bulkId": "1", "data": data}
    assert scim.post("/Bulk", {"schemas": [BULK], "Operations": [operation]}).status == 200
    assert scim.get("/Users").body["Resources"][0][WRITER_USER] == {"role": "admin"}
