"""What the roles at org level may do in a local org (R34, R36): over the admin API, its exports and the console."""

from __future__ import annotations

from typing import Any

import pytest
from org_client import SNAPSHOT, Client, fill

from rolecall.codec.capabilities import WRITES
from rolecall.localorg.api.audit_export import PATH as AUDIT_PATH
from rolecall.localorg.api.audit_export import handle_export
from rolecall.localorg.api.handle import ROUTER
from rolecall.localorg.api.usage import PATH as USAGE_PATH
from rolecall.localorg.api.usage import handle_usage
from rolecall.localorg.manage import make_token, standing
from rolecall.localorg.web import Request
from rolecall.model.kinds import ORG_KINDS

ROLES = {"ida@acme.com": "it_admin", "biz@acme.com": "business_admin", "org@acme.com": "org_admin", "odd@acme.com": "x"}
USERS = [
    *SNAPSHOT["people"],
    *({"email": email, "groups": ["Marketing"], "org_role": role} for email, role in ROLES.items()),
    {"email": "old@acme.com", "groups": ["Marketing"], "org_role": "it_admin", "active": False},
]
USER_LISTS = {"/v1/people", "/v1/people/search", "/v1/people/{id}/access", "/v1/teams", "/v1/roles"}
ACCESS_TAB = {"/v1/domains", "/v1/domains/{name}", "/v1/access/defaults"}


@pytest.fixture
def company(org: Client) -> Client:
    fill(org.db, people=USERS)
    return org


def allowed(role: str, method: str, path: str) -> bool:
    """Whether a role may do it, as the rule says."""
    reads = method == "GET" or path == "/v1/people/search"
    if path == "/v1/org" or role == "org_admin":
        return True
    if role == "it_admin":
        return reads or path in ACCESS_TAB
    return role == "business_admin" and reads and path in USER_LISTS


@pytest.mark.parametrize("email", ROLES)
def test_each_address_is_for_the_roles_that_the_rule_names(company: Client, email: str) -> None:
    caller, role = company.as_person(email), ROLES[email]
    for route in ROUTER.routes:
        path = route.path.replace("{name}", "acme.com").replace("{id}", "x")
        answer = caller.call(route.method, path, {} if route.method in ("POST", "PUT") else None)
        refused = answer.status == 403 and answer.key in ("not_org_admin", "role_not_allowed")
        assert refused == (not allowed(role, route.method, route.path)), (route.method, route.path, answer)
        if refused:
            assert answer.key == ("role_not_allowed" if role in ("it_admin", "business_admin") else "not_org_admin")


def test_a_refusal_names_the_roles_that_may(company: Client) -> None:
    ida = company.as_person("ida@acme.com")
    answer = ida.write("PUT", "/v1/access/sso", {"name": "x"})
    assert answer.body["errors"][0]["description"] == "ida@acme.com is IT admin; this requires the role Org admin"
    biz = company.as_person("biz@acme.com").write("PUT", "/v1/access/defaults", {"role": "member"})
    assert "this requires the role Org admin or IT admin" in biz.body["errors"][0]["description"]


def test_the_org_lists_what_a_caller_may_do(company: Client) -> None:
    facts = {email: company.as_person(email).get("/v1/org") for email in ROLES}
    assert facts["org@acme.com"]["caller"]["rights"] == "admin"
    assert "org_role" not in facts["org@acme.com"]["caller"]
    assert facts["ida@acme.com"]["caller"] | {"scope": ""} == {
        "type": "person",
        "email": "ida@acme.com",
        "rights": "none",
        "org_role": "it_admin",
        "scope": "",
    }
    able = {email: set(answer["capabilities"]) for email, answer in facts.items()}
    assert able["org@acme.com"] >= WRITES
    assert able["ida@acme.com"] & WRITES == {"domains.create", "domains.update", "domains.delete", "defaults.update"}
    assert able["biz@acme.com"] == {"people.read", "people.search", "people.partitions"}
    assert able["odd@acme.com"] == set()


def test_capabilities_and_refusals_agree(company: Client) -> None:
    """What a caller is told that it may do is what it may do."""
    for email in ROLES:
        caller = company.as_person(email)
        able = set(caller.get("/v1/org")["capabilities"])
        for kind in ORG_KINDS:
            if not kind.keyed:
                refused = caller.write("PUT", kind.api_path, {}).status == 403
                assert refused != bool(able.intersection(kind.capabilities))


@pytest.mark.parametrize("email", ["old@acme.com", "odd@acme.com", "bo@acme.com"])
def test_no_role_without_rights_and_no_user_who_left_gets_in(company: Client, email: str) -> None:
    caller = company.as_person(email)
    assert caller.get("/v1/org")["capabilities"] == []
    assert caller.call("GET", "/v1/teams").key == "not_org_admin"


def test_users_state_their_role_and_what_an_invitation_asks_for(org: Client) -> None:
    invited: dict[str, Any] = {
        "email": "ivy@acme.com",
        "origin": "invite",
        "manual": [{"team": "Legal", "role": "member"}],
        "org_role": "business_admin",
        "seat": "pro",
        "billing_group": 'West "quoted"',
    }
    fill(org.db, people=[*SNAPSHOT["people"], invited])
    person = org.person("ivy@acme.com")
    assert {key: person[key] for key in ("org_role", "seat", "billing_group")} == {
        key: invited[key] for key in ("org_role", "seat", "billing_group")
    }
    assert not {"org_role", "seat", "billing_group"} & org.person("bo@acme.com").keys()
    assert org.get(f"/v1/people/{person['id']}/access")["org_role"] == "business_admin"


def test_org_admins_are_searched_at_org_level_too(company: Client) -> None:
    users = company.call("POST", "/v1/people/search", {"org_admins": True}).body["data"]
    assert {user["email"] for user in users} == {"ann@acme.com", "org@acme.com"}


@pytest.mark.parametrize(("email", "status"), [("org@acme.com", 200), ("ida@acme.com", 403), ("biz@acme.com", 403)])
def test_exports_are_for_org_admins(company: Client, email: str, status: int) -> None:
    headers = {"authorization": f"Bearer {make_token(company.db, 'admin', email=email).secret}"}
    audit = Request("GET", AUDIT_PATH.replace("{id}", "org_1"), headers=headers)
    usage = Request("GET", USAGE_PATH.replace("{id}", "org_1").replace("{scope}", "user"), headers=headers)
    assert (handle_export(audit, company.db).status, handle_usage(usage, company.db).status) == (status, status)


def test_the_standing_of_a_user_of_a_token(company: Client) -> None:
    users = ("ann", "org", "ida", "biz", "odd", "bo", "no")
    assert [standing(company.db, f"{user}@acme.com") for user in users] == [
        "org admin",
        "org admin",
        "limited",
        "limited",
        "no org admin",
        "no org admin",
        "nobody",
    ]
