"""Test If-Match, Idempotency-Key and the audit log, which all writes share."""

from __future__ import annotations

from typing import Any

import pytest
from org_client import Client

ITEMS = [
    ("PUT", "/v1/access/defaults", {"teams": ["Legal"]}),
    ("PUT", "/v1/access/sso", {"allow_passwords": False}),
    ("PUT", "/v1/access/scim", {"manual_editing": True}),
    ("PUT", "/v1/domains/acme.com", {"join": "immediate"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ITEMS)
def test_every_write_needs_the_etag_that_stands(org: Client, method: str, path: str, body: Any) -> None:
    before = org.get(path)
    missing = org.call(method, path, body)
    assert (missing.status, missing.body["tpe"]) == (428, "PreconditionRequired")
    stale = org.call(method, path, body, if_match='"0"')
    assert (stale.status, stale.body["tpe"], stale.headers["etag"]) == (412, "PreconditionFailed", before["etag"])
    assert org.get(path) == before
    done = org.call(method, path, body, if_match=before["etag"])
    assert done.status == 200
    assert done.headers["etag"] == done.body["etag"] != before["etag"]
    assert org.get(path) == done.body
    assert org.call(method, path, body, if_match=before["etag"]).status == 412


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("*", 200),
        ('"0", {etag}', 200),
        ('"a,b",{etag}', 200),
        ("{etag},", 400),
        ('"0" {etag}', 400),
        ("W/{etag}", 412),
        ("{etag}x", 400),
        ("7", 400),
        ('""', 412),
        ("", 400),
    ],
)
def test_if_match_is_read_as_rfc_9110_has_it(org: Client, said: str, status: int) -> None:
    etag = org.get("/v1/access/sso")["etag"]
    answer = org.call("PUT", "/v1/access/sso", {"name": "x"}, if_match=said.format(etag=etag))
    assert answer.status == status


def test_the_same_write_under_its_key_is_done_once(org: Client) -> None:
    etag = org.get("/v1/access/sso")["etag"]
    first = org.call("PUT", "/v1/access/sso", {"name": "a"}, if_match=etag, idempotency_key="k/1")
    org.write("PUT", "/v1/access/sso", {"name": "b"})
    again = org.call("PUT", "/v1/access/sso", {"name": "a"}, if_match=etag, idempotency_key="k/1")
    assert (again.status, again.body, again.headers["etag"]) == (200, first.body, first.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert org.get("/v1/access/sso")["name"] == "b"
    assert org.get("/v1/audit-log?key=k/1")["total"] == 1


def test_a_create_is_replayed_with_its_status_and_place(org: Client) -> None:
    ann = org.as_person("ann@acme.com")
    org.write("PUT", "/v1/access/scim", {"enabled": False})
    org.write("PUT", "/v1/access/sso", {"enabled": False})
    ann.write("DELETE", "/v1/domains/acme.com")
    first, again = (ann.call("POST", "/v1/domains", {"name": "acme.com"}, idempotency_key="k") for _ in range(2))
    assert (again.status, again.body, again.headers["location"]) == (201, first.body, "/v1/domains/acme.com")


def test_a_key_belongs_to_one_request_of_one_caller(org: Client) -> None:
    org.write("PUT", "/v1/access/sso", {"name": "a"}, idempotency_key="k")
    for client, path, body in (
        (org, "/v1/access/sso", {"name": "other"}),
        (org, "/v1/access/scim", {"name": "a"}),
        (org.as_person("ann@acme.com"), "/v1/access/sso", {"name": "a"}),
    ):
        refused = client.write("PUT", path, body, idempotency_key="k")
        assert (refused.status, refused.key) == (422, "idempotency_key_reused")


def test_a_refused_write_is_not_remembered(org: Client) -> None:
    assert org.write("PUT", "/v1/access/defaults", {"teams": ["Soon"]}, idempotency_key="k").status == 422
    assert org.get("/v1/audit-log?key=k")["total"] == 0
    assert org.write("PUT", "/v1/access/defaults", {"teams": ["Legal"]}, idempotency_key="k").status == 200


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "ümlaut", "tab\t"])
def test_a_key_is_visible_ascii(org: Client, key: str) -> None:
    assert org.write("PUT", "/v1/access/sso", {"name": "a"}, idempotency_key=key).key == "bad_idempotency_key"


def test_the_audit_log_tells_who_did_what(org: Client) -> None:
    ann = org.as_person("ann@acme.com")
    ann.write("PUT", "/v1/access/defaults", {"teams": ["Legal"]}, idempotency_key="rolecall/j/r/1")
    (event,) = org.get("/v1/audit-log?key=rolecall/j/r/1")["data"]
    assert event["actor"] == "ann@acme.com"
    assert (event["channel"], event["action"], event["address"]) == ("api", "update", "defaults")
    assert event["source_ip"] == "127.0.0.1"
    assert event["before"] == {"role": "member", "teams": ["Everyone"]}
    assert event["after"] == {"role": "member", "teams": ["Legal"]}


def test_the_audit_log_is_read_in_order_and_from_a_moment_on(org: Client) -> None:
    for name in "abc":
        org.write("PUT", "/v1/access/sso", {"name": name}, idempotency_key=name)
    log = org.get("/v1/audit-log?limit=100")
    events = [event for event in log["data"] if event["key"]]
    assert [event["key"] for event in events] == ["a", "b", "c"]
    at = events[0]["at"].replace("+", "%2B")
    assert [event["key"] for event in org.get(f"/v1/audit-log?since={at}")["data"]] == ["b", "c"]
    newest = org.get("/v1/audit-log?order=desc&limit=1")
    assert newest["data"][0]["key"] == "c"
    assert newest["has_more"]
    older = org.get(f"/v1/audit-log?order=desc&limit=1&after={newest['last_id']}")
    assert older["data"][0]["key"] == "b"
    assert org.call("GET", "/v1/audit-log?after=forged").key == "unknown_cursor"
    for since in ("yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00%2B23:59"):
        assert org.call("GET", f"/v1/audit-log?since={since}").status in (400, 422)
