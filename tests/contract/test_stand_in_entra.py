"""The stand-in Entra: it does what Microsoft Graph does, refuses what Graph refuses, and is read by rolecall."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from idp import AppRegistration, Entra, http_client, uid

from rolecall.live.connect import PeopleConnection, connect_people
from rolecall.model.directory import EVERYBODY, Directory, IdpFacts

APP = f"/servicePrincipals/{uid('app')}"
SECRETS = f"{APP}/synchronization/secrets"
JOBS = f"{APP}/synchronization/jobs"
NOWHERE = "http://127.0.0.1:9/api/scim/v2"


def an_entra(**more: Any) -> Entra:
    """Ann and Bo are in Legal, which is assigned; Cy is in it only through Counsel. Sales is not assigned."""
    entra = Entra(**more)
    for login in ("ann@acme.com", "bo@acme.com", "cy@acme.com"):
        entra.add_user(login)
    entra.add_group("Legal", ["ann@acme.com", "bo@acme.com"])
    entra.add_group("Counsel", ["cy@acme.com"])
    entra.add_group("Sales", ["cy@acme.com"])
    entra.group("Legal").inner.append(entra.group("Counsel").id)
    entra.connect(NOWHERE, "scim-secret")
    entra.assign("Legal")
    return entra


@pytest.fixture
def entra() -> Entra:
    return an_entra()


@pytest.fixture
def http(entra: Entra) -> Iterator[httpx.Client]:
    with entra.client() as http:
        yield http


def read(entra: Entra) -> tuple[Directory, IdpFacts, Any]:
    """The users, the setup of the app and its parts, as rolecall reads them."""

    async def work(url: str) -> tuple[Directory, IdpFacts, Any]:
        way = PeopleConnection(token=lambda: entra.token, app=entra.app, url=url, login_url=url)
        people: Any = connect_people("entra", "acme", way)
        try:
            return await people.read_people(EVERYBODY), await people.read_idp(), await people.read_app()
        finally:
            await people.close()

    with entra.served() as url:
        return asyncio.run(work(url))


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_rolecall_reads_it_as_entra(page: int) -> None:
    directory, facts, app = read(an_entra(page=page))
    users = map(directory.person, range(len(directory)))
    assert {user.email: set(user.groups) for user in users} == {"ann@acme.com": {"Legal"}, "bo@acme.com": {"Legal"}}
    assert directory.coverage.state == "complete"
    assert (facts.pushed, facts.everybody, facts.unread, facts.stopped) == ({"Legal"}, False, None, None)
    assert (app.hosts, app.unread) == ({"127.0.0.1"}, ())


def test_an_assignment_is_made_and_removed(entra: Entra, http: httpx.Client) -> None:
    sales, role = entra.group("Sales").id, next(iter(entra.roles))
    body = {"principalId": sales, "resourceId": entra.app, "appRoleId": role}
    created = http.post(f"{APP}/appRoleAssignedTo", json=body)
    assert (created.status_code, created.json()["principalType"]) == (201, "Group")
    assert created.json()["principalDisplayName"] == "Sales"
    again = http.post(f"{APP}/appRoleAssignedTo", json=body)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "Request_BadRequest")
    assert len(http.get(f"{APP}/appRoleAssignedTo").json()["value"]) == 2
    path = f"{APP}/appRoleAssignedTo/{created.json()['id']}"
    assert [http.delete(path).status_code, http.delete(path).status_code] == [204, 404]
    assert [write.method for write in entra.writes] == ["POST", "POST", "DELETE", "DELETE"]
    assert entra.writes[0].sent == body


def test_an_assignment_that_cannot_be(entra: Entra, http: httpx.Client) -> None:
    sales, role = entra.group("Sales").id, next(iter(entra.roles))
    for body, status in (
        ({"principalId": str(uuid4()), "resourceId": entra.app, "appRoleId": role}, 404),
        ({"principalId": sales, "resourceId": str(uuid4()), "appRoleId": role}, 400),
        ({"principalId": sales, "resourceId": entra.app, "appRoleId": str(uuid4())}, 400),
    ):
        assert http.post(f"{APP}/appRoleAssignedTo", json=body).status_code == status
    assert len(entra.assignments) == 1


def secrets(**more: str) -> dict[str, Any]:
    pairs = {"BaseAddress": NOWHERE, "SecretToken": "new", "SyncAll": "false", **more}
    return {"value": [{"key": key, "value": value} for key, value in pairs.items()]}


def test_a_secret_is_read_back_masked(entra: Entra, http: httpx.Client) -> None:
    assert http.put(SECRETS, json=secrets(SyncNotificationSettings="{}")).status_code == 204
    pairs = {pair["key"]: pair["value"] for pair in http.get(SECRETS).json()["value"]}
    shown = {"BaseAddress": NOWHERE, "SecretToken": "*", "SyncAll": "false", "SyncNotificationSettings": "{}"}
    assert pairs == shown
    assert entra.secrets["SecretToken"] == "new"


def test_a_put_of_secrets_replaces_all_of_them_and_takes_a_mask_as_a_value(entra: Entra, http: httpx.Client) -> None:
    masked = {"value": [{"key": "SecretToken", "value": "*"}]}
    assert http.put(SECRETS, json=masked).status_code == 204
    assert entra.secrets == {"SecretToken": "*"}
    unknown = {"value": [{"key": "Sandbox", "value": "1"}]}
    assert http.put(SECRETS, json=unknown).status_code == 400
    assert http.put(SECRETS, json={"value": []}).status_code == 400


def test_credentials_are_tried_at_the_org(entra: Entra, http: httpx.Client) -> None:
    job = f"{JOBS}/{entra.job.id}/validateCredentials"
    refused = http.post(job, json={"credentials": secrets()["value"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidCredentials")
    assert http.post(job, json={"useSavedCredentials": True}).status_code == 400
    assert "scim-secret" not in refused.text


def test_a_job_is_made_started_paused_and_restarted(entra: Entra, http: httpx.Client) -> None:
    entra.jobs.clear()
    entra.secrets.clear()
    assert http.post(JOBS, json={"templateId": "other"}).status_code == 400
    job = http.post(JOBS, json={"templateId": "scim"}).json()
    path = f"{JOBS}/{job['id']}"
    assert (job["schedule"]["state"], job["status"]["code"]) == ("Disabled", "NotConfigured")
    assert http.post(JOBS, json={"templateId": "scim"}).status_code == 409
    assert http.post(f"{path}/start").status_code == 400, "it has no credentials"
    http.put(SECRETS, json=secrets()).raise_for_status()
    assert http.post(f"{path}/start").status_code == 204
    assert http.get(path).json()["schedule"]["state"] == "Active"
    assert http.post(f"{path}/pause").status_code == 204
    assert http.get(path).json()["status"]["code"] == "Paused"
    reset = {"criteria": {"resetScope": "Watermark, QuarantineState"}}
    assert http.post(f"{path}/restart", json=reset).status_code == 204
    assert http.get(JOBS).json()["value"][0]["schedule"]["state"] == "Active"
    assert http.post(f"{path}/restart", json={"criteria": {"resetScope": "Everything"}}).status_code == 400


def test_a_schema_is_replaced_as_a_whole_and_makes_the_next_cycle_full(entra: Entra, http: httpx.Client) -> None:
    path = f"{JOBS}/{entra.job.id}/schema"
    entra.job.full = False
    schema = http.get(path).json()
    changed = copy.deepcopy(schema)
    mapping = changed["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][-1]
    mapping["source"] = {"type": "Attribute", "name": "mailNickname", "expression": "[mailNickname]", "parameters": []}
    assert http.put(path, json=changed).status_code == 204
    assert http.get(path).json()["synchronizationRules"] == changed["synchronizationRules"]
    assert entra.job.full
    changed["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"] = []
    assert http.put(path, json=changed).status_code == 400
    assert http.put(path, json={"synchronizationRules": []}).status_code == 400


def demand(entra: Entra, subject: str) -> dict[str, Any]:
    rule = entra.job.rules[0]["id"]
    return {"parameters": [{"ruleId": rule, "subjects": [{"objectId": subject, "objectTypeName": "User"}]}]}


def test_five_requests_on_demand_are_accepted_in_ten_seconds() -> None:
    times = iter([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 10.5])
    entra = an_entra(seconds=lambda: next(times))
    body = demand(entra, entra.user("ann@acme.com").id)
    with entra.client() as http:
        path = f"{JOBS}/{entra.job.id}/provisionOnDemand"
        replies = [http.post(path, json=body) for _ in range(7)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 200, 200, 429, 200]
    assert replies[5].headers["retry-after"] == "5"
    (entry,) = json.loads(replies[0].json()["value"])
    assert entry["provisioningStatusInfo"]["status"] == "failure", "there is no org at that address"


def test_what_cannot_be_provisioned_on_demand(entra: Entra, http: httpx.Client) -> None:
    path = f"{JOBS}/{entra.job.id}/provisionOnDemand"
    assert http.post(path, json=demand(entra, str(uuid4()))).status_code == 404
    assert http.post(path, json={"parameters": []}).status_code == 400
    wrong = {"parameters": [{"ruleId": str(uuid4()), "subjects": []}]}
    assert http.post(path, json=wrong).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/servicePrincipals/{uid('other')}", 404),
        ("GET", f"{JOBS}/scim.none", 404),
        ("POST", f"{JOBS}/scim.none/start", 404),
        ("GET", f"/groups/{uid('none')}/members", 404),
        ("GET", f"/users/{uid('none')}/memberOf", 404),
        ("GET", "/servicePrincipals/x/nothing", 404),
        ("DELETE", APP, 405),
        ("GET", "/groups?$filter=name%20eq%20'x'", 400),
    ],
)
def test_what_there_is_not(entra: Entra, http: httpx.Client, method: str, path: str, status: int) -> None:
    reply = http.request(method, path)
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"code", "message", "innerError"}


def test_a_client_may_do_what_its_permissions_cover(entra: Entra) -> None:
    reading = ("Application.Read.All", "Synchronization.Read.All")
    writing = ("Synchronization.ReadWrite.All",)
    entra.clients = {"reads": AppRegistration("s1", reading), "writes": AppRegistration("s2", writing)}
    sales, role = entra.group("Sales").id, next(iter(entra.roles))
    body = {"principalId": sales, "resourceId": entra.app, "appRoleId": role}
    statuses: dict[str, list[int]] = {}
    with entra.served() as url:
        for name, registration in entra.clients.items():
            form = {"client_id": name, "client_secret": registration.secret, "grant_type": "client_credentials"}
            token = httpx.post(f"{url}/acme/oauth2/v2.0/token", data=form, trust_env=False).json()["access_token"]
            with http_client(f"{url}{entra.spec_base}", token) as http:
                replies = (
                    http.get(f"{APP}/appRoleAssignedTo"),
                    http.get(JOBS),
                    http.post(f"{JOBS}/{entra.job.id}/pause"),
                    http.post(f"{APP}/appRoleAssignedTo", json=body),
                )
                statuses[name] = [reply.status_code for reply in replies]
        wrong = httpx.post(f"{url}/acme/oauth2/v2.0/token", data={"client_id": "reads"}, trust_env=False)
        with http_client(f"{url}{entra.spec_base}", "nothing") as http:
            unknown = http.get(JOBS)
    assert statuses == {"reads": [200, 200, 403, 403], "writes": [403, 200, 204, 403]}
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert unknown.json()["error"]["code"] == "InvalidAuthenticationToken"
