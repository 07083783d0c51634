"""Test responses that cannot be used: a problem with a code, the server's reason, and the action to take."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.codec.api import encode_error
from rolecall.errors import OrgError
from rolecall.live.http.refusals import (
    GRAPH,
    LONGEST_TEXT,
    NOT_IN_PLAN,
    OKTA,
    ORG,
    SCIM,
    EndpointMessages,
    ReadRefused,
    accepted,
    contract,
    decoded,
    refusal,
)
from rolecall.live.http.transport import Answer, Request

REQUEST = Request("GET", "/v1/access/scim")
REASON = "because of reasons"
SERVERS = pytest.mark.parametrize("messages", [ORG, SCIM, OKTA, GRAPH])


def answer(status: int, body: Any = None) -> Answer:
    return Answer(status, {}, json.dumps(body if body is not None else encode_error("Tpe", REASON)).encode())


@SERVERS
@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (400, "400", False),
        (401, "unauthorized", True),
        (403, "forbidden", True),
        (404, "404", False),
        (429, "busy", True),
        (500, "failed", True),
        (503, "failed", True),
        (418, "418", False),
    ],
)
def test_each_status_has_its_code_with_the_name_and_the_reason_of_the_server(
    messages: EndpointMessages, status: int, code: str, hint: bool
) -> None:
    problem = refusal(REQUEST, answer(status), messages)
    assert problem.code == f"{messages.code}_{code}"
    assert messages.name in problem.message
    assert problem.message.endswith(f": {REASON}")
    assert problem.where is None
    assert (problem.hint is not None) is hint
    if status in (401, 403):
        assert problem.hint == {401: messages.token, 403: messages.rights}[status]


@pytest.mark.parametrize(
    "body",
    [
        encode_error("Tpe", REASON),
        {"detail": REASON, "status": "404"},
        {"errors": [{"description": "because"}, {"description": 3}, "text"], "detail": "of reasons"},
    ],
)
def test_the_reason_is_that_of_the_contract_or_of_scim(body: Any) -> None:
    assert refusal(REQUEST, answer(404, body)).message.partition(": ")[2] in (REASON, "because")


@pytest.mark.parametrize("data", [b"", b"<html>no</html>", b"[]", b"3", b"{}", b'{"errors": "no"}', b'{"detail": 3}'])
def test_a_response_without_a_reason_has_none(data: bytes) -> None:
    message = refusal(REQUEST, Answer(404, {}, data)).message
    assert message == f"the org refused {REQUEST} with 404" + (": 3" if b"detail" in data else "")


def test_only_403_with_the_key_of_the_plan_tier_says_that_scim_is_not_in_it() -> None:
    body = encode_error("Forbidden", REASON, NOT_IN_PLAN)
    problem = refusal(REQUEST, answer(403, body))
    assert problem.code == NOT_IN_PLAN
    assert problem.message.endswith(f": {REASON}")
    assert problem.hint
    assert refusal(REQUEST, answer(400, body)).code == "org_400"


@pytest.mark.parametrize("status", [429, 503])
def test_how_long_a_busy_server_asks_to_wait_is_told(status: int) -> None:
    assert "7 s" in refusal(REQUEST, Answer(status, {"retry-after": "7"}, b"{}")).message
    assert " s)" not in refusal(REQUEST, answer(status)).message


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://user:canary@evil.example/x?token=canary", "https://evil.example"),
        ("/v2/access", "another path"),
        ("", "another path"),
        ("https://[broken", "an invalid location"),
    ],
)
def test_a_redirect_names_its_target_without_what_may_be_secret(location: str, shown: str) -> None:
    problem = refusal(REQUEST, Answer(302, {"location": location}, b""), SCIM)
    assert problem.code == "scim_redirect"
    assert problem.message.endswith(shown)
    assert "canary" not in str(problem)
    assert SCIM.setting in (problem.hint or "")


def test_a_long_reason_is_cut_and_put_on_one_line() -> None:
    long = refusal(REQUEST, answer(404, encode_error("Tpe", "a\nb\x00" + "x" * 999))).message
    assert len(long) < LONGEST_TEXT + 100
    assert long.isprintable()
    assert "a b" in long


def test_what_is_not_as_the_contract_says_names_what_is_wrong() -> None:
    def wrong(error: Exception) -> str:
        def decode() -> None:
            raise error

        with pytest.raises(OrgError) as caught:
            decoded(REQUEST, decode, SCIM)
        (problem,) = caught.value.problems
        assert problem.code == "scim_contract"
        assert str(REQUEST) in problem.message
        assert SCIM.setting in (problem.hint or "")
        return problem.message

    assert "`etag` is missing" in wrong(KeyError("etag"))
    assert "3 is no text" in wrong(ValueError("3 is no text"))
    kinds = {wrong(kind()) for kind in (TypeError, AttributeError, ZeroDivisionError, IndexError, RecursionError)}
    assert len(kinds) == 1
    assert contract(REQUEST, "why", ORG).problems[0].hint != contract(REQUEST, "why", OKTA).problems[0].hint


def test_an_answer_is_accepted_by_its_status_and_only_as_json() -> None:
    assert accepted(REQUEST, Answer(200, {}, b'{"a": 1}')) == {"a": 1}
    with pytest.raises(OrgError, match=r"text/html, 2 bytes"):
        accepted(REQUEST, Answer(200, {"content-type": "text/html; charset=utf-8"}, b"<>"))
    with pytest.raises(OrgError, match="no content type"):
        accepted(REQUEST, Answer(200, {}, b"<>"))
    with pytest.raises(ReadRefused) as refused:
        accepted(REQUEST, answer(403, encode_error("Forbidden", REASON, NOT_IN_PLAN)), SCIM)
    assert (refused.value.status, refused.value.code) == (403, NOT_IN_PLAN)
