"""Who is let in: SCIM tokens only, standing ones, and only while SCIM is on."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from scim_org import USER, Client, configure, new_token, read

from rolecall.localorg.scim.handle import PREFIX, handle_scim
from rolecall.localorg.store import Database, tokens
from rolecall.localorg.web import Request


def test_without_a_token_nothing_but_the_configuration(scim_db: Database) -> None:
    for header in ({}, {"authorization": "Basic abc"}, {"authorization": "Bearer"}, {"authorization": "Bearer  "}):
        answer = read(handle_scim(Request("GET", f"{PREFIX}/Users", headers=header), scim_db))
        assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="SCIM"')
        assert answer.body["status"] == "401"
        assert read(handle_scim(Request("GET", f"{PREFIX}/ServiceProviderConfig"), scim_db)).status == 200


def test_embedded_use_needs_no_token(scim_db: Database) -> None:
    request = Request("GET", f"{PREFIX}/Users", embedded=True)
    assert read(handle_scim(request, scim_db)).status == 200
    with_a_bad_one = Request("GET", f"{PREFIX}/Users", headers={"authorization": "Bearer x"}, embedded=True)
    assert read(handle_scim(with_a_bad_one, scim_db)).status == 401


def test_an_admin_token_opens_the_other_door(scim_db: Database) -> None:
    answer = Client(scim_db, new_token(scim_db, "admin")).get("/Users")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="SCIM"')
    assert "admin" in answer.body["detail"]


def test_unknown_expired_and_revoked_tokens(scim_db: Database) -> None:
    old = new_token(scim_db, "scim", expires=datetime.now(UTC) - timedelta(seconds=1))
    soon = new_token(scim_db, "scim", expires=datetime.now(UTC) + timedelta(hours=1))
    with scim_db.write() as tx:
        issued = tokens.issue_token(tx, "scim")
        tokens.revoke_token(tx, issued.token.id, "scim")
    for bad in ("rolecall_scim_unknown", old, issued.secret, "\udcff\x7f"):
        assert Client(scim_db, bad).get("/Users").status == 401
    assert Client(scim_db, soon).get("/Users").status == 200


def test_two_tokens_side_by_side_during_a_rotation(scim_db: Database) -> None:
    first, second = Client(scim_db), Client(scim_db)
    one = first.user("ann@acme.com")
    assert second.get(f"/Users/{one}").status == 200


def test_a_reading_token_writes_nothing(scim_db: Database) -> None:
    scim = Client(scim_db, new_token(scim_db, "scim", scope="read"))
    assert scim.get("/Users").status == 200
    assert (
        scim.post("/Users/.search", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}).status == 200
    )
    assert scim.post("/Users", {"schemas": [USER], "userName": "x"}).status == 403
    assert scim.delete("/Users/x").status == 403


def test_while_scim_is_off_nothing_moves(scim: Client) -> None:
    """R33."""
    ann = scim.user("ann@acme.com")
    configure(scim.db, enabled=False)
    for answer in (scim.get("/Users"), scim.delete(f"/Users/{ann}")):
        assert answer.status == 403
        assert "SCIM is off" in answer.body["detail"]
    configure(scim.db, enabled=True)
    assert scim.get(f"/Users/{ann}").status == 200


def test_no_token_and_no_body_in_the_log(scim: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        scim.user("ann@acme.com", password="p4ss-SECRET")
        scim.post("/Users", b'{"userName": "p4ss-SECRET"')
        Client(scim.db, "rolecall_scim_WRONG").get("/Users")
    for record in caplog.records:
        said = record.getMessage()
        assert "SECRET" not in said
        assert scim.token not in said
        assert "WRONG" not in said


def test_successful_uses_of_a_token_are_recorded(scim_db: Database) -> None:
    client = Client(scim_db)

    def uses() -> tuple[str | None, str | None]:
        with scim_db.read() as tx:
            (token,) = tokens.valid_tokens(tx, "scim")
        return token.used, token.wrote

    assert client.get("/Users/unknown").status == 404
    assert uses() == (None, None)
    client.get("/Users")
    used, wrote = uses()
    assert used is not None
    assert wrote is None
    client.user("ann@acme.com")
    used, wrote = uses()
    assert used is not None
    assert used == wrote
    client.get("/Users")
    assert uses() == (used, wrote), "at most four times a second"
