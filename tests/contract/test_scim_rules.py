"""The org's own rules as SCIM sees them: who is whom, pushes and upgrades, leaving and coming back, the audit log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scim_org import ENTERPRISE, GROUP, USER, WRITER, Client, configure
from sqlalchemy import func, select

from rolecall.localorg.store import Database, counters
from rolecall.localorg.store.keys import bucket, new_id, now
from rolecall.localorg.store.tables import AUDIT, GROUPS, MEMBERSHIPS, TEAMS, USERS


def row(db: Database, table: Any, one: str) -> dict[str, Any]:
    with db.read() as tx:
        return dict(tx.execute(select(table).where(table.c.id == one)).one()._mapping)


def events(db: Database) -> list[dict[str, Any]]:
    with db.read() as tx:
        return [dict(one._mapping) for one in tx.execute(select(AUDIT).order_by(AUDIT.c.seq))]


def invite(db: Database, email: str, origin: str = "invite") -> str:
    """The id of somebody who did not come by SCIM, with an edit made by hand."""
    one = new_id()
    manual = json.dumps([{"team": "Sales", "role": "team_admin"}])
    with db.write() as tx:
        tx.execute(
            USERS.insert().values(
                id=one,
                email=email,
                email_key=email.casefold(),
                active=True,
                origin=origin,
                pending=True,
                manual=manual,
                version=4,
                bucket=bucket(one),
                created=now(),
                modified=now(),
            )
        )
    return one


def edit_by_hand(db: Database, one: str) -> None:
    with db.write() as tx:
        tx.execute(USERS.update().where(USERS.c.id == one).values(manual='[{"team": "Sales", "role": "member"}]'))


@pytest.mark.parametrize(("origin", "edits"), [("invite", 0), ("saml", 1), ("discovery", 1)])
def test_a_person_from_elsewhere_is_taken_over_with_their_id(scim: Client, origin: str, edits: int) -> None:
    """R11, R12, R28: once synced the origin is SCIM; an invite's team roles are gone, what was edited by hand stays."""
    one = invite(scim.db, "Bo@acme.com", origin)
    assert scim.get("/Users").body["totalResults"] == 0
    assert scim.user("bo@ACME.com") == one
    held = row(scim.db, USERS, one)
    assert (held["origin"], held["pending"], held["version"]) == ("scim", False, 5)
    assert len(json.loads(held["manual"])) == edits
    assert scim.get(f"/Users/{one}").headers["etag"] == 'W/"5"'


@pytest.mark.parametrize("name", ["ANN@acme.com", "ann@ACME.com", "Ann@acme.com"])
def test_one_user_a_name_whatever_its_case(scim: Client, name: str) -> None:
    scim.user("ann@acme.com")
    again = scim.post("/Users", {"schemas": [USER], "userName": name})
    assert (again.status, again.body["scimType"]) == (409, "uniqueness")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("åsa@acme.com", "A\u030aSA@acme.com"),
        ("straße@bücher.de", "STRAßE@XN--BCHER-KVA.de"),
        ("ΣΑΣ@acme.com", "σας@acme.com"),
    ],
)
def test_one_user_a_name_whatever_its_unicode_form(scim: Client, first: str, second: str) -> None:
    one = scim.user(first)
    assert scim.post("/Users", {"schemas": [USER], "userName": second}).body["scimType"] == "uniqueness"
    assert scim.get("/Users", filter=f'userName eq "{second}"').ids == [one]
    assert scim.get("/Users", filter=f'userName sw "{second[:3]}"').ids == [one]
    other = scim.user("bo@acme.com")
    for taken in (
        scim.patch(f"/Users/{other}", {"op": "replace", "path": "userName", "value": second}),
        scim.put(f"/Users/{other}", {"schemas": [USER], "userName": second}),
    ):
        assert (taken.status, taken.body["scimType"]) == (409, "uniqueness")


def test_letters_are_not_folded(scim: Client) -> None:
    """`strauß` and `strauss` are two people (R28), and a search for one never finds the other."""
    one, other = scim.user("strauß@acme.com"), scim.user("strauss@acme.com")
    assert one != other
    for name, found in (("STRAUß@acme.com", one), ("STRAUSS@acme.com", other)):
        assert scim.get("/Users", filter=f'userName eq "{name}"').ids == [found]
        assert scim.get("/Users", filter=f'email eq "{name}"').ids == [found]


def test_an_e_mail_is_found_by_either_form_of_its_domain(scim: Client) -> None:
    one = scim.user("ann", emails=[{"value": "ann@bücher.de"}])
    for address in ("ann@bücher.de", "Ann@BÜCHER.de", "ann@xn--bcher-kva.de"):
        assert scim.get("/Users", filter=f'email eq "{address}"').ids == [one]
        assert scim.get("/Users", filter=f'emails[value eq "{address}"]').ids == [one]


def test_one_user_an_e_mail(scim: Client) -> None:
    """R28, also when the userName is not an address."""
    scim.user("ann@acme.com")
    body = {"schemas": [USER], "userName": "ann", "emails": [{"value": "ANN@acme.com"}]}
    assert scim.post("/Users", body).body["scimType"] == "uniqueness"
    one = scim.user("bo", emails=[{"value": "b@acme.com"}, {"value": "Bo@acme.com", "primary": True}])
    assert row(scim.db, USERS, one)["email"] == "Bo@acme.com"


def test_switching_off_takes_out_and_coming_back_keeps_the_id(scim: Client) -> None:
    """R23, R24: what was edited by hand does not come back."""
    ann = scim.user("ann@acme.com")
    group = scim.group("Writers", ann)
    edit_by_hand(scim.db, ann)
    scim.patch(f"/Users/{ann}", {"op": "replace", "path": "active", "value": False})
    held = row(scim.db, USERS, ann)
    assert (held["active"], held["manual"]) == (False, "[]")
    assert scim.members(group) == {ann}
    scim.patch(f"/Users/{ann}", {"op": "replace", "path": "active", "value": True})
    held = row(scim.db, USERS, ann)
    assert (held["id"], held["active"], held["manual"]) == (ann, True, "[]")
    assert [one["action"] for one in events(scim.db)][-2:] == ["users.deactivate", "users.reactivate"]


def test_what_is_edited_by_hand_stays_through_other_changes(scim: Client) -> None:
    ann = scim.user("ann@acme.com")
    edit_by_hand(scim.db, ann)
    scim.patch(f"/Users/{ann}", {"op": "replace", "path": "title", "value": "x"})
    assert row(scim.db, USERS, ann)["manual"] != "[]"


def test_a_deleted_user_leaves_every_group_and_their_name_is_free(scim: Client) -> None:
    """R23."""
    ann, bo = scim.user("ann@acme.com"), scim.user("bo@acme.com")
    groups = [scim.group("Writers", ann, bo), scim.group("Readers", ann)]
    etags = [scim.get(f"/Groups/{group}").headers["etag"] for group in groups]
    assert scim.delete(f"/Users/{ann}").status == 204
    assert [scim.members(group) for group in groups] == [{bo}, set()]
    assert [scim.get(f"/Groups/{group}").headers["etag"] for group in groups] != etags
    assert scim.user("ann@acme.com") != ann


def test_a_pushed_group_is_blank(scim: Client) -> None:
    group = scim.group("Writers", externalId="E-1")
    held = row(scim.db, GROUPS, group)
    assert (held["mapping"], held["pushed"], held["linked_teams"], held["external_id"]) == (None, True, "[]", "E-1")
    other = scim.group("Writers")
    assert (other != group, row(scim.db, GROUPS, other)["mapping_version"] > held["mapping_version"]) == (True, True)


def test_scim_writes_leave_a_mapping_s_version_alone(scim: Client) -> None:
    ann, group = scim.user("ann@acme.com"), scim.group("Writers")
    before = row(scim.db, GROUPS, group)["mapping_version"]
    scim.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": ann}]})
    scim.patch(f"/Groups/{group}", {"op": "replace", "path": "displayName", "value": "Authors"})
    after = row(scim.db, GROUPS, group)
    assert (after["mapping_version"], after["display_name"], after["name_key"]) == (before, "Authors", "authors")


def test_a_legacy_group_is_linked_to_the_team_of_its_name(scim: Client) -> None:
    """R18; a team is never made by SCIM."""
    configure(scim.db, endpoint="legacy")
    with scim.db.write() as tx:
        tx.execute(TEAMS.insert().values(name="Legal", id=new_id(), created=now()))
    linked, other = scim.group("Legal"), scim.group("Marketing")
    assert json.loads(row(scim.db, GROUPS, linked)["linked_teams"]) == ["Legal"]
    assert json.loads(row(scim.db, GROUPS, other)["linked_teams"]) == []
    scim.patch(f"/Groups/{other}", {"op": "replace", "path": "displayName", "value": " Legal "})
    assert json.loads(row(scim.db, GROUPS, other)["linked_teams"]) == ["Legal"]
    with scim.db.read() as tx:
        assert set(tx.execute(select(TEAMS.c.name)).scalars()) == {"Everyone", "Legal"}


def test_while_upgrading_a_hidden_group_is_pushed_again_as_a_new_one(scim: Client) -> None:
    """R20: the hidden row keeps legacy access in force, so a push must not touch it."""
    ann = scim.user("ann@acme.com")
    old = scim.group("Writers", ann)
    configure(scim.db, endpoint="upgrading")
    with scim.db.write() as tx:
        tx.execute(GROUPS.update().values(pushed=False))
    for answer in (
        scim.get(f"/Groups/{old}"),
        scim.delete(f"/Groups/{old}"),
        scim.patch(f"/Groups/{old}", {"op": "remove", "path": "members"}),
        scim.put(f"/Groups/{old}", {"schemas": [GROUP], "displayName": "Writers"}),
    ):
        assert answer.status == 404
    assert scim.get("/Groups").body["totalResults"] == 0
    assert "groups" not in scim.get(f"/Users/{ann}").body
    assert scim.get("/Users", filter=f'groups eq "{old}"').ids == []
    new = scim.group("Writers", ann)
    assert (new != old, row(scim.db, GROUPS, new)["pushed"], scim.get("/Groups").ids) == (True, True, [new])
    with scim.db.read() as tx:
        held = tx.execute(select(func.count()).where(MEMBERSHIPS.c.group_id == old).select_from(MEMBERSHIPS))
        assert held.scalar_one() == 1


@pytest.mark.parametrize(
    ("more", "role"),
    [({}, None), ({WRITER: "admin"}, "admin"), ({"role": "Admin"}, "Admin"), ({WRITER: {"role": "oddity"}}, "oddity")],
)
def test_the_role_attribute_is_kept_as_it_was_said(scim: Client, more: dict[str, Any], role: str | None) -> None:
    """R18, R19: what it means is the access room's business."""
    assert row(scim.db, USERS, scim.user("ann@acme.com", **more))["role_attribute"] == role


def test_a_user_shows_their_groups(scim: Client) -> None:
    ann = scim.user("ann@acme.com")
    groups = [scim.group(name, ann) for name in ("Writers", "Åland")]
    held = scim.get(f"/Users/{ann}").body["groups"]
    assert [(one["value"], one["display"], one["type"]) for one in held] == [
        (groups[0], "Writers", "direct"),
        (groups[1], "Åland", "direct"),
    ]
    assert held[0]["$ref"] == f"http://org.example/api/scim/v2/Groups/{groups[0]}"
    for asked in (f'groups eq "{groups[1]}"', f'groups[value eq "{groups[1]}"]', 'groups.display eq "ÅLAND"'):
        assert scim.get("/Users", filter=asked).ids == [ann]
    refused = scim.patch(f"/Users/{ann}", {"op": "remove", "path": "groups"})
    assert (refused.status, refused.body["scimType"]) == (400, "mutability")
    put = scim.put(f"/Users/{ann}", {"schemas": [USER], "userName": "ann@acme.com", "groups": []})
    assert len(put.body["groups"]) == 2


def test_every_write_is_in_the_audit_log_and_moves_the_revisions(scim: Client) -> None:
    ann = scim.user("ann@acme.com", **{ENTERPRISE: {"department": "Press"}})
    group = scim.group("Writers")
    scim.patch(f"/Users/{ann}", {"op": "replace", "path": "title", "value": "Editor"})
    scim.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": ann}]})
    scim.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": ann}]})
    scim.put(f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Authors", "members": []})
    scim.delete(f"/Groups/{group}")
    scim.delete(f"/Users/{ann}")
    found = [(one["action"], one["address"]) for one in events(scim.db)]
    assert found == [
        ("users.create", f"users/{ann}"),
        ("groups.create", f"groups/{group}"),
        ("users.update", f"users/{ann}"),
        ("groups.update", f"groups/{group}"),
        ("groups.update", f"groups/{group}"),
        ("groups.delete", f"groups/{group}"),
        ("users.delete", f"users/{ann}"),
    ]
    assert {(one["actor"], one["channel"]) for one in events(scim.db)} == {("scim", "scim")}
    changed = events(scim.db)
    assert "title" not in json.loads(changed[2]["before"])
    assert json.loads(changed[2]["after"])["title"] == "Editor"
    assert json.loads(changed[3]["after"]) == {"added": [ann]}
    assert json.loads(changed[4]["before"])["removed"] == [ann]
    with scim.db.read() as tx:
        assert counters.value(tx, "people") >= 5
        assert counters.value(tx, "idp_groups") >= 4


def test_a_write_that_changes_nothing_leaves_no_trace(scim: Client) -> None:
    ann, group = scim.user("ann@acme.com"), scim.group("Writers")
    before = events(scim.db)
    scim.patch(f"/Users/{ann}", {"op": "replace", "path": "userName", "value": "ann@acme.com"})
    scim.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{ann}"]'})
    scim.put(f"/Groups/{group}", scim.get(f"/Groups/{group}").body)
    assert events(scim.db) == before


def test_only_users_can_be_members(scim: Client) -> None:
    """R29: nobody sends nested groups, so one that comes is a mistake."""
    ann, group = scim.user("ann@acme.com"), scim.group("Writers")
    other = scim.group("Readers")
    for member in (
        {"value": other},
        {"value": other, "type": "Group"},
        {"$ref": f"http://org.example/api/scim/v2/Groups/{other}"},
        {"value": "nobody"},
        {"value": None},
        {"value": 7},
        7,
    ):
        refused = scim.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": ann}, member]})
        assert (refused.status, refused.body["scimType"]) == (400, "invalidValue"), member
    assert scim.members(group) == set()
    by_reference = {"op": "add", "path": "members", "value": {"$ref": f"../Users/{ann}"}}
    assert scim.patch(f"/Groups/{group}", by_reference).status == 200
    assert scim.members(group) == {ann}
