"""The SCIM endpoint: its upgrade in two steps, which cannot be undone (R20), and its bearer tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, false

from rolecall.localorg.api.call import Call, Written, check_parameters
from rolecall.localorg.api.fields import Check, body_object, nullable, text
from rolecall.localorg.api.singletons import item, require_scim_plan
from rolecall.localorg.api.writes import check_match, etag
from rolecall.localorg.store import counters, tokens
from rolecall.localorg.store.singletons import Singleton, read_singleton, write_singleton
from rolecall.localorg.store.tables import GROUPS
from rolecall.localorg.web import refuse


def start_upgrade(call: Call, tx: Connection) -> Written:
    """Empty the list of groups: each must be pushed again. Legacy access stays in force."""
    stored = _begin(call, tx, "legacy", "The upgrade has already been started")
    tx.execute(GROUPS.delete().where(GROUPS.c.pushed == false()))  # teams that no IdP group is linked to
    tx.execute(GROUPS.update().values(pushed=False))
    return _finish(call, tx, stored, "upgrading")


def complete_upgrade(call: Call, tx: Connection) -> Written:
    """Switch all users to the new endpoint at once; groups that were not pushed again are removed."""
    stored = _begin(call, tx, "upgrading", "Only an upgrade that was started can be completed")
    tx.execute(GROUPS.delete().where(GROUPS.c.pushed == false()))
    return _finish(call, tx, stored, "new")


def _begin(call: Call, tx: Connection, expected: str, message: str) -> Singleton:
    check_parameters(call)
    require_scim_plan(call)
    stored = read_singleton(tx, "scim")
    check_match(call, etag(stored.version))
    if call.request.body:
        body_object(call, {})
    endpoint = stored.value["endpoint"]
    if endpoint != expected:
        raise refuse(409, "wrong_endpoint", f"{message}; the endpoint is `{endpoint}` (R20)", endpoint=endpoint)
    if not stored.value["enabled"]:
        raise refuse(409, "scim_first", "The endpoint cannot be upgraded while SCIM is off; switch SCIM on first (R20)")
    return stored


def _finish(call: Call, tx: Connection, stored: Singleton, endpoint: str) -> Written:
    after = write_singleton(tx, "scim", {**stored.value, "endpoint": endpoint})
    counters.bump(tx, "idp_groups")
    counters.bump(tx, "people")
    answer = item(call, tx, "scim", after)
    return Written("scim", "upgrade", stored.value, after.value, answer, etag(after.version))


SIDE_BY_SIDE = 2

_ETAG = '"1"'
"""The ETag of every token: a token is created and deleted, never changed."""

_FIELDS: dict[str, Check] = {"expires_at": nullable(text(40, 1))}


def create_token(call: Call, tx: Connection) -> Written:
    """Create a SCIM token. Its secret is in this one answer; a replay of the request does not show it again."""
    check_parameters(call)
    require_scim_plan(call)
    body = body_object(call, _FIELDS) if call.request.body else {}
    if len(tokens.valid_tokens(tx, "scim")) >= SIDE_BY_SIDE:
        raise refuse(409, "two_tokens", "There are already two SCIM tokens; delete the one that is no longer used")
    issued = tokens.issue_token(tx, "scim", expires=_expiry(body.get("expires_at")))
    shown = _token_item(issued.token)
    answer, replayed = {**shown, "token": issued.secret}, {**shown, "token": None}
    location = f"/v1/access/scim/token/{issued.token.id}"
    return Written(f"tokens/{issued.token.id}", "create", None, shown, answer, _ETAG, 201, location, replayed=replayed)


def delete_token(call: Call, tx: Connection) -> Written:
    """Revoke a SCIM token at once."""
    check_parameters(call)
    token_id = call.params["id"]
    standing = next((token for token in tokens.valid_tokens(tx, "scim") if token.id == token_id), None)
    if standing is None:
        raise refuse(404, "no_such_token", "There is no SCIM token with this id")
    check_match(call, _ETAG)
    tokens.revoke_token(tx, token_id, "scim")
    return Written(f"tokens/{token_id}", "delete", _token_item(standing), None, {"id": token_id, "deleted": True})


def _token_item(token: tokens.Token) -> dict[str, Any]:
    return {"id": token.id, "created_at": token.created, "expires_at": token.expires, "etag": _ETAG}


def _expiry(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        late = at.tzinfo is None or at.astimezone(UTC) <= datetime.now(UTC)
    except (ValueError, OverflowError):
        late = True
    if late:
        raise refuse(422, "bad_expiry", "`expires_at` must be an RFC 3339 time with a time zone, in the future")
    return at
