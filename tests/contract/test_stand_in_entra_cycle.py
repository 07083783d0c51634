"""How the stand-in Entra provisions a local org: initial, incremental and full cycles, on demand, and quarantine."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from idp import Entra, uid
from idp.entra_scim import ROLE
from idp.entra_state import WRITER_ROLE
from idp.scim_out import Sent
from org_client import org_without_users
from scim_org import Client, configure, new_token, served

from rolecall.localorg.store import Database

JOBS = f"/servicePrincipals/{uid('app')}/synchronization/jobs"
ANN, BO, CY = "ann@acme.com", "bo@acme.com", "cy@acme.com"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with org_without_users(tmp_path) as database:
        yield database


@pytest.fixture
def entra(db: Database) -> Iterator[Entra]:
    """Ann and Bo are in Legal, which is assigned; Cy is in it only through Counsel. Sales (Cy) is not assigned."""
    entra = Entra()
    for login in (ANN, BO, CY):
        entra.add_user(login)
    entra.add_group("Legal", [ANN, BO])
    entra.add_group("Counsel", [CY])
    entra.add_group("Sales", [CY])
    entra.group("Legal").inner.append(entra.group("Counsel").id)
    entra.assign("Legal")
    with served(db) as org:
        entra.connect(f"{org}/api/scim/v2", new_token(db, "scim"))
        yield entra


def sent(entra: Entra) -> list[Sent]:
    assert entra.scim is not None
    return entra.scim.writes


def test_the_initial_cycle_sends_what_is_assigned(entra: Entra, db: Database) -> None:
    """R29: Cy is in Legal only through another group."""
    entra.provision()
    assert Client(db).active_by_user() == {ANN: True, BO: True}
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}}
    assert (entra.job.last["state"], entra.job.full, entra.job.quarantine) == ("Succeeded", False, None)
    writes = [(request.method, request.path.split("/")[1]) for request in sent(entra)]
    assert writes == [("POST", "Users"), ("POST", "Users"), ("POST", "Groups"), ("PATCH", "Groups")]
    assert sent(entra)[2].body["members"] == []


def test_an_incremental_cycle_sends_what_changed(entra: Entra, db: Database) -> None:
    entra.provision()
    assert entra.scim is not None
    entra.scim.sent.clear()
    entra.provision()
    assert entra.scim.sent == []
    entra.user(ANN).properties["displayName"] = "Ann Lee"
    entra.user(BO).enabled = False
    entra.provision()
    operations = [request.body["Operations"] for request in sent(entra)]
    assert operations == [
        [{"op": "Replace", "path": "displayName", "value": "Ann Lee"}],
        [{"op": "Replace", "path": "active", "value": "False"}],
    ]
    assert Client(db).active_by_user() == {ANN: True, BO: False}


def test_a_full_cycle_corrects_the_org(entra: Entra, db: Database) -> None:
    """An incremental one does not read the org, so it does not notice."""
    entra.provision()
    scim = Client(db)
    scim.patch(f"/Users/{entra.job.users[entra.user(ANN).id].scim_id}", {"op": "replace", "value": {"active": False}})
    scim.delete(f"/Users/{entra.job.users[entra.user(BO).id].scim_id}")
    entra.provision()
    assert Client(db).active_by_user() == {ANN: False}
    entra.provision(full=True)
    assert Client(db).active_by_user() == {ANN: True, BO: True}
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}}


def test_a_new_schema_makes_the_next_cycle_full(entra: Entra, db: Database) -> None:
    entra.provision()
    with entra.client() as http:
        path = f"{JOBS}/{entra.job.id}/schema"
        schema = http.get(path).json()
        mappings = schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
        (external,) = [mapping for mapping in mappings if mapping["targetAttributeName"] == "externalId"]
        external["source"] |= {"name": "mailNickname", "expression": "[mailNickname]"}
        http.put(path, json=schema).raise_for_status()
    entra.provision()
    assert {user["externalId"] for user in Client(db).get("/Users").body["Resources"]} == {"ann", "bo"}
    assert not entra.job.full


def test_a_user_out_of_scope_is_deactivated_and_a_group_is_deleted(entra: Entra, db: Database) -> None:
    entra.assign("Sales")
    entra.provision()
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}, "Sales": {CY}}
    entra.group("Legal").members.remove(entra.user(BO).id)
    entra.unassign("Sales")
    entra.provision()
    assert Client(db).active_by_user() == {ANN: True, BO: False, CY: False}
    assert Client(db).members_by_group() == {"Legal": {ANN}}
    entra.group("Legal").members.append(entra.user(BO).id)
    entra.provision()
    assert Client(db).active_by_user() == {ANN: True, BO: True, CY: False}
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}}


def test_a_disabled_account_is_not_created(entra: Entra, db: Database) -> None:
    entra.user(ANN).enabled = False
    entra.provision()
    assert Client(db).active_by_user() == {BO: True}
    assert "skipped" in {entry["provisioningStatusInfo"]["status"] for entry in entra.entries}
    entra.user(ANN).enabled = True
    entra.provision()
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}}


def test_users_and_groups_that_the_org_has_are_matched(entra: Entra, db: Database) -> None:
    scim = Client(db)
    ann, group = scim.user(ANN, active=False), scim.group("Legal")
    entra.provision()
    assert entra.job.users[entra.user(ANN).id].scim_id == ann
    assert entra.job.groups[entra.group("Legal").id].scim_id == group
    assert Client(db).active_by_user() == {ANN: True, BO: True}
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}}


def test_the_scope_of_everything(entra: Entra, db: Database) -> None:
    entra.secrets["SyncAll"] = "true"
    entra.provision()
    assert Client(db).active_by_user() == {ANN: True, BO: True, CY: True}
    assert set(Client(db).members_by_group()) == {"Legal", "Counsel", "Sales"}


def test_a_paused_job_sends_nothing_until_it_starts(entra: Entra, db: Database) -> None:
    with entra.client() as http:
        http.post(f"{JOBS}/{entra.job.id}/pause").raise_for_status()
        entra.provision()
        assert Client(db).active_by_user() == {}
        http.post(f"{JOBS}/{entra.job.id}/start").raise_for_status()
    entra.provision()
    assert Client(db).active_by_user() == {ANN: True, BO: True}


def test_writes_of_the_api_are_provisioned(entra: Entra, db: Database) -> None:
    entra.provision_each = True
    body = {"principalId": entra.group("Sales").id, "resourceId": entra.app, "appRoleId": next(iter(entra.roles))}
    with entra.client() as http:
        http.post(f"/servicePrincipals/{entra.app}/appRoleAssignedTo", json=body).raise_for_status()
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}, "Sales": {CY}}


def test_one_user_on_demand(entra: Entra, db: Database) -> None:
    """Also while the job is off; a user out of scope is skipped."""
    entra.job.state = "Paused"

    def demand(http: httpx.Client, subject: str) -> list[dict[str, Any]]:
        subjects = [{"objectId": subject, "objectTypeName": "User"}]
        body = {"parameters": [{"ruleId": entra.job.rules[0]["id"], "subjects": subjects}]}
        reply = http.post(f"{JOBS}/{entra.job.id}/provisionOnDemand", json=body).raise_for_status()
        entries: list[dict[str, Any]] = json.loads(reply.json()["value"])
        return entries

    with entra.client() as http:
        (ann,) = demand(http, entra.user(ANN).id)
        (cy,) = demand(http, entra.user(CY).id)
    assert (ann["provisioningAction"], ann["provisioningStatusInfo"]["status"]) == ("create", "success")
    assert cy["provisioningStatusInfo"]["errorInformation"]["reason"] == "NotEffectivelyEntitled"
    assert Client(db).active_by_user() == {ANN: True}


def test_credentials_are_valid_if_the_org_answers(entra: Entra) -> None:
    path = f"{JOBS}/{entra.job.id}/validateCredentials"
    pairs = [{"key": key, "value": value} for key, value in entra.secrets.items()]
    wrong = [{**pair, "value": "*"} if pair["key"] == "SecretToken" else pair for pair in pairs]
    with entra.client() as http:
        assert http.post(path, json={"useSavedCredentials": True}).status_code == 204
        assert http.post(path, json={"credentials": pairs}).status_code == 204
        refused = http.post(path, json={"credentials": wrong})
    assert (refused.status_code, "401" in refused.json()["error"]["message"]) == (400, True)


def test_a_connection_that_is_lost_puts_the_job_in_quarantine_until_a_cycle_succeeds(
    entra: Entra, db: Database
) -> None:
    configure(db, enabled=False)
    entra.provision()
    assert (entra.job.last["state"], entra.job.quarantine["reason"]) == ("Failed", "EncounteredQuarantineException")
    with entra.client() as http:
        assert http.get(f"{JOBS}/{entra.job.id}").json()["status"]["code"] == "Quarantine"
    configure(db, enabled=True)
    entra.provision()
    assert (entra.job.last["state"], entra.job.quarantine) == ("Succeeded", None)
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}}


def test_one_user_who_fails_is_an_error_of_that_user(entra: Entra, db: Database) -> None:
    entra.user(BO).properties["userPrincipalName"] = ""
    entra.provision()
    assert (entra.job.last["state"], entra.job.quarantine) == ("EntryLevelErrors", None)
    failed = [entry["sourceIdentity"]["id"] for entry in entra.entries if "fail" in str(entry)]
    assert failed == [entra.user(BO).id]
    entra.user(BO).properties.clear()
    entra.provision()
    assert Client(db).members_by_group() == {"Legal": {ANN, BO}}


def test_more_deletions_than_the_threshold_are_not_made(entra: Entra, db: Database) -> None:
    entra.secrets["SyncNotificationSettings"] = '{"DeleteThresholdEnabled": true, "DeleteThresholdValue": 1}'
    entra.provision()
    entra.group("Legal").members.clear()
    entra.provision()
    assert entra.job.quarantine["reason"] == "TooManyDeletes"
    assert Client(db).active_by_user() == {ANN: True, BO: True}
    with entra.client() as http:
        reset = {"criteria": {"resetScope": "ForceDeletes, QuarantineState"}}
        http.post(f"{JOBS}/{entra.job.id}/restart", json=reset).raise_for_status()
    entra.provision()
    assert (Client(db).active_by_user(), entra.job.quarantine) == ({ANN: False, BO: False}, None)
    assert Client(db).members_by_group() == {"Legal": set()}


def test_the_role_attribute_is_the_app_role(entra: Entra, db: Database) -> None:
    """R18."""
    schema = copy.deepcopy(entra.job.schema)
    source = {"type": "Function", "name": "SingleAppRoleAssignment", "expression": ROLE, "parameters": []}
    mapping = {"targetAttributeName": WRITER_ROLE, "matchingPriority": 0, "source": source}
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"].append(mapping)
    entra.job.schema = schema
    entra.roles[uid("role admin")] = "admin"
    entra.unassign("Legal")
    entra.assign(ANN, "admin")
    entra.provision()
    (ann,) = Client(db).get("/Users").body["Resources"]
    assert ann[WRITER_ROLE.rpartition(":")[0]] == {"role": "admin"}
