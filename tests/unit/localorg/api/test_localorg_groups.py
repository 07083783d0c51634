"""Test IdP groups, their mappings, and the upgrade of the endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from org_client import SNAPSHOT, Client, fill
from sqlalchemy import select

from rolecall.localorg.store import Database, counters
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS


def legacy(db: Database) -> Client:
    """The org on the legacy endpoint: groups are linked to teams, and gus is org admin by attribute."""
    groups = {"Marketing": {"teams": ["Marketing"]}, "Admins": {"teams": ["IT", "Sales"]}, "Blank": "blank"}
    fill(db, scim={"enabled": True, "idp": "okta", "endpoint": "legacy"}, idp_groups=groups)
    return Client(db)


def push(db: Database, name: str, *emails: str) -> str:
    """Push a group as an IdP would, and return its id."""
    with db.write() as tx:
        row = {"id": f"new-{name}", "display_name": name, "name_key": name, "version": 1, "linked_teams": "[]"}
        version = counters.bump(tx, "version")
        tx.execute(GROUPS.insert().values(**row, mapping_version=version, pushed=True, created="", modified=""))
        for user in tx.execute(select(USERS.c.id).where(USERS.c.email_key.in_(emails))).scalars():
            tx.execute(MEMBERSHIPS.insert().values(group_id=row["id"], user_id=user))
    return f"new-{name}"


def test_a_group_tells_what_it_gives(org: Client) -> None:
    group = org.group("Marketing")
    assert group == {
        "id": group["id"],
        "name": "Marketing",
        "external_id": None,
        "member_count": 1,
        "mapping": {"role": "member", "teams": ["Marketing"]},
        "etag": group["etag"],
    }
    assert org.group("Blank")["mapping"] is None
    assert org.get(f"/v1/idp-groups/{group['id']}") == group


def test_a_mapping_is_one_value_written_whole(org: Client) -> None:
    group = org.group("Marketing")
    path = f"/v1/idp-groups/{group['id']}/mapping"
    done = org.call("PUT", path, {"teams": ["Sales", "Legal"]}, if_match=group["etag"])
    assert done.body["mapping"] == {"role": None, "teams": ["Legal", "Sales"]}
    assert done.headers["etag"] == done.body["etag"] != group["etag"]
    assert org.team_roles("bo@acme.com") == {("Legal", "member"), ("Sales", "member")}
    done = org.write("PUT", path, {"role": "team_admin", "teams": ["Legal"]})
    assert org.group("Marketing") == done.body
    assert org.team_roles("bo@acme.com") == {("Legal", "team_admin")}


def test_an_unmapped_group_drops_its_people_to_the_default(org: Client) -> None:
    group = org.group("Marketing")
    path = f"/v1/idp-groups/{group['id']}/mapping"
    gone = org.call("DELETE", path, if_match=group["etag"])
    assert gone.body == {"id": group["id"], "deleted": True, "etag": gone.headers["etag"]}
    assert org.group("Marketing")["mapping"] is None
    assert org.team_roles("bo@acme.com") == {("Everyone", "member")}
    assert org.write("DELETE", path).key == "no_mapping"


@pytest.mark.parametrize(
    ("body", "status", "key"),
    [
        ({"role": "member", "teams": ["Nowhere"]}, 422, "unknown_team"),
        ({"role": "boss", "teams": ["IT"]}, 422, "unknown_role"),
        ({"role": "org_admin", "teams": []}, 422, "teams_needed"),
        ({"teams": []}, 422, "teams_needed"),
        ({"role": "org_admin"}, 400, "missing_field"),
        ({"role": "member", "teams": ["IT"], "owner": "x"}, 400, "unknown_field"),
        ({"role": "", "teams": ["IT"]}, 400, "bad_field"),
        ({"role": "member", "teams": ["IT", "IT"]}, 400, "bad_field"),
        ({"role": "member", "teams": [""]}, 400, "bad_field"),
        ({"role": "member", "teams": None}, 400, "bad_field"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(org: Client, body: Any, status: int, key: str) -> None:
    before = org.group("Admins")
    refused = org.write("PUT", f"/v1/idp-groups/{before['id']}/mapping", body)
    assert (refused.status, refused.key) == (status, key)
    assert org.group("Admins") == before


def test_a_group_that_was_never_pushed_cannot_be_mapped(org: Client) -> None:
    for method, path, body in (
        ("GET", "/v1/idp-groups/nobody", None),
        ("PUT", "/v1/idp-groups/nobody/mapping", {"teams": ["IT"]}),
        ("DELETE", "/v1/idp-groups/nobody/mapping", None),
    ):
        assert org.write(method, path, body).key == "no_such_group"


def test_the_etag_moves_with_the_mapping_and_nothing_else(org: Client) -> None:
    before = org.group("Blank")
    with org.db.write() as tx:
        user = tx.execute(select(USERS.c.id).where(USERS.c.email == "di@acme.com")).scalar_one()
        tx.execute(MEMBERSHIPS.insert().values(group_id=before["id"], user_id=user))
        tx.execute(GROUPS.update().where(GROUPS.c.id == before["id"]).values(display_name="Renamed", version=9))
    after = org.group("Renamed")
    assert after["member_count"] == before["member_count"] + 1
    assert after["etag"] == before["etag"]


def test_an_etag_does_not_come_back_with_the_value(org: Client) -> None:
    group = org.group("Marketing")
    path = f"/v1/idp-groups/{group['id']}/mapping"
    seen = {group["etag"]}
    for teams in (["IT"], ["Marketing"], ["IT"], ["Marketing"]):
        seen.add(org.write("PUT", path, {"role": "member", "teams": teams}).headers["etag"])
    assert len(seen) == 5
    fill(org.db)
    assert org.group("Marketing")["id"] == group["id"]
    assert org.group("Marketing")["etag"] not in seen


def test_a_legacy_group_gives_its_linked_teams_and_cannot_be_mapped(org_db: Database) -> None:
    org = legacy(org_db)
    group = org.group("Admins")
    assert group["mapping"] == {"role": None, "teams": ["IT", "Sales"]}
    path = f"/v1/idp-groups/{group['id']}/mapping"
    for answer in (org.write("PUT", path, {"teams": ["IT"]}), org.write("DELETE", path)):
        assert (answer.status, answer.key) == (409, "legacy_endpoint")
    assert org.team_roles("ann@acme.com") == {("Everyone", "member"), ("IT", "member"), ("Sales", "member")}
    assert org.team_roles("gus@acme.com") == {("Everyone", "org_admin")}


def test_the_upgrade_empties_the_list_and_keeps_access_until_it_completes(org_db: Database) -> None:
    org = legacy(org_db)
    before = {email: org.team_roles(email) for email in ("ann@acme.com", "bo@acme.com", "gus@acme.com", "cy@acme.com")}
    etag = org.get("/v1/access/scim")["etag"]
    started = org.call("POST", "/v1/access/scim/upgrade", if_match=etag)
    assert started.body["endpoint"] == "upgrading"
    assert org.get("/v1/idp-groups")["total"] == 0
    assert {email: org.team_roles(email) for email in before} == before

    pushed = push(org_db, "Marketing", "cy@acme.com")
    assert org.write("PUT", f"/v1/idp-groups/{pushed}/mapping", {"role": "member", "teams": ["Legal"]}).status == 200
    assert {email: org.team_roles(email) for email in before} == before

    links = {row["name"]: row["teams"] for row in org.get("/v1/access/scim")["legacy_groups"]}
    (renamed,) = [name for name in links if name.startswith("Marketing [")]
    assert links[renamed] == ["Marketing"]
    assert links["Admins"] == ["IT", "Sales"]
    bo = org.person("bo@acme.com")
    assert {row["id"] for row in org.get("/v1/access/scim")["legacy_groups"]} >= set(bo["groups"])

    done = org.call("POST", "/v1/access/scim/upgrade/complete", if_match=etag)
    assert done.status == 412
    done = org.call("POST", "/v1/access/scim/upgrade/complete", if_match=started.headers["etag"])
    assert done.body["endpoint"] == "new"
    assert "legacy_groups" not in done.body
    assert [group["name"] for group in org.get("/v1/idp-groups")["data"]] == ["Marketing"]
    assert org.team_roles("cy@acme.com") == {("Legal", "member")}
    assert org.team_roles("gus@acme.com") == org.team_roles("ann@acme.com") == {("Everyone", "member")}


def test_the_upgrade_goes_one_way_and_one_step_at_a_time(org_db: Database) -> None:
    org = legacy(org_db)
    assert org.call("POST", "/v1/access/scim/upgrade").status == 428
    assert org.write("POST", "/v1/access/scim/upgrade/complete").key == "wrong_endpoint"
    assert org.write("POST", "/v1/access/scim/upgrade", {"force": True}).key == "unknown_field"
    assert org.write("POST", "/v1/access/scim/upgrade", {}).status == 200
    assert org.write("POST", "/v1/access/scim/upgrade").key == "wrong_endpoint"
    assert org.write("POST", "/v1/access/scim/upgrade/complete").status == 200
    for step in ("upgrade", "upgrade/complete"):
        assert org.write("POST", f"/v1/access/scim/{step}").key == "wrong_endpoint"


def test_no_step_of_the_upgrade_is_made_while_scim_is_off(org_db: Database) -> None:
    """No group could be pushed again, and what people keep (R33) would go with the groups."""
    org = legacy(org_db)
    before = {email: org.team_roles(email) for email in ("ann@acme.com", "gus@acme.com", "cy@acme.com")}
    assert org.write("PUT", "/v1/access/scim", {"enabled": False}).status == 200
    refused = org.write("POST", "/v1/access/scim/upgrade")
    assert (refused.status, refused.key) == (409, "scim_first")
    assert org.write("PUT", "/v1/access/scim", {"enabled": True}).status == 200
    assert org.write("POST", "/v1/access/scim/upgrade").status == 200
    assert org.write("PUT", "/v1/access/scim", {"enabled": False}).status == 200
    refused = org.write("POST", "/v1/access/scim/upgrade/complete")
    assert (refused.status, refused.key) == (409, "scim_first")
    assert {email: org.team_roles(email) for email in before} == before
    assert org.write("PUT", "/v1/access/scim", {"enabled": True}).status == 200
    assert org.write("POST", "/v1/access/scim/upgrade/complete").status == 200


def test_two_groups_may_share_a_name(org: Client) -> None:
    push(org.db, "Marketing", "di@acme.com")
    groups = [group for group in org.get("/v1/idp-groups")["data"] if group["name"] == "Marketing"]
    assert len({group["id"] for group in groups}) == 2
    person = SNAPSHOT["people"][1]["email"]
    assert org.team_roles(person) == {("Marketing", "member")}


def test_whoever_is_in_no_group_that_gives_anything_now_is_unmapped(org_db: Database) -> None:
    org = legacy(org_db)

    def unmapped() -> set[str]:
        rows = org.call("POST", "/v1/people/search", {"unmapped": True}).body["data"]
        return {row["email"].split("@")[0] for row in rows}

    before = unmapped()
    assert before == {"cy", "di", "ed", "gus"}
    org.write("POST", "/v1/access/scim/upgrade")
    pushed = push(org_db, "Everyone", "cy@acme.com")
    org.write("PUT", f"/v1/idp-groups/{pushed}/mapping", {"teams": ["Legal"]})
    assert unmapped() == before
    org.write("POST", "/v1/access/scim/upgrade/complete")
    assert unmapped() == {"ann", "bo", "di", "ed", "gus"}


def test_people_out_of_another_source_have_the_default_whatever_groups_they_are_in(org_db: Database) -> None:
    fill(
        org_db,
        people=[
            {"email": f"{origin}@acme.com", "origin": origin, "groups": ["Marketing"]} for origin in ("scim", "saml")
        ],
    )
    rows = Client(org_db).call("POST", "/v1/people/search", {"unmapped": True}).body["data"]
    assert [row["email"] for row in rows] == ["saml@acme.com"]
