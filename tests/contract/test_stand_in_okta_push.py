"""How the stand-in Okta provisions a local org: what it sends over SCIM, what arrives, and how it shows failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from idp import Okta
from org_client import Client as OrgClient
from org_client import org_without_users
from scim_org import Client, configure, new_token, served

from rolecall.localorg.store import Database

APP = "/api/v1/apps/0oa1"
EXTENSION = "urn:custom:params:scim:schemas:extension:writer:2.0:User"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with org_without_users(tmp_path) as database:
        yield database


@pytest.fixture
def okta(db: Database) -> Iterator[Okta]:
    """Ann and Bo have the app; Legal (Ann, Cy) is pushed to the org that is served."""
    okta = Okta()
    for login in ("ann@acme.com", "bo@acme.com", "cy@acme.com"):
        okta.add_user(login)
    okta.add_group("WRITER-Everyone", ["ann@acme.com", "bo@acme.com"])
    okta.add_group("Legal", ["ann@acme.com", "cy@acme.com"])
    okta.assign("WRITER-Everyone")
    okta.push("Legal")
    with served(db) as org:
        okta.connect(f"{org}/api/scim/v2", new_token(db, "scim"))
        yield okta


def test_users_of_the_app_and_pushed_groups_arrive(okta: Okta, db: Database) -> None:
    """R30: Cy is in the pushed group and does not have the app."""
    okta.provision()
    assert Client(db).active_by_user() == {"ann@acme.com": True, "bo@acme.com": True}
    assert Client(db).members_by_group() == {"Legal": {"ann@acme.com"}}
    assert (okta.mapping("Legal").status, okta.mapping("Legal").error) == ("ACTIVE", "")
    assert okta.mapping("Legal").last_push is not None
    assert OrgClient(db).group("Legal")["mapping"] is None, "a pushed group is unmapped"


def test_a_second_run_sends_nothing(okta: Okta) -> None:
    okta.provision()
    assert okta.scim is not None
    before = [(request.method, request.path) for request in okta.scim.sent]
    assert before == [*[("GET", "/Users"), ("POST", "/Users")] * 2, ("GET", "/Groups"), ("POST", "/Groups")]
    okta.provision()
    assert len(okta.scim.sent) == len(before)


def test_writes_of_the_api_are_provisioned(okta: Okta, db: Database) -> None:
    okta.provision_each = True
    legal = okta.group("Legal").id
    with okta.client(APP) as http:
        http.put(f"/groups/{legal}", json={}).raise_for_status()
        assert Client(db).members_by_group() == {"Legal": {"ann@acme.com", "cy@acme.com"}}
        shown = http.get(f"/group-push/mappings/{okta.mapping('Legal').id}").json()
        assert (shown["status"], shown["lastPush"]) == ("ACTIVE", okta.mapping("Legal").last_push)
        http.delete(f"/groups/{legal}").raise_for_status()
    assert Client(db).active_by_user() == {"ann@acme.com": True, "bo@acme.com": True, "cy@acme.com": False}
    assert Client(db).members_by_group() == {"Legal": {"ann@acme.com"}}


def test_a_user_who_loses_the_app_is_deactivated_and_can_return(okta: Okta, db: Database) -> None:
    okta.provision()
    first = Client(db).get("/Users", filter='userName eq "bo@acme.com"').ids
    okta.unassign("WRITER-Everyone")
    okta.provision()
    assert Client(db).active_by_user() == {"ann@acme.com": False, "bo@acme.com": False}
    okta.assign("WRITER-Everyone")
    okta.provision()
    assert Client(db).active_by_user() == {"ann@acme.com": True, "bo@acme.com": True}
    assert Client(db).get("/Users", filter='userName eq "bo@acme.com"').ids == first
    assert Client(db).members_by_group() == {"Legal": {"ann@acme.com"}}


def test_a_deactivated_account_loses_the_app_and_a_suspended_one_does_not(okta: Okta, db: Database) -> None:
    okta.provision()
    okta.user("ann@acme.com").status = "DEPROVISIONED"
    okta.user("bo@acme.com").status = "SUSPENDED"
    okta.provision()
    assert Client(db).active_by_user() == {"ann@acme.com": False, "bo@acme.com": True}


def test_a_user_whom_the_org_has_is_taken_over(okta: Okta, db: Database) -> None:
    """R12: what exists is found by its user name and replaced, also a user who was deactivated there."""
    scim = Client(db)
    ann = scim.user("ann@acme.com", title="Editor", active=False)
    okta.provision()
    assert okta.synced[okta.user("ann@acme.com").id].scim_id == ann
    user = scim.get(f"/Users/{ann}").body
    assert (user["active"], user["title"]) == (True, "Editor")


def test_members_who_join_and_leave_are_sent_alone(okta: Okta, db: Database) -> None:
    okta.provision()
    assert okta.scim is not None
    okta.group("Legal").members.append(okta.user("bo@acme.com").id)
    okta.group("Legal").members.remove(okta.user("ann@acme.com").id)
    okta.provision()
    (patch,) = [request for request in okta.scim.sent if request.method == "PATCH"]
    assert [operation["op"] for operation in patch.body["Operations"]] == ["remove", "add"]
    assert Client(db).members_by_group() == {"Legal": {"bo@acme.com"}}


def test_a_push_that_ends_leaves_the_group_with_its_members(okta: Okta, db: Database) -> None:
    okta.provision()
    mapping = f"/group-push/mappings/{okta.mapping('Legal').id}"
    with okta.client(APP) as http:
        http.patch(mapping, json={"status": "INACTIVE"}).raise_for_status()
        http.delete(mapping, params={"deleteTargetGroup": "false"}).raise_for_status()
    okta.group("Legal").members.clear()
    okta.provision()
    assert Client(db).members_by_group() == {"Legal": {"ann@acme.com"}}


def test_a_push_that_deletes_its_target_deletes_the_group(okta: Okta, db: Database) -> None:
    okta.provision()
    okta.unpush("Legal", delete_target=True)
    okta.provision()
    assert Client(db).members_by_group() == {}


def test_a_resumed_push_writes_all_members(okta: Okta, db: Database) -> None:
    okta.provision()
    mapping = f"/group-push/mappings/{okta.mapping('Legal').id}"
    with okta.client(APP) as http:
        http.patch(mapping, json={"status": "INACTIVE"}).raise_for_status()
        okta.group("Legal").members.append(okta.user("bo@acme.com").id)
        okta.provision()
        assert Client(db).members_by_group() == {"Legal": {"ann@acme.com"}}
        http.patch(mapping, json={"status": "ACTIVE"}).raise_for_status()
    okta.provision()
    assert Client(db).members_by_group() == {"Legal": {"ann@acme.com", "bo@acme.com"}}


def test_a_group_that_the_org_has_must_be_imported_and_linked(okta: Okta, db: Database) -> None:
    scim = Client(db)
    existing = scim.group("Sales", scim.user("old@acme.com"))
    okta.add_group("Sales", ["bo@acme.com"])
    okta.push("Sales")
    okta.provision()
    assert (okta.mapping("Sales").status, "not imported" in okta.mapping("Sales").error) == ("ERROR", True)
    okta.unpush("Sales")
    okta.groups.pop(okta.app_group("Sales").id)
    okta.import_groups()
    okta.push("Sales", okta.app_group("Sales").id)
    okta.provision()
    assert Client(db).members_by_group() == {"Legal": {"ann@acme.com"}, "Sales": {"bo@acme.com"}}
    assert okta.app_group("Sales").scim_id == existing


def test_a_refusal_is_shown_and_tried_again(okta: Okta, db: Database) -> None:
    configure(db, enabled=False)
    okta.provision()
    with okta.client(APP) as http:
        user = http.get(f"/users/{okta.user('ann@acme.com').id}").json()
        assert (user["status"], user["syncState"]) == ("PROVISIONED", "ERROR")
        shown = http.get(f"/group-push/mappings/{okta.mapping('Legal').id}").json()
        assert (shown["status"], "403" in shown["errorSummary"]) == ("ERROR", True)
    failures = {event["eventType"] for event in okta.events if event["outcome"]["result"] == "FAILURE"}
    assert "application.provision.user.push" in failures
    configure(db, enabled=True)
    okta.provision()
    assert Client(db).members_by_group() == {"Legal": {"ann@acme.com"}}
    assert okta.events[-1]["outcome"]["result"] == "SUCCESS"


def test_an_org_that_is_not_there_is_an_error_too(okta: Okta) -> None:
    okta.connect("http://127.0.0.1:9/api/scim/v2", "token")
    okta.provision()
    assert "no response" in okta.mapping("Legal").error


def test_the_role_attribute_goes_to_its_namespace(okta: Okta, db: Database) -> None:
    """R18."""
    role = {"title": "Role", "type": "string", "externalName": "role", "externalNamespace": EXTENSION}
    okta.custom["writerRole"] = role
    okta.user("ann@acme.com").app_profile = {"writerRole": "admin"}
    okta.provision()
    (ann,) = Client(db).get("/Users", filter='userName eq "ann@acme.com"').body["Resources"]
    assert ann[EXTENSION] == {"role": "admin"}


@pytest.mark.parametrize("stopped", [{"status": "INACTIVE"}, {"features": ()}])
def test_an_app_that_is_off_sends_nothing(okta: Okta, db: Database, stopped: dict[str, Any]) -> None:
    for name, value in stopped.items():
        setattr(okta, name, value)
    okta.provision()
    assert Client(db).active_by_user() == {}
