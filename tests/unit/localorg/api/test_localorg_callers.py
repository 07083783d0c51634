"""Test callers of the local org: who is admitted, what each may do, and the rate limit."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from org_client import Client
from sqlalchemy import select

from rolecall.localorg.api import handle as admit
from rolecall.localorg.manage import Knobs, make_token, set_knobs
from rolecall.localorg.store import tokens
from rolecall.localorg.store.tables import AUDIT, TOKENS, USERS
from rolecall.localorg.web import Request

LATER = datetime.now(UTC) + timedelta(hours=1)
EARLIER = datetime.now(UTC) - timedelta(seconds=1)


def bare(org: Client, authorization: str | None) -> tuple[int, str]:
    """Status and key of a read with this header, as over a socket."""
    headers = {} if authorization is None else {"authorization": authorization}
    answer = org.raw(Request("GET", "/v1/org", headers=headers))
    assert answer.status == 200 or answer.headers["www-authenticate"].startswith("Bearer")
    return answer.status, "" if answer.status == 200 else answer.key


def test_only_a_caller_in_this_process_needs_no_token(org: Client) -> None:
    assert org.get("/v1/org")["caller"] == {"type": "service", "email": None, "rights": "admin", "scope": "write"}
    assert bare(org, None) == (401, "no_token")


def test_a_token_in_this_process_counts_for_what_it_is(org: Client) -> None:
    assert Client(org.db, "rolecall_admin_wrong").call("GET", "/v1/org").key == "unknown_token"


@pytest.mark.parametrize(
    "said", ["Basic YTpi", "Bearer", "Bearer ", "token", "", "Bearer \udcff\x7f", "Bearer a, Bearer b"]
)
def test_what_is_no_bearer_token_is_refused(org: Client, said: str) -> None:
    assert bare(org, said)[0] == 401


def test_tokens_open_their_own_door_while_they_stand(org: Client) -> None:
    with org.db.write() as tx:
        good = tokens.issue_token(tx, "admin", expires=LATER)
        late = tokens.issue_token(tx, "admin", expires=EARLIER)
        other = tokens.issue_token(tx, "scim")
    assert bare(org, f"Bearer {good.secret}") == (200, "")
    assert bare(org, f"bearer   {good.secret}  ") == (200, "")
    assert bare(org, f"Bearer {late.secret}") == (401, "expired_token")
    assert bare(org, f"Bearer {other.secret}") == (401, "wrong_token")
    with org.db.read() as tx:
        assert tokens.check_token(tx, other.secret, "scim").id == other.token.id
        with pytest.raises(tokens.TokenRefused, match="scim"):
            tokens.check_token(tx, good.secret, "scim")
    with org.db.write() as tx:
        assert tokens.revoke_token(tx, good.token.id, "admin")
        assert not tokens.revoke_token(tx, good.token.id, "admin")
        assert not tokens.revoke_token(tx, other.token.id, "admin")
    assert bare(org, f"Bearer {good.secret}") == (401, "revoked_token")


def test_no_secret_is_kept_anywhere(org: Client) -> None:
    admin = make_token(org.db, "admin", email="ann@acme.com").secret
    scim = org.call("POST", "/v1/access/scim/token", {}, idempotency_key="k").body["token"]
    with org.db.read() as tx:
        rows = [repr(tx.execute(select(table)).all()) for table in (TOKENS, AUDIT, USERS)]
    for secret in (admin, scim):
        assert not any(secret in row for row in rows)
        assert secret not in repr(org.get("/v1/audit-log?limit=1000"))
        assert secret not in repr(org.get("/v1/access/scim"))


def test_no_secret_is_logged(org: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ann = org.as_person("ann@acme.com")
    ann.write("PUT", "/v1/access/sso", {"name": "x"})
    ann.call("GET", "/v1/nowhere")
    bare(org, "Bearer rolecall_admin_secret")
    assert ann.token
    assert ann.token not in caplog.text
    assert "rolecall_admin_secret" not in caplog.text


def test_a_scim_token_is_shown_once_and_two_stand_side_by_side(org: Client) -> None:
    first = org.call("POST", "/v1/access/scim/token", {"expires_at": LATER.isoformat()}, idempotency_key="k")
    again = org.call("POST", "/v1/access/scim/token", {"expires_at": LATER.isoformat()}, idempotency_key="k")
    assert first.body["token"].startswith("rolecall_scim_")
    assert again.body == {**first.body, "token": None}
    second = org.call("POST", "/v1/access/scim/token")
    assert [row["id"] for row in org.get("/v1/access/scim")["tokens"]] == [first.body["id"], second.body["id"]]
    assert org.call("POST", "/v1/access/scim/token").key == "two_tokens"
    path = f"/v1/access/scim/token/{first.body['id']}"
    assert org.call("DELETE", path).status == 428
    assert org.call("DELETE", path, if_match=first.headers["etag"]).body == {"id": first.body["id"], "deleted": True}
    assert org.write("DELETE", path).key == "no_such_token"
    assert org.call("POST", "/v1/access/scim/token").status == 201


@pytest.mark.parametrize("said", ["soon", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00", ""])
def test_a_token_expires_at_a_moment_still_to_come(org: Client, said: str) -> None:
    assert org.call("POST", "/v1/access/scim/token", {"expires_at": said}).status in (400, 422)


def test_an_admin_token_cannot_be_revoked_as_a_scim_token(org: Client) -> None:
    token = make_token(org.db, "admin").token
    assert org.write("DELETE", f"/v1/access/scim/token/{token.id}").key == "no_such_token"


def test_a_read_only_token_reads_everything_and_writes_nothing(org: Client) -> None:
    reader = org.as_person("ann@acme.com", scope="read")
    assert reader.get("/v1/people")["total"] == 7
    assert reader.get("/v1/org")["capabilities"] == ["audit.read", "people.partitions", "people.read", "people.search"]
    for method, path, body in (
        ("PUT", "/v1/access/sso", {"name": "x"}),
        ("POST", "/v1/domains", {"name": "acme.com"}),
        ("DELETE", "/v1/domains/acme.com", None),
        ("POST", "/v1/access/scim/token", None),
    ):
        assert reader.write(method, path, body).key == "read_only_token"


@pytest.mark.parametrize("email", ["bo@acme.com", "fay@acme.com", "nobody@acme.com"])
def test_a_caller_who_is_no_org_admin_is_refused_with_what_to_do(org: Client, email: str) -> None:
    caller = org.as_person(email)
    facts = caller.get("/v1/org")
    assert facts["caller"]["rights"] == "none"
    assert facts["capabilities"] == []
    for method, path in (("GET", "/v1/people"), ("GET", "/v1/access/sso"), ("PUT", "/v1/access/sso")):
        refused = caller.write(method, path, {"name": "x"} if method == "PUT" else None)
        assert (refused.status, refused.key) == (403, "not_org_admin")
    assert "org admin" in refused.body["errors"][0]["description"]


def test_rights_follow_the_settings_at_once(org: Client) -> None:
    ann = org.as_person("ANN@acme.com")
    assert ann.get("/v1/org")["caller"]["rights"] == "admin"
    org.write("DELETE", f"/v1/idp-groups/{org.group('Admins')['id']}/mapping")
    assert ann.get("/v1/org")["caller"]["rights"] == "none"


def test_whoever_opens_an_org_without_people_is_its_first_admin(new_org: Client) -> None:
    assert new_org.as_person("ann@acme.com").get("/v1/org")["caller"]["rights"] == "admin"
    assert new_org.as_person("bo@acme.com").get("/v1/org")["caller"]["rights"] == "none"
    assert new_org.get("/v1/org")["counts"] == {"people": 1, "active_people": 1}
    assert new_org.team_roles("ann@acme.com") == {("Everyone", "org_admin")}


def test_a_limit_holds_for_each_token_by_itself(org: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    set_knobs(org.db, Knobs(per_minute=3))
    clock = [100.0]
    monkeypatch.setattr(admit.time, "monotonic", lambda: clock[0])
    ann = org.as_person("ann@acme.com")
    left = [ann.call("GET", "/v1/teams").headers["x-ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    clock[0] += 20.5
    refused = ann.call("GET", "/v1/teams")
    assert (refused.status, refused.key) == (429, "too_many_requests")
    assert (refused.headers["retry-after"], refused.headers["retry-after-ms"]) == ("40", "40000")
    assert refused.headers["x-ratelimit-limit"] == "3"
    assert org.call("GET", "/v1/teams").status == 200
    clock[0] += 40
    assert ann.call("GET", "/v1/teams").status == 200


def test_refusals_carry_the_pace_too_and_no_limit_means_no_headers(org: Client) -> None:
    assert "x-ratelimit-limit" not in org.call("GET", "/v1/teams").headers
    set_knobs(org.db, Knobs(per_minute=100))
    assert org.call("GET", "/v1/nowhere").headers["x-ratelimit-limit"] == "100"
    assert org.get("/v1/org")["limits"] == {"page": 1000, "per_minute": 100}


def test_knobs_turn_what_they_name_and_no_more(org: Client) -> None:
    set_knobs(org.db, Knobs(page_limit=2))
    set_knobs(org.db, Knobs())
    assert org.get("/v1/org")["limits"] == {"page": 2, "per_minute": 0}
    assert len(org.get("/v1/people")["data"]) == 2
    assert org.call("GET", "/v1/people?limit=3").status == 400


def test_an_answer_takes_as_long_as_it_is_told(org: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rolecall.localorg.api import handle

    slept: list[float] = []
    monkeypatch.setattr(handle.time, "sleep", slept.append)
    set_knobs(org.db, Knobs(latency_ms=250))
    org.get("/v1/teams")
    assert slept == [0.25]
