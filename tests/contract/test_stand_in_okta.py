"""The stand-in Okta: it does what Okta's API does, refuses what Okta refuses, and is read as rolecall reads Okta."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from idp import Okta, ServiceApp, http_client

from rolecall.live.connect import PeopleConnection, connect_people
from rolecall.live.http import refusals
from rolecall.live.people.okta_records import SCOPES
from rolecall.live.people.okta_token import service_sign_in
from rolecall.model.directory import EVERYBODY, Directory, IdpFacts

APP = "/api/v1/apps/0oa1"
MAPPINGS = f"{APP}/group-push/mappings"
ROLE = {"title": "Role", "type": "string", "externalName": "role", "externalNamespace": "urn:x"}


def an_okta(**more: Any) -> Okta:
    """Ann and Bo have the app by WRITER-Everyone; Cy, in Legal, does not. Legal is pushed, Sales is not."""
    okta = Okta(**more)
    for login in ("ann@acme.com", "bo@acme.com", "cy@acme.com"):
        okta.add_user(login)
    okta.add_group("WRITER-Everyone", ["ann@acme.com", "bo@acme.com"])
    okta.add_group("Legal", ["ann@acme.com", "cy@acme.com"])
    okta.add_group("Sales", ["bo@acme.com"])
    okta.assign("WRITER-Everyone")
    okta.push("Legal")
    return okta


@pytest.fixture
def okta() -> Okta:
    return an_okta()


@pytest.fixture
def http(okta: Okta) -> Iterator[httpx.Client]:
    with okta.client() as http:
        yield http


def read(okta: Okta, *config_groups: str) -> tuple[Directory, IdpFacts]:
    """The users and the setup of the app, as rolecall reads them."""
    way = PeopleConnection(token=lambda: okta.token, app=okta.app, groups=config_groups)

    async def work(url: str) -> tuple[Directory, IdpFacts]:
        people: Any = connect_people("okta", url, way)
        try:
            return await people.read_people(EVERYBODY), await people.read_idp()
        finally:
            await people.close()

    with okta.served() as url:
        return asyncio.run(work(url))


def groups_by_user(directory: Directory) -> dict[str, set[str]]:
    users = map(directory.person, range(len(directory)))
    return {user.email: set(user.groups) for user in users}


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_rolecall_reads_it_as_okta(page: int) -> None:
    directory, facts = read(an_okta(page=page))
    assert groups_by_user(directory) == {"ann@acme.com": {"Legal"}, "bo@acme.com": set()}
    assert directory.coverage.state == "complete"
    assert (facts.pushed, facts.assigned, facts.unread) == ({"Legal"}, {"WRITER-Everyone"}, None)


def test_the_group_that_a_push_leaves_in_the_app_is_no_second_group_of_that_name() -> None:
    """Okta lists it with its own groups, and keeps it when the push ends."""
    okta = an_okta()
    okta.unpush("Legal")
    directory, _ = read(okta, "Legal")
    assert directory.notes == ()
    assert groups_by_user(directory) == {"ann@acme.com": {"Legal"}, "bo@acme.com": set()}


def test_an_assignment_gives_each_member_the_app(okta: Okta, http: httpx.Client) -> None:
    group = okta.group("Legal").id
    reply = http.put(f"{APP}/groups/{group}", json={})
    assert (reply.status_code, reply.json()["id"], reply.json()["priority"]) == (200, group, 1)
    assert http.get(f"{APP}/groups/{group}").json() == reply.json()
    assert len(http.get(f"{APP}/users").json()) == 3
    assert http.put(f"{APP}/groups/{group}", json={"priority": 7}).json()["priority"] == 7
    assert len(http.get(f"{APP}/groups").json()) == 2
    assert http.delete(f"{APP}/groups/{group}").status_code == 204
    assert len(http.get(f"{APP}/users").json()) == 2
    assert http.get(f"{APP}/groups/{group}").status_code == 404


def test_a_push_goes_to_a_new_group_of_the_app(okta: Okta, http: httpx.Client) -> None:
    body = {"sourceGroupId": okta.group("Sales").id, "targetGroupName": "Sales"}
    created = http.post(MAPPINGS, json=body)
    mapping = created.json()
    assert (created.status_code, mapping["status"], "lastPush" in mapping) == (201, "ACTIVE", False)
    assert http.get(f"{MAPPINGS}/{mapping['id']}").json() == mapping
    target = http.get(f"/api/v1/groups/{mapping['targetGroupId']}").json()
    assert (target["type"], target["profile"]) == ("APP_GROUP", {"name": "Sales"})
    found = http.get("/api/v1/groups", params={"search": 'profile.name eq "sales"'}).json()
    assert [group["type"] for group in found] == ["OKTA_GROUP", "APP_GROUP"]
    assert len(http.get(MAPPINGS, params={"sourceGroupId": body["sourceGroupId"]}).json()) == 1


def test_a_push_may_be_linked_to_a_group_that_the_app_has(okta: Okta, http: httpx.Client) -> None:
    target = okta.add_app_group("Sales", "scim-7").id
    body = {"sourceGroupId": okta.group("Sales").id, "targetGroupId": target, "status": "INACTIVE"}
    mapping = http.post(MAPPINGS, json=body).json()
    assert (mapping["targetGroupId"], mapping["status"]) == (target, "INACTIVE")


def test_a_push_is_paused_then_deleted(okta: Okta, http: httpx.Client) -> None:
    mapping = f"{MAPPINGS}/{okta.mapping('Legal').id}"
    target = okta.mapping("Legal").target
    active = http.delete(mapping, params={"deleteTargetGroup": "false"})
    assert (active.status_code, active.json()["errorCode"]) == (400, "E0000001")
    assert http.patch(mapping, json={"status": "INACTIVE"}).json()["status"] == "INACTIVE"
    assert http.delete(mapping).status_code == 400
    assert http.delete(mapping, params={"deleteTargetGroup": "false"}).status_code == 204
    assert http.get(mapping).status_code == 404
    assert http.get(f"/api/v1/groups/{target}").status_code == 200, "the group in the app stays"


def bad_mappings(okta: Okta) -> dict[str, dict[str, Any]]:
    legal, sales = okta.group("Legal").id, okta.group("Sales").id
    target = okta.mapping("Legal").target
    return {
        "no target": {"sourceGroupId": sales},
        "both targets": {"sourceGroupId": sales, "targetGroupId": target, "targetGroupName": "Sales"},
        "a name that the app has": {"sourceGroupId": sales, "targetGroupName": "Legal"},
        "a target with a push": {"sourceGroupId": sales, "targetGroupId": target},
        "a target that is no group of the app": {"sourceGroupId": sales, "targetGroupId": legal},
        "a source that is pushed": {"sourceGroupId": legal, "targetGroupName": "Legal 2"},
        "an unknown source": {"sourceGroupId": "00gnone", "targetGroupName": "None"},
        "a group of the app as its source": {"sourceGroupId": target, "targetGroupName": "Loop"},
    }


def test_what_okta_refuses_to_push(okta: Okta, http: httpx.Client) -> None:
    before = dict(okta.mappings)
    for name, body in bad_mappings(okta).items():
        reply = http.post(MAPPINGS, json=body)
        assert (reply.status_code, reply.json()["errorCode"]) == (400, "E0000001"), name
    assert okta.mappings == before
    okta.features = ()
    reply = http.post(MAPPINGS, json={"sourceGroupId": okta.group("Sales").id, "targetGroupName": "Sales"})
    assert "not enabled" in reply.json()["errorSummary"]


def test_the_schema_gains_and_loses_an_attribute(okta: Okta, http: httpx.Client) -> None:
    okta.user("ann@acme.com").app_profile = {"writerRole": "admin"}
    schema = "/api/v1/meta/schemas/apps/0oa1/default"

    def change(attribute: Any) -> httpx.Response:
        return http.post(schema, json={"definitions": {"custom": {"properties": {"writerRole": attribute}}}})

    assert change(ROLE).json()["definitions"]["custom"]["properties"] == {"writerRole": ROLE}
    assert change({"type": "string"}).status_code == 400
    assert okta.user("ann@acme.com").app_profile == {"writerRole": "admin"}
    assert change(None).json()["definitions"]["custom"]["properties"] == {}
    assert okta.user("ann@acme.com").app_profile == {}, "every value of it is gone"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/apps/0oa9", 404),
        ("PUT", f"{APP}/groups/00gnone", 404),
        ("DELETE", f"{APP}/groups/00gnone", 404),
        ("PATCH", f"{MAPPINGS}/gPmnone", 404),
        ("DELETE", f"{MAPPINGS}/gPmnone?deleteTargetGroup=false", 404),
        ("GET", "/api/v1/apps/0oa1/nothing", 404),
        ("GET", "/api/v2/apps", 404),
        ("PUT", APP, 405),
        ("POST", "/api/v1/groups", 405),
        ("GET", "/api/v1/groups?search=name%20eq%20%22x%22", 400),
        ("GET", "/api/v1/logs?filter=eventType%20eq", 400),
    ],
)
def test_what_there_is_not(okta: Okta, http: httpx.Client, method: str, path: str, status: int) -> None:
    reply = http.request(method, path)
    assert reply.status_code == status
    assert set(reply.json()) == {"errorCode", "errorSummary", "errorLink", "errorId", "errorCauses"}
    assert [(request.method, request.status) for request in okta.requests] == [(method, status)]


def test_a_credential_may_do_what_its_scopes_cover(okta: Okta) -> None:
    okta.tokens = {"reads": ("okta.apps.read",), "writes": ("okta.apps.manage",), "pushes": ("okta.groups.manage",)}
    group = okta.group("Sales").id
    body = {"sourceGroupId": group, "targetGroupName": "Sales"}
    statuses: dict[str, list[int]] = {}
    with okta.served() as url:
        for token in ("reads", "writes", "pushes", "nothing"):
            with http_client(url, token) as http:
                replies = (
                    http.get(f"{APP}/groups"),
                    http.put(f"{APP}/groups/{group}", json={}),
                    http.post(MAPPINGS, json=body),
                )
                statuses[token] = [reply.status_code for reply in replies]
    assert statuses == {
        "reads": [200, 403, 403],
        "writes": [200, 200, 403],
        "pushes": [403, 403, 403],
        "nothing": [401, 401, 401],
    }
    codes = {request.status: request.body["errorCode"] for request in okta.requests if request.status > 400}
    assert codes == {401: "E0000011", 403: "E0000006"}
    assert "Sales" not in {okta.groups[mapping.source].name for mapping in okta.mappings.values()}


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_a_service_app_signs_in_for_the_scopes_that_it_has(okta: Okta) -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    okta.apps["0oa9"] = ServiceApp(KEY.public_key(), SCOPES[:2])
    with okta.served() as url:
        token = service_sign_in(url, "0oa9", lambda: pem, refusals.OKTA)().token
        with http_client(url, token) as http:
            assert http.get(f"{APP}/groups").status_code == 200
            assert http.get("/api/v1/users").status_code == 403
    assert okta.writes == []


def test_more_requests_than_the_limit_are_refused_until_the_window_ends() -> None:
    times = iter([100.0, 110.0, 120.0, 161.0])
    okta = an_okta(rate_limit=2, seconds=lambda: next(times))
    with okta.client() as http:
        replies = [http.get(f"{APP}/groups") for _ in range(4)]
    names = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")
    headers = [tuple(reply.headers[name] for name in names) for reply in replies]
    assert [reply.status_code for reply in replies] == [200, 200, 429, 200]
    assert headers == [("2", "1", "160"), ("2", "0", "160"), ("2", "0", "160"), ("2", "0", "170")]
    assert replies[2].json()["errorCode"] == "E0000047"


def test_the_system_log_has_each_change(okta: Okta, http: httpx.Client) -> None:
    group = okta.group("Sales").id
    http.put(f"{APP}/groups/{group}", json={})
    http.delete(f"{APP}/groups/{group}")
    query = {"filter": f'eventType sw "group.application" and target.id eq "{group}"', "sortOrder": "DESCENDING"}
    events = http.get("/api/v1/logs", params=query).json()
    assert [event["eventType"].rpartition(".")[2] for event in events] == ["remove", "add"]
    assert http.get("/api/v1/logs", params={**query, "since": "2027-01-01T00:00:00.000Z"}).json() == []
