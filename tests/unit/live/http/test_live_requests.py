"""Test a change as a request of the API contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.live.writes import NoSuchGroup, requests_of, with_headers
from rolecall.model.change import Action, Change
from rolecall.model.desired import Intent
from rolecall.model.live import Group
from rolecall.model.settings import Address, Defaults, Domain, GroupMapping, Scim, Sso, Value

GROUPS = {"A/B": Group("g 1/2"), "Legacy": Group("")}
MAPPING = GroupMapping("member", frozenset({"Legal", "IT"}))


def sent(at: str, action: Action, after: Value | None) -> tuple[str, str, Any, str]:
    means = requests_of(Change(Address(at), action, None, after), GROUPS)
    body = None if means.write.body is None else json.loads(means.write.body)
    return means.write.method, means.write.path, body, means.read.path


@pytest.mark.parametrize(
    "at, action, after, write",
    [
        (
            "domains/acme.com",
            "create",
            Domain(True),
            ("POST", "/v1/domains", {"name": "acme.com", "discoverable": True}, "/v1/domains/acme.com"),
        ),
        (
            "domains/acme.com",
            "update",
            Domain(join="approval"),
            ("PUT", "/v1/domains/acme.com", {"join": "approval"}, "/v1/domains/acme.com"),
        ),
        ("domains/acme.com", "delete", None, ("DELETE", "/v1/domains/acme.com", None, "/v1/domains/acme.com")),
        (
            "defaults",
            "update",
            Defaults("member"),
            ("PUT", "/v1/access/defaults", {"role": "member"}, "/v1/access/defaults"),
        ),
        ("sso", "update", Sso(metadata=None), ("PUT", "/v1/access/sso", {"metadata": None}, "/v1/access/sso")),
        (
            "scim",
            "update",
            Scim(enabled=True, role_attribute="x"),
            ("PUT", "/v1/access/scim", {"enabled": True}, "/v1/access/scim"),
        ),
        (
            "scim",
            "upgrade",
            Scim(endpoint="upgrading"),
            ("POST", "/v1/access/scim/upgrade", None, "/v1/access/scim"),
        ),
        (
            "scim",
            "upgrade",
            Scim(endpoint="new"),
            ("POST", "/v1/access/scim/upgrade/complete", None, "/v1/access/scim"),
        ),
        (
            "idp_groups/A/B",
            "create",
            MAPPING,
            (
                "PUT",
                "/v1/idp-groups/g%201%2F2/mapping",
                {"role": "member", "teams": ["IT", "Legal"]},
                "/v1/idp-groups/g%201%2F2",
            ),
        ),
        (
            "idp_groups/A/B",
            "delete",
            None,
            ("DELETE", "/v1/idp-groups/g%201%2F2/mapping", None, "/v1/idp-groups/g%201%2F2"),
        ),
    ],
    ids=range(10),
)
def test_each_change_is_one_request(at: str, action: Action, after: Value | None, write: Any) -> None:
    assert sent(at, action, after) == write


def test_only_a_claim_has_nothing_to_match() -> None:
    claim = Change(Address("domains/a.com"), "create", None, Domain())
    assert requests_of(claim, {}).creates
    assert not requests_of(Change(Address("idp_groups/A/B"), "create", None, MAPPING), GROUPS).creates


@pytest.mark.parametrize("name", ["Legacy", "Unknown"])
def test_a_group_that_the_org_has_not_told_of(name: str) -> None:
    with pytest.raises(NoSuchGroup):
        sent(f"idp_groups/{name}", "create", MAPPING)


def test_a_pinned_id_stands_in_for_a_group_that_was_not_read() -> None:
    change = Change(Address("idp_groups/Unknown"), "create", None, MAPPING, intent=Intent(id="g9"))
    assert requests_of(change, GROUPS).write.path == "/v1/idp-groups/g9/mapping"


def test_the_headers_of_a_write() -> None:
    write = requests_of(Change(Address("defaults"), "update", None, Defaults("member")), {}).write
    assert with_headers(write, "k", '"1"').headers == (
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
        ("if-match", '"1"'),
    )
    assert dict(with_headers(write, "k", None).headers).keys() == {"content-type", "idempotency-key"}
