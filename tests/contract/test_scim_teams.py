"""Teams on the legacy endpoint: read by the IdP, linked to its groups by name or by choice, unlinked; never changed."""

from __future__ import annotations

from typing import Any

import pytest
from org_client import Client as Api
from scim_org import GROUP, Client, configure
from sqlalchemy import select

from rolecall.localorg.store.keys import new_id, now
from rolecall.localorg.store.tables import TEAMS


@pytest.fixture
def legacy(scim: Client) -> Client:
    """An org on the legacy endpoint with the teams Everyone and Legal."""
    configure(scim.db, endpoint="legacy", idp="okta")
    with scim.db.write() as tx:
        tx.execute(TEAMS.insert().values(name="Legal", id=new_id(), created=now()))
    return scim


def listed(scim: Client) -> dict[str, str]:
    """The ids of the listed groups by name; names are unique here."""
    answer = scim.get("/Groups")
    groups = {group["displayName"]: group["id"] for group in answer.body["Resources"]}
    assert answer.body["totalResults"] == len(groups)
    return groups


def team_roles(scim: Client, user_id: str) -> set[str]:
    """The teams and roles that a user has, as the admin API says."""
    access = Api(scim.db).get(f"/v1/people/{user_id}/access")
    return {f"{role['team']} {role['role']}" for role in access["combos"]}


def teams(scim: Client) -> set[str]:
    with scim.db.read() as tx:
        return set(tx.execute(select(TEAMS.c.name)).scalars())


def mapped(scim: Client) -> dict[str, Any]:
    """The IdP groups of the admin API, with what each gives."""
    return {group["name"]: group["mapping"] for group in Api(scim.db).get("/v1/idp-groups")["data"]}


def test_an_idp_reads_the_teams(legacy: Client) -> None:
    """Article 001: teams are imported as groups. A team that nothing is linked to is no IdP group of the org."""
    assert set(listed(legacy)) == {"Everyone", "Legal"}
    legal = legacy.get("/Groups", filter='displayName eq "legal"').ids
    assert legal == [listed(legacy)["Legal"]]
    shown = legacy.get(f"/Groups/{legal[0]}")
    assert (shown.status, shown.body["displayName"], "members" in shown.body) == (200, "Legal", False)
    assert mapped(legacy) == {}


def test_a_group_of_another_name_is_linked_to_a_team_by_choice(legacy: Client) -> None:
    """Article 004: the Okta group okta-it is linked to a team that Okta found by name."""
    ann, bo = legacy.user("ann@acme.com"), legacy.user("bo@acme.com")
    legal = listed(legacy)["Legal"]
    put = legacy.put(f"/Groups/{legal}", {"schemas": [GROUP], "displayName": "Legal", "members": [{"value": ann}]})
    assert (put.status, put.body["id"]) == (200, legal)
    assert mapped(legacy) == {"Legal": {"role": None, "teams": ["Legal"]}}
    assert team_roles(legacy, ann) == {"Everyone member", "Legal member"}
    legacy.patch(f"/Groups/{legal}", {"op": "add", "path": "members", "value": [{"value": bo}]})
    legacy.patch(f"/Groups/{legal}", {"op": "remove", "path": f'members[value eq "{ann}"]'})
    assert (team_roles(legacy, ann), team_roles(legacy, bo)) == (
        {"Everyone member"},
        {"Everyone member", "Legal member"},
    )


def test_a_group_of_the_same_name_is_linked_when_it_is_pushed(legacy: Client) -> None:
    ann = legacy.user("ann@acme.com")
    pushed = legacy.group("Legal", ann)
    assert listed(legacy)["Legal"] == pushed
    assert team_roles(legacy, ann) == {"Everyone member", "Legal member"}
    assert legacy.delete(f"/Groups/{pushed}").status == 204
    assert listed(legacy)["Legal"] != pushed
    assert teams(legacy) == {"Everyone", "Legal"}


@pytest.mark.parametrize("body", [{"displayName": "okta-it"}, {"displayName": "okta-it", "members": []}])
def test_a_team_is_not_renamed(legacy: Client, body: dict[str, Any]) -> None:
    """Article 004 tells Okta not to rename app groups; an Okta that does is refused."""
    legal = listed(legacy)["Legal"]
    put = legacy.put(f"/Groups/{legal}", {"schemas": [GROUP], **body})
    patched = legacy.patch(f"/Groups/{legal}", {"op": "replace", "value": {"id": legal, **body}})
    assert {(answer.status, answer.body["scimType"]) for answer in (put, patched)} == {(400, "mutability")}
    assert "turn off renaming" in put.body["detail"]
    assert (set(listed(legacy)), mapped(legacy)) == ({"Everyone", "Legal"}, {})


def test_deleting_a_team_only_unlinks_it(legacy: Client) -> None:
    ann, legal = legacy.user("ann@acme.com"), listed(legacy)["Legal"]
    linked = {"schemas": [GROUP], "displayName": "Legal", "externalId": "00g1", "members": [{"value": ann}]}
    legacy.put(f"/Groups/{legal}", linked)
    for _ in range(2):
        assert legacy.delete(f"/Groups/{legal}").status == 204
        assert listed(legacy) == {"Everyone": listed(legacy)["Everyone"], "Legal": legal}
        assert (mapped(legacy), team_roles(legacy, ann), teams(legacy)) == (
            {},
            {"Everyone member"},
            {"Everyone", "Legal"},
        )
    shown = legacy.get(f"/Groups/{legal}").body
    assert {"members", "externalId"} & shown.keys() == set()
    legacy.put(f"/Groups/{legal}", linked)
    assert team_roles(legacy, ann) == {"Everyone member", "Legal member"}


def test_linking_and_unlinking_are_in_the_audit_log(legacy: Client) -> None:
    ann, legal = legacy.user("ann@acme.com"), listed(legacy)["Legal"]
    legacy.patch(f"/Groups/{legal}", {"op": "add", "path": "members", "value": [{"value": ann}]})
    legacy.delete(f"/Groups/{legal}")
    events = Api(legacy.db).get("/v1/audit-log")["data"][-2:]
    assert (events[0]["before"], events[1]["after"]) == (None, None)
    assert [(event["action"], event["address"]) for event in events] == [
        ("groups.link", f"groups/{legal}"),
        ("groups.unlink", f"groups/{legal}"),
    ]


def test_the_new_endpoint_lists_no_teams(legacy: Client) -> None:
    """R20: a linked team keeps its access until the upgrade completes; the group must be pushed again."""
    ann, legal = legacy.user("ann@acme.com"), listed(legacy)["Legal"]
    legacy.patch(f"/Groups/{legal}", {"op": "add", "path": "members", "value": [{"value": ann}]})
    api = Api(legacy.db)
    for step in ("upgrade", "upgrade/complete"):
        assert api.write("POST", f"/v1/access/scim/{step}").status == 200
        assert listed(legacy) == {}
        assert legacy.get(f"/Groups/{legal}").status == 404
        expected = {"Everyone member"} | ({"Legal member"} if step == "upgrade" else set())
        assert team_roles(legacy, ann) == expected
