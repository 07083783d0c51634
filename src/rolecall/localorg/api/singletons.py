"""Singletons such as ``sso`` and ``scim``, the upgrade of the SCIM endpoint, and its bearer tokens.

They are switched on and off in the order of R1 and R33; the upgrade cannot be undone (R20).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection, false, func, select

from rolecall.codec.api import Item, encode_item
from rolecall.codec.settings import decode_value, encode_settings
from rolecall.localorg.api.call import Call, Read, Write, Written, check_parameters
from rolecall.localorg.api.fields import Check, body_object, check_role, checks_of, known_teams, nullable, text
from rolecall.localorg.api.writes import check_match, etag
from rolecall.localorg.store import counters, state, tokens
from rolecall.localorg.store.singletons import Singleton, read_singleton, read_value, write_singleton
from rolecall.localorg.store.tables import DOMAINS, GROUPS
from rolecall.localorg.web import Response, json_response, refuse
from rolecall.model import normalise
from rolecall.model.kinds import BY_SECTION
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import Section, Value

ENDPOINT_PATH = "/api/scim/v2"
SCIM_FEATURE = "scim"


def reader(section: Section) -> Read:
    """Return what answers a read of a singleton."""
    return lambda call, tx: _read(call, tx, section)


def writer(section: Section) -> Write:
    """Return what changes a singleton: under its own rules, in the fields that the body names."""

    def write(call: Call, tx: Connection) -> Written:
        """Check the body against the section's rules and store it."""
        if BY_SECTION[section].feature == SCIM_FEATURE:
            require_scim_plan(call)
        stored, body = _begin(call, tx, section)
        match section:
            case "defaults":
                _check_defaults(tx, body)
            case "sso":
                _check_sso(tx, stored.value, body)
            case "scim":
                _check_scim(tx, stored.value, body)
        return _finish(call, tx, section, stored, body)

    return write


def _check_defaults(tx: Connection, body: dict[str, Any]) -> None:
    """Require one role that is not org admin, and at least one team that exists (R2, R3, R4)."""
    if "role" in body:
        check_role(tx, body["role"])
        if body["role"] == ORG_ADMIN:
            raise refuse(422, "default_org_admin", "The default role is member or team admin, never org admin (R3)")
    if "teams" in body:
        body["teams"] = known_teams(tx, body["teams"])


def _check_sso(tx: Connection, before: dict[str, Any], body: dict[str, Any]) -> None:
    """Require a claimed domain and the IdP's metadata to switch SSO on; refuse off while SCIM is on (R1, R33)."""
    if body.get("metadata"):
        body["metadata"] = normalise.metadata(body["metadata"]) or None
    after = {**before, **body}
    if after["enabled"] and not before["enabled"]:
        if not tx.execute(select(func.count()).select_from(DOMAINS)).scalar_one():
            raise refuse(409, "domain_first", "SSO needs a claimed domain; claim one first (R1)")
        if not after["metadata"]:
            raise refuse(
                422, "metadata_needed", "SSO cannot be switched on without the IdP's metadata (R33)", field="metadata"
            )
    if after["enabled"] and "metadata" in body and not body["metadata"]:
        raise refuse(422, "metadata_needed", "The metadata cannot be removed while SSO is on", field="metadata")
    if not after["enabled"] and read_value(tx, "scim")["enabled"]:
        raise refuse(409, "scim_is_on", "SSO cannot be off while SCIM is on; switch SCIM off first (R33)")


def _check_scim(tx: Connection, before: dict[str, Any], body: dict[str, Any]) -> None:
    """Require SSO to switch SCIM on; keep the settings in force while it is off (R1, R33)."""
    turned_on = body.get("enabled", before["enabled"])
    if turned_on and not read_value(tx, "sso")["enabled"]:
        raise refuse(409, "sso_first", "SCIM needs SSO; switch SSO on first (R1)")
    if before["enabled"] and not turned_on:
        state.keep_settings(tx)
    if turned_on:
        state.drop_kept_settings(tx)


def require_scim_plan(call: Call) -> None:
    """Require a plan tier with SCIM (R34). Raises Refusal 403."""
    if not call.org.scim_in_plan:
        raise refuse(
            403,
            "scim_not_in_plan",
            f"The plan of this org ({call.org.plan}) does not include SCIM; ask your CSM at WRITER to add it",
        )


def item(call: Call, tx: Connection, section: Section, stored: Singleton) -> dict[str, Any]:
    """Return a singleton as answers have it, with the values that only the org knows."""
    value = cast(Value, decode_value(section, stored.value))
    encoded = encode_item(section, Item(None, value, etag(stored.version)))
    match section:
        case "sso":
            return {**encoded, **_sso_extras(call)}
        case "scim":
            return {**encoded, **_scim_extras(call, tx, stored.value)}
        case _:
            return encoded


def _read(call: Call, tx: Connection, section: Section) -> Response:
    check_parameters(call)
    stored = read_singleton(tx, section)
    return json_response(200, item(call, tx, section, stored), (("ETag", etag(stored.version)),))


def _begin(call: Call, tx: Connection, section: Section) -> tuple[Singleton, dict[str, Any]]:
    check_parameters(call)
    stored = read_singleton(tx, section)
    check_match(call, etag(stored.version))
    return stored, body_object(call, checks_of(section))


def _finish(call: Call, tx: Connection, section: Section, stored: Singleton, body: dict[str, Any]) -> Written:
    after = write_singleton(tx, section, {**stored.value, **body})
    answer = item(call, tx, section, after)
    return Written(section, "update", stored.value, after.value, answer, etag(after.version))


def _base(call: Call) -> str:
    return f"http://{call.request.headers.get('host', 'localhost')}"


def _sso_extras(call: Call) -> dict[str, Any]:
    base = _base(call)
    return {
        "service_provider": {"entity_id": f"{base}/saml/{call.org.id}", "acs_url": f"{base}/saml/{call.org.id}/acs"}
    }


def _scim_extras(call: Call, tx: Connection, value: dict[str, Any]) -> dict[str, Any]:
    scim_tokens = [_used_token(token) for token in tokens.valid_tokens(tx, "scim")]
    extras: dict[str, Any] = {
        "unique_identifier": "email",
        "endpoint_url": f"{_base(call)}{ENDPOINT_PATH}",
        "tokens": scim_tokens,
    }
    if value["endpoint"] == "upgrading":
        groups = state.read_groups(tx, "upgrading").values()
        extras["legacy_groups"] = [
            {"id": group.id, "name": group.key, "teams": sorted(group.linked)} for group in groups if not group.pushed
        ]
    in_force = state.read_kept(tx)
    if in_force is not None:
        extras["kept"] = encode_settings(in_force)
    return extras


def start_upgrade(call: Call, tx: Connection) -> Written:
    """Empty the list of groups: each must be pushed again. Legacy access stays in force."""
    stored = _begin_upgrade(call, tx, "legacy", "The upgrade has already been started")
    tx.execute(GROUPS.delete().where(GROUPS.c.pushed == false()))  # teams that no IdP group is linked to
    tx.execute(GROUPS.update().values(pushed=False))
    return _finish_upgrade(call, tx, stored, "upgrading")


def complete_upgrade(call: Call, tx: Connection) -> Written:
    """Switch all users to the new endpoint at once; groups that were not pushed again are removed."""
    stored = _begin_upgrade(call, tx, "upgrading", "Only an upgrade that was started can be completed")
    tx.execute(GROUPS.delete().where(GROUPS.c.pushed == false()))
    return _finish_upgrade(call, tx, stored, "new")


def _begin_upgrade(call: Call, tx: Connection, expected: str, message: str) -> Singleton:
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


def _finish_upgrade(call: Call, tx: Connection, stored: Singleton, endpoint: str) -> Written:
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


def _used_token(token: tokens.Token) -> dict[str, Any]:
    shown = {name: value for name, value in _token_item(token).items() if name != "etag"}
    return {**shown, "last_used_at": token.used, "last_write_at": token.wrote}


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
