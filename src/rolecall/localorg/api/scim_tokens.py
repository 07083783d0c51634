"""SCIM bearer tokens: shown once; two may stand side by side, for a rotation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from rolecall.localorg.api.call import Call, Written, check_parameters
from rolecall.localorg.api.fields import Check, body_object, nullable, text
from rolecall.localorg.api.singletons import require_scim_plan
from rolecall.localorg.api.writes import check_match
from rolecall.localorg.store import tokens
from rolecall.localorg.web import refuse

SIDE_BY_SIDE = 2

_ETAG = '"1"'
"""A token never changes: it is made and it goes."""

_FIELDS: dict[str, Check] = {"expires_at": nullable(text(40, 1))}


def create_token(call: Call, tx: Connection) -> Written:
    """Make a SCIM token. Its secret is in this one answer; a replay of the request does not show it again."""
    check_parameters(call)
    require_scim_plan(call)
    body = body_object(call, _FIELDS) if call.request.body else {}
    if len(tokens.standing(tx, "scim")) >= SIDE_BY_SIDE:
        raise refuse(409, "two_tokens", "Two SCIM tokens stand already; delete the one that is no longer used")
    issued = tokens.issue(tx, "scim", expires=_expiry(body.get("expires_at")))
    shown = _item(issued.token)
    answer, replayed = {**shown, "token": issued.secret}, {**shown, "token": None}
    location = f"/v1/access/scim/token/{issued.token.id}"
    return Written(f"tokens/{issued.token.id}", "create", None, shown, answer, _ETAG, 201, location, replayed=replayed)


def delete_token(call: Call, tx: Connection) -> Written:
    """Revoke a SCIM token at once."""
    check_parameters(call)
    wanted = call.params["id"]
    standing = next((token for token in tokens.standing(tx, "scim") if token.id == wanted), None)
    if standing is None:
        raise refuse(404, "no_such_token", "No SCIM token stands under this id")
    check_match(call, _ETAG)
    tokens.revoke(tx, wanted, "scim")
    return Written(f"tokens/{wanted}", "delete", _item(standing), None, {"id": wanted, "deleted": True})


def _item(token: tokens.Token) -> dict[str, Any]:
    return {"id": token.id, "created_at": token.created, "expires_at": token.expires, "etag": _ETAG}


def _expiry(said: str | None) -> datetime | None:
    if said is None:
        return None
    try:
        at = datetime.fromisoformat(said)
        late = at.tzinfo is None or at.astimezone(UTC) <= datetime.now(UTC)
    except (ValueError, OverflowError):
        late = True
    if late:
        raise refuse(422, "bad_expiry", "`expires_at` must be an RFC 3339 time with its zone, still to come")
    return at
