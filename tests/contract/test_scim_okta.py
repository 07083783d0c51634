"""What Okta sends: apps made with the wizard PUT whole objects, catalogue apps PATCH."""

from __future__ import annotations

from typing import Any

import pytest
from scim_org import ENTERPRISE, GROUP, USER, WRITER, WRITER_USER, Client
from sqlalchemy import select

from rolecall.localorg.store.tables import AUDIT, USERS

LOCALE = {"locale": "en-US", "groups": []}


def created(scim: Client, **more: Any) -> dict[str, Any]:
    """What an org answers to a user that the wizard's app creates, password included."""
    body = {
        "schemas": [USER],
        "userName": "ann@acme.com",
        "name": {"givenName": "Ann", "familyName": "Åkesson"},
        "emails": [{"primary": True, "value": "ann@acme.com", "type": "work"}],
        "displayName": "Ann Åkesson",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "password": "1mz050nq-SECRET",
        "active": True,
        **LOCALE,
        **more,
    }
    made = scim.post("/Users", body)
    assert made.status == 201, made
    assert made.headers["location"] == made.body["meta"]["location"] == made.headers["content-location"]
    return dict(made.body)


def test_it_looks_a_user_up_before_it_makes_one(scim: Client) -> None:
    asked = {"filter": 'userName eq "ann@acme.com"', "startIndex": 1, "count": 100}
    assert scim.get("/Users", **asked).body["totalResults"] == 0
    made = created(scim)
    found = scim.get("/Users", **asked).body
    assert (found["totalResults"], found["startIndex"], found["itemsPerPage"]) == (1, 1, 1)
    assert found["Resources"] == [made]
    assert scim.post("/Users", {"schemas": [USER], "userName": "ann@acme.com"}).body["scimType"] == "uniqueness"


@pytest.mark.parametrize("asked", ['email eq "ANN@acme.com"', ' EMAIL  eq "ann@acme.com" '])
def test_it_may_ask_by_the_unique_identifier_of_the_org(scim: Client, asked: str) -> None:
    made = created(scim)
    other = scim.user("bo", emails=[{"value": "bo@acme.com"}])
    assert scim.get("/Users", filter=asked).ids == [made["id"]]
    assert scim.get("/Users", filter='email eq "bo@acme.com"').ids == [other]
    assert scim.get("/Users", filter='email eq "no\\"body"').ids == []
    assert scim.get("/Users", filter='email eq "x" or userName pr').status == 400


def test_a_password_is_ignored_and_kept_nowhere(scim: Client) -> None:
    made = created(scim)
    put = scim.put(f"/Users/{made['id']}", {**made, "password": "n3w-SECRET", "title": "Editor"})
    patched = scim.patch(
        f"/Users/{made['id']}",
        {"op": "replace", "path": "password", "value": "p4th-SECRET"},
        {"op": "replace", "value": {"password": "v4lue-SECRET", f"{USER}:password": "q-SECRET", "title": "Chief"}},
    )
    assert (put.status, patched.status, patched.body["title"]) == (200, 200, "Chief")
    assert "password" not in patched.body
    with scim.db.read() as tx:
        held = [str(row) for table in (USERS, AUDIT) for row in tx.execute(select(table))]
    assert held
    assert not [row for row in held if "SECRET" in row]
    assert scim.get("/Users", filter='password eq "1mz050nq-SECRET"').body["totalResults"] == 0


def test_the_wizard_switches_off_with_get_then_put(scim: Client) -> None:
    made = created(scim, title="Editor")
    group = scim.group("Writers", made["id"])
    now = scim.get(f"/Users/{made['id']}").body
    off = scim.put(f"/Users/{made['id']}", {**now, "active": False})
    assert (off.status, off.body["active"], off.body["title"]) == (200, False, "Editor")
    assert [held["value"] for held in off.body["groups"]] == [group]
    assert scim.members(group) == {made["id"]}
    on = scim.put(f"/Users/{made['id']}", {**off.body, "active": True})
    assert (on.body["active"], on.body["id"]) == (True, made["id"])


def test_an_echo_changes_nothing(scim: Client) -> None:
    made = created(scim)
    group = scim.group("Writers", made["id"])
    for path in (f"/Users/{made['id']}", f"/Groups/{group}"):
        now = scim.get(path)
        again = scim.put(path, now.body)
        assert (again.status, again.body, again.headers["etag"]) == (200, now.body, now.headers["etag"])


def test_an_extension_missing_from_a_put_is_unchanged(scim: Client) -> None:
    made = created(scim, **{ENTERPRISE: {"department": "Press"}, WRITER: {"role": "admin"}})
    bare = {"schemas": [USER], "userName": "ann@acme.com", "active": True}
    put = scim.put(f"/Users/{made['id']}", bare)
    assert put.body[ENTERPRISE] == {"department": "Press"}
    assert put.body[WRITER_USER] == {"role": "admin"}
    assert "displayName" not in put.body
    put = scim.put(f"/Users/{made['id']}", {**bare, ENTERPRISE: {"costCenter": "7"}, WRITER_USER: {"role": "member"}})
    assert put.body[ENTERPRISE] == {"costCenter": "7"}
    assert put.body[WRITER_USER] == {"role": "member"}


def test_a_mapped_role_wins_over_its_echo(scim: Client) -> None:
    made = created(scim, **{WRITER: {"role": "member"}})
    assert made[WRITER_USER] == {"role": "member"}
    put = scim.put(f"/Users/{made['id']}", {**made, WRITER: {"role": "admin"}})
    assert put.body[WRITER_USER] == {"role": "admin"}
    back = scim.put(f"/Users/{made['id']}", {**put.body, WRITER: "member"})
    assert back.body[WRITER_USER] == {"role": "member"}


def test_active_missing_from_a_put_is_unchanged(scim: Client) -> None:
    made = created(scim)
    scim.put(f"/Users/{made['id']}", {**made, "active": False})
    put = scim.put(f"/Users/{made['id']}", {"schemas": [USER], "userName": "ann@acme.com", "title": "x"})
    assert put.body["active"] is False


def test_groups_are_put_with_their_members(scim: Client) -> None:
    ann, bo, cy = (scim.user(f"{name}@acme.com") for name in ("ann", "bo", "cy"))
    group = scim.group("Writers", ann, bo)
    body = {
        "schemas": [GROUP],
        "id": group,
        "displayName": "Writers",
        "members": [{"value": bo, "display": "bo@acme.com"}, {"value": cy, "display": "cy@acme.com"}],
        "meta": {"resourceType": "Group"},
    }
    put = scim.put(f"/Groups/{group}", body)
    assert (put.status, {one["value"] for one in put.body["members"]}) == (200, {bo, cy})
    renamed = scim.put(f"/Groups/{group}", {**body, "displayName": "Authors", "members": []})
    assert (renamed.body["displayName"], "members" in renamed.body) == ("Authors", False)


def test_catalogue_apps_patch_without_a_path(scim: Client) -> None:
    made = created(scim)
    off = scim.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": False}})
    assert (off.status, off.body["active"]) == (200, False)
    on = scim.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": True, "password": "x"}})
    assert on.body["active"] is True


def test_catalogue_apps_patch_groups(scim: Client) -> None:
    ann, bo = scim.user("ann@acme.com"), scim.user("bo@acme.com")
    group = scim.group("Writers")
    path = f"/Groups/{group}"
    scim.patch(path, {"op": "add", "path": "members", "value": [{"value": ann, "display": "ann@acme.com"}]})
    assert scim.members(group) == {ann}
    scim.patch(path, {"op": "replace", "path": "members", "value": [{"value": bo, "display": "bo@acme.com"}]})
    assert scim.members(group) == {bo}
    scim.patch(path, {"op": "remove", "path": f'members[value eq "{bo}"]'})
    assert scim.members(group) == set()
    done = scim.patch(path, {"op": "replace", "value": {"id": group, "displayName": "Authors"}})
    assert done.body["displayName"] == "Authors"
    done = scim.patch(path, {"op": "add", "value": {"members": [{"value": ann}], "displayName": "Scribes"}})
    assert (done.body["displayName"], scim.members(group)) == ("Scribes", {ann})
    scim.patch(path, {"op": "remove", "path": "members"})
    assert scim.members(group) == set()


@pytest.mark.parametrize("count", [1, 3, 100])
def test_group_pages_come_in_a_stable_order(scim: Client, count: int) -> None:
    made = [scim.group(name) for name in ("g", "c", "a", "f", "b", "e", "d")]
    assert pages(scim, count) == made
    scim.patch(f"/Groups/{made[2]}", {"op": "replace", "path": "displayName", "value": "zz"})
    first = scim.get("/Groups", startIndex=1, count=count).ids
    made.append(scim.group("aaa"))
    assert first + pages(scim, count, start=len(first) + 1) == made


def pages(scim: Client, count: int, start: int = 1) -> list[str]:
    found: list[str] = []
    while page := scim.get("/Groups", startIndex=start + len(found), count=count).ids:
        found += page
    return found
