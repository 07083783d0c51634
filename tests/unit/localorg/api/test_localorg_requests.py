"""Test invalid requests: each is refused as the contract says, and none causes a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from org_client import Client
from sqlalchemy.exc import OperationalError

from rolecall.localorg.api import handle as handle_module
from rolecall.localorg.api.call import BODY_LIMIT
from rolecall.localorg.api.handle import ROUTER
from rolecall.localorg.store import Busy
from rolecall.localorg.web import Request

JSON = {"content-type": "application/json", "if-match": "*"}


def put(org: Client, body: bytes, **headers: str) -> tuple[int, str]:
    """Status and key of a PUT of raw bytes."""
    sent = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = org.raw(Request("PUT", "/v1/access/sso", headers=sent, body=body, embedded=True))
    return answer.status, answer.key


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "bad_json")),
        (b"{", (400, "bad_json")),
        (b"null", (400, "not_an_object")),
        (b'{"name": NaN}', (400, "bad_json")),
        (b'{"name": "a", "name": "b"}', (400, "bad_json")),
        (b'{"name": "\xff"}', (400, "bad_text")),
        (b'\xff\xfe{"name"', (400, "bad_text")),
        (b'{"name": "a\\u0000b"}', (400, "bad_text")),
        (b'{"name": "\\ud800"}', (400, "bad_text")),
        (b'{"na\\u0000me": "x"}', (400, "bad_text")),
        (b'{"name": "\\ud83d\\ude00' + b"x" * 300 + b'"}', (400, "bad_field")),
        (b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}", (400, "too_deep")),
        (b"[" * 100_000, (400, "too_deep")),
        (b'{"name": ' + b"9" * 5000 + b"}", (400, "bad_json")),
        (b'{"name": "' + b"x" * BODY_LIMIT + b'"}', (413, "too_large")),
    ],
)
def test_a_body_that_is_no_body(org: Client, body: bytes, expected: tuple[int, str]) -> None:
    assert put(org, body) == expected


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "text/plain"}, 415),
        ({"content_type": ""}, 415),
        ({"content_type": "application/json; charset=utf-16"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": "application/json, text/html"}, 415),
        ({"content_encoding": "gzip"}, 415),
        ({"content_encoding": "br"}, 415),
    ],
)
def test_a_body_in_another_form_is_not_taken(org: Client, headers: dict[str, str], status: int) -> None:
    assert put(org, b'{"name": "x"}', **headers)[0] == status


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_may_say_its_charset(org: Client, kind: str) -> None:
    assert org.write("PUT", "/v1/access/sso", {"name": "x"}, content_type=kind).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/org/", 404),
        ("GET", "/v1/domains/", 404),
        ("GET", "/v1/domains/a/b", 404),
        ("GET", "/v1/domains/%00", 400),
        ("GET", "/v1/domains/%ff", 400),
        ("GET", "/v1/domains/..%2f..%2fetc", 404),
        ("GET", "/v1/idp-groups/%27%20OR%201=1--", 404),
        ("GET", "/v1/people/" + "x" * 5000 + "/access", 404),
        ("PATCH", "/v1/org", 405),
        ("HEAD", "/v1/org", 405),
        ("POST", "/v1/people", 405),
        ("BREW", "/v1/teams", 405),
    ],
)
def test_an_address_that_is_none(org: Client, method: str, path: str, status: int) -> None:
    assert org.raw(Request(method, path, embedded=True)).status == status


def test_405_says_what_the_address_takes(org: Client) -> None:
    answer = org.raw(Request("PATCH", "/v1/domains/acme.com", embedded=True))
    assert answer.headers["allow"] == "DELETE, GET, PUT"


def test_every_refusal_is_in_the_contracts_words(org: Client) -> None:
    answers = [
        org.call("GET", "/v1/nowhere"),
        org.call("GET", "/v1/people?limit=0"),
        Client(org.db, "x").call("GET", "/v1/org"),
    ]
    for answer in answers:
        assert set(answer.body) == {"tpe", "errors", "extras"}
        assert all(set(fault) == {"description", "key", "extras"} for fault in answer.body["errors"])
        assert answer.headers["content-type"] == "application/json"


def test_a_database_that_is_busy_says_when_to_come_again(org: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> Any:
        raise Busy("busy")

    monkeypatch.setattr(handle_module, "perform", busy)
    answer = org.write("PUT", "/v1/access/sso", {"name": "x"})
    assert (answer.status, answer.key, answer.headers["retry-after"]) == (503, "busy", "1")


def test_a_database_that_fails_is_logged_and_told_without_its_words(
    org: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "".join(("hu", "sh"))

    def full(*_: Any) -> Any:
        raise OperationalError("INSERT", {"name": secret}, ValueError("disk is full"), hide_parameters=True)

    monkeypatch.setattr(handle_module, "perform", full)
    answer = org.write("PUT", "/v1/access/sso", {"name": "x"})
    assert (answer.status, answer.key) == (500, "database")
    assert "disk" not in json.dumps(answer.body)
    assert "disk is full" in caplog.text
    assert secret not in caplog.text


def test_what_goes_to_the_database_is_never_in_its_errors(org: Client) -> None:
    assert org.db.engine.hide_parameters


def test_arbitrary_requests_are_answered_and_never_with_a_5xx(org: Client) -> None:
    texts = st.text(max_size=20)
    paths = st.sampled_from([route.path.replace("{id}", "x").replace("{name}", "acme.com") for route in ROUTER.routes])
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=8,
    )
    names = st.sampled_from(["enabled", "name", "idp", "role", "teams", "join", "groups", "emails", "metadata"]) | texts

    objects = st.dictionaries(names, values, max_size=4)

    @given(
        method=st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
        path=paths | texts.map(lambda text: f"/v1/{text}"),
        query=st.just("") | texts,
        body=st.binary(max_size=30) | objects.map(lambda said: json.dumps(said).encode()),
        match=st.sampled_from(["*", '"1"', "junk"]),
    )
    def one(method: str, path: str, query: str, body: bytes, match: str) -> None:
        headers = {"content-type": "application/json", "if-match": match}
        answer = org.raw(Request(method, path, query, headers, body, embedded=True))
        assert answer.status < 500

    one()
