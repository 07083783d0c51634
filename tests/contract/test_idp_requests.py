"""The list of requests that rolecall may send to an IdP: each is used, no other is sent, and a credential that reads
sends no write."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from fake_idps import Site, graph_answers, okta_answers, served
from test_idp_trace import ANN, BO, SINCE, a_site, reached

from rolecall.errors import OrgError
from rolecall.live.connect import connect_people
from rolecall.live.people.entra import ENTRA as ENTRA_IDP
from rolecall.live.people.idp_requests import (
    GRAPH_REQUESTS,
    GRAPH_WRITES,
    OKTA_REQUESTS,
    OKTA_WRITES,
    Writes,
    is_allowed,
    query_of,
)
from rolecall.live.people.okta_records import OKTA as OKTA_IDP
from rolecall.model.directory import EVERYBODY

ALLOWED = {"okta": OKTA_REQUESTS, "entra": GRAPH_REQUESTS}
KINDS = pytest.mark.parametrize("kind", list(ALLOWED))

OKTA = """\
GET /api/v1/apps/{}
GET /api/v1/apps/{}/group-push/mappings
GET /api/v1/apps/{}/groups
GET /api/v1/apps/{}/users
GET /api/v1/apps/{}/users/{}
GET /api/v1/groups
GET /api/v1/groups/{}
GET /api/v1/groups/{}/users
GET /api/v1/logs
GET /api/v1/meta/schemas/apps/{}/default
GET /api/v1/users
GET /api/v1/users/{}/groups
"""
ENTRA = """\
GET /auditLogs/provisioning
GET /groups
GET /groups/{}/members
GET /servicePrincipals/{}
GET /servicePrincipals/{}/appRoleAssignedTo
GET /servicePrincipals/{}/synchronization/jobs
GET /servicePrincipals/{}/synchronization/jobs/{}/schema
GET /servicePrincipals/{}/synchronization/secrets
GET /users
GET /users/{}/memberOf
GET /users/{}/transitiveMemberOf
"""


WRITES = """\
DELETE /api/v1/apps/{}/group-push/mappings/{} deleteTargetGroup=false
DELETE /api/v1/apps/{}/groups/{}
PATCH /api/v1/apps/{}/group-push/mappings/{}
POST /api/v1/apps/{}/group-push/mappings
PUT /api/v1/apps/{}/groups/{}
"""
ENTRA_WRITES = """\
POST /servicePrincipals/{}/synchronization/jobs/{}/validateCredentials
PUT /servicePrincipals/{}/synchronization/secrets
"""


@pytest.mark.parametrize(("writes", "listed"), [(OKTA_WRITES, WRITES), (GRAPH_WRITES, ENTRA_WRITES)])
def test_the_list_of_writes(writes: Writes, listed: str) -> None:
    """Each change of the list is a change of this test. A query is part of the list: no caller can add to it."""
    queries = {entry: "".join(f" {name}={value}" for name, value in query) for entry, query in writes.items()}
    assert sorted(f"{method} {path}{queries[method, path]}" for method, path in writes) == listed.splitlines()
    assert not set(writes) & (OKTA_REQUESTS | GRAPH_REQUESTS)


def test_a_connection_that_reads_sends_no_write() -> None:
    assert [dict(idp.writes) for idp in (OKTA_IDP, ENTRA_IDP)] == [{}, {}]


@pytest.mark.parametrize(("kind", "listed"), [("okta", OKTA), ("entra", ENTRA)])
def test_the_list(kind: str, listed: str) -> None:
    """Each change of the list is a change of this test. Nothing in it may write."""
    assert sorted(f"{method} {path}" for method, path in ALLOWED[kind]) == listed.splitlines()
    assert {method for method, _ in ALLOWED[kind]} == {"GET"}


@KINDS
def test_each_request_of_the_list_is_sent_and_no_other(kind: str) -> None:
    site = a_site(kind, role_source={"name": "appRoleAssignments", "type": "Attribute"})
    sent = {(one.method, one.path.removeprefix("/v1.0")) for one in all_reads(kind, site)}
    unlisted = [(method, path) for method, path in sent if not is_allowed(ALLOWED[kind], method, path)]
    assert unlisted == []
    unused = [
        template
        for _, template in ALLOWED[kind]
        if not any(re.fullmatch(template.replace("{}", "[^/]+"), path) for _, path in sent)
    ]
    assert unused == []


def all_reads(kind: str, site: Site) -> list[Any]:
    """Every read that rolecall knows: users, the app's setup, its parts, a trace."""
    with served(site, okta_answers if kind == "okta" else graph_answers, okta=kind == "okta") as url:
        place = reached(kind, url)
        way = place.way._replace(groups=("Lunch",), role_attribute="role")
        people: Any = connect_people(place.kind, place.at, way)

        async def work() -> None:
            try:
                await people.read_people(EVERYBODY)
                await people.read_idp()
                await people.read_app()
                await people.trace(ANN, SINCE)
                await people.trace(BO, SINCE)
            finally:
                await people.close()

        asyncio.run(work())
    return site.seen


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/apps/0oa1"),
        ("POST", "/api/v1/apps/0oa1"),
        ("DELETE", "/api/v1/apps/0oa1"),
        ("PUT", "/api/v1/groups/00g1/users/00u1"),
        ("DELETE", "/api/v1/groups/00g1"),
        ("DELETE", "/api/v1/apps/0oa1/users/00u1"),
        ("DELETE", "/api/v1/apps/0oa1/groups/.."),
        ("POST", "/api/v1/meta/schemas/apps/0oa1/default"),
        ("GET", "/api/v1/apps/0oa1/"),
        ("GET", "/api/v1/apps//users"),
        ("GET", "/api/v1/apps/../users"),
        ("GET", "/api/v1/apps"),
    ],
)
def test_what_is_not_in_the_list_is_refused(method: str, path: str) -> None:
    assert not is_allowed(OKTA_REQUESTS, method, path)
    assert query_of(OKTA_WRITES, method, path) is None


@pytest.mark.parametrize("app", ["..", ".", ""])
def test_an_app_that_would_change_the_path_is_not_asked_for(app: str) -> None:
    site = a_site("okta")
    with served(site, okta_answers, okta=True) as url:
        people: Any = connect_people("okta", url, reached("okta", url).way._replace(app=app))

        async def work() -> None:
            try:
                await people.read_idp()
            finally:
                await people.close()

        with pytest.raises(OrgError):
            asyncio.run(work())
    assert site.seen == []
