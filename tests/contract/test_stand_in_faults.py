"""Faults of the stand-ins: the request with a number fails as it is told to, before or after its effect."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from faulty_client import FakeClock
from idp import Entra, Fault, Okta
from idp.wire import StandIn

from rolecall.live.connect import PeopleConnection, connect_people
from rolecall.model.directory import EVERYBODY, Directory

KINDS = pytest.mark.parametrize("kind", ["okta", "entra"])


def stand_in(kind: str) -> Okta | Entra:
    """Ann has the app; Legal is not assigned yet."""
    idp: Okta | Entra = Okta() if kind == "okta" else Entra()
    idp.add_user("ann@acme.com")
    idp.add_group("Everyone", ["ann@acme.com"])
    idp.add_group("Legal", ["ann@acme.com"])
    idp.assign("Everyone")
    if isinstance(idp, Entra):
        idp.connect("http://127.0.0.1:9/api/scim/v2", "scim-secret")
    else:
        idp.push("Everyone")
    return idp


def assign(idp: Okta | Entra, http: httpx.Client) -> httpx.Response:
    """Assign Legal."""
    group = idp.group("Legal").id
    if isinstance(idp, Okta):
        return http.put(f"/api/v1/apps/{idp.app}/groups/{group}", json={})
    body = {"principalId": group, "resourceId": idp.app, "appRoleId": next(iter(idp.roles))}
    return http.post(f"/v1.0/servicePrincipals/{idp.app}/appRoleAssignedTo", json=body)


def assigned(idp: Okta | Entra) -> int:
    return len(idp.assigned if isinstance(idp, Okta) else idp.assignments)


@KINDS
@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500])
def test_a_status_comes_before_the_effect(kind: str, status: int) -> None:
    idp = stand_in(kind)
    idp.faults.append(Fault(status))
    with idp.client("") as http:
        reply = assign(idp, http)
        assert (reply.status_code, assigned(idp)) == (status, 1)
        assert ("errorCode" if kind == "okta" else "error") in reply.json()
        if status == 429:
            name = "x-rate-limit-reset" if kind == "okta" else "retry-after"
            assert int(reply.headers[name]) >= 0
        assert assign(idp, http).is_success
    assert [write.status for write in idp.writes] == [status, idp.writes[1].status]
    assert assigned(idp) == 2


@KINDS
def test_a_status_may_hide_an_effect(kind: str) -> None:
    idp = stand_in(kind)
    idp.faults.append(Fault(500, after=True))
    with idp.client("") as http:
        assert assign(idp, http).status_code == 500
    assert assigned(idp) == 2


@KINDS
@pytest.mark.parametrize(("after", "assignments"), [(False, 1), (True, 2)])
def test_no_response_comes_before_or_after_the_effect(kind: str, after: bool, assignments: int) -> None:
    idp = stand_in(kind)
    idp.faults.append(Fault("silence", after=after))
    with idp.client("") as http, pytest.raises(httpx.RemoteProtocolError):
        assign(idp, http)
    assert assigned(idp) == assignments
    assert [write.status for write in idp.writes] == [0], "the request is in the log"


@KINDS
@pytest.mark.parametrize(("after", "assignments"), [(False, 1), (True, 2)])
def test_a_client_may_run_out_of_patience(kind: str, after: bool, assignments: int) -> None:
    idp = stand_in(kind)
    idp.faults.append(Fault("silence", after=after, hold=60))
    with idp.client("") as http:
        http.timeout = httpx.Timeout(0.3)
        with pytest.raises(httpx.ReadTimeout):
            assign(idp, http)
    assert assigned(idp) == assignments


@KINDS
def test_a_truncated_response_is_no_json_and_the_effect_is_there(kind: str) -> None:
    idp = stand_in(kind)
    idp.faults.append(Fault("truncated"))
    with idp.client("") as http:
        reply = assign(idp, http)
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert (reply.is_success, assigned(idp)) == (True, 2)


def test_the_requests_that_fail_are_chosen_by_number_method_and_path() -> None:
    idp = stand_in("okta")
    idp.faults += [Fault(500, number=2, times=2, path="/groups$"), Fault(409, method="PUT")]
    with idp.client("") as http:
        path = f"/api/v1/apps/{idp.app}"
        statuses = [http.get(f"{path}{end}").status_code for end in ("/groups", "", "/groups", "/groups", "/groups")]
        assert statuses == [200, 200, 500, 500, 200]
        assert [assign(idp, http).status_code for _ in range(2)] == [409, 200]


def read(idp: Okta | Entra, kind: str, clock: FakeClock) -> Directory:
    """The users, as rolecall reads them; waiting takes no time."""

    async def work(url: str) -> Directory:
        way = PeopleConnection(token=lambda: idp.token, app=idp.app, clock=clock)
        way = way if kind == "okta" else way._replace(url=url, login_url=url)
        people: Any = connect_people(kind, url if kind == "okta" else "acme", way)
        try:
            directory: Directory = await people.read_people(EVERYBODY)
            return directory
        finally:
            await people.close()

    with idp.served() as url:
        return asyncio.run(work(url))


@KINDS
@pytest.mark.parametrize("what", [429, 500, "silence"])
def test_rolecall_reads_on_after_a_fault_that_passes(kind: str, what: Any) -> None:
    idp = stand_in(kind)
    idp.faults.append(Fault(what, number=2))
    directory = read(idp, kind, FakeClock())
    assert (list(directory.emails), directory.coverage.state) == (["ann@acme.com"], "complete")


@KINDS
@pytest.mark.parametrize("what", [401, 403, 404, "truncated"])
def test_a_fault_that_stays_leaves_users_unread(kind: str, what: Any) -> None:
    idp = stand_in(kind)
    idp.faults.append(Fault(what, times=100, path="/(members|users)$"))
    assert read(idp, kind, FakeClock()).coverage.state == "unread"


def test_a_stand_in_holds_rolecall_to_the_description() -> None:
    """What is not as the IdP describes it fails at the end of `served`."""
    idp: StandIn = stand_in("okta")
    idp.violations.append("GET /api/v1/apps/0oa1: not described")
    with pytest.raises(AssertionError), idp.served():
        pass
