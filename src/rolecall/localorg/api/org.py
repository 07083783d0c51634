"""The parts of the org that this API only reads: the org and its caller, teams, roles, the audit log."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Select, and_, false, func, select, true

from rolecall.codec.api import encode_org, encode_role
from rolecall.localorg.api.call import Call, check_parameters
from rolecall.localorg.api.lists import PARAMETERS, fetch, list_response, list_table, page_of
from rolecall.localorg.api.rights import READS, capabilities_of
from rolecall.localorg.store import tables
from rolecall.localorg.store.keys import stamp
from rolecall.localorg.store.tables import ROLES, TEAMS, USERS, AnyRow
from rolecall.localorg.web import Response, dump, json_response, refuse
from rolecall.model.kinds import ORG_KINDS
from rolecall.model.live import Caller, Facts
from rolecall.model.roles import Role

_NEEDS_SCIM = frozenset(name for kind in ORG_KINDS if kind.feature == "scim" for name in kind.capabilities)


def read_org(call: Call, tx: Connection) -> Response:
    """Return the org's facts for this caller; the only address that a caller without rights may read (R34)."""
    check_parameters(call)
    present = and_(USERS.c.active == true(), USERS.c.pending == false())
    people, active = tx.execute(select(func.count(), func.count().filter(present)).select_from(USERS)).one()
    facts = Facts(
        org_id=call.org.id,
        org_name=call.org.name,
        plan=call.org.plan,
        local=True,
        caller=Caller(call.who.email, call.who.org_admin, "" if call.who.org_admin else call.who.role),
        can=capabilities(call),
        features=frozenset({"scim"} if call.org.scim_in_plan else ()),
        people=people,
        active_people=active,
        limits={"page": call.org.page_limit, "per_minute": call.org.per_minute},
    )
    body = encode_org(facts)
    body["caller"]["scope"] = call.who.scope
    etag = f'"{sha256(dump(body).encode()).hexdigest()[:16]}"'
    return json_response(200, {**body, "etag": etag}, (("ETag", etag),))


def capabilities(call: Call) -> frozenset[str]:
    """Return the actions that this caller may take. Only a user may claim a domain, and only their own."""
    if call.who.scope != "write":
        return READS.get(call.who.role, frozenset())
    denied = {"domains.create"} if call.who.email is None else set()
    if not call.org.scim_in_plan:
        denied |= _NEEDS_SCIM
    return capabilities_of(call.who.role) - denied


_ETAG = '"1"'
"""The ETag of every team and role: they never change."""


def list_teams(call: Call, tx: Connection) -> Response:
    """List the teams, by id."""
    return list_table(call, tx, "teams", select(TEAMS), TEAMS.c.id, _team)


def list_roles(call: Call, tx: Connection) -> Response:
    """List the roles, by id."""
    return list_table(call, tx, "roles", select(ROLES), ROLES.c.id, _role)


def _team(team: AnyRow) -> dict[str, Any]:
    return {"id": team.id, "name": team.name, "etag": _ETAG}


def _role(role: AnyRow) -> dict[str, Any]:
    return {**encode_role(Role(role.id, role.name, "org" if role.level == "org" else "team")), "etag": _ETAG}


def list_audit_log(call: Call, tx: Connection) -> Response:
    """List all writes, oldest first; ``key`` finds the one under an Idempotency-Key, ``since`` those after a time."""
    check_parameters(call, *PARAMETERS, "key", "since")
    page = page_of(call)
    selected = _filtered(call, select(tables.AUDIT))
    position = None if page.cursor is None else (_position(tx, page.cursor),)
    return list_response(
        tx, "audit", selected, tables.AUDIT.c.id, _item, fetch(tx, selected, (tables.AUDIT.c.seq,), page, position)
    )


def _filtered(call: Call, selected: Select[Any]) -> Select[Any]:
    if "key" in call.query:
        selected = selected.where(tables.AUDIT.c.key == call.query["key"])
    if "since" in call.query:
        selected = selected.where(tables.AUDIT.c.at > _since(call.query["since"]))
    return selected


def _since(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None:
        raise refuse(400, "bad_parameter", "`since` must be an RFC 3339 time with a time zone", field="since")
    try:
        return stamp(at)
    except OverflowError as error:
        raise refuse(422, "bad_parameter", "`since` is out of range", field="since") from error


def _position(tx: Connection, cursor: str) -> int:
    seq = tx.execute(select(tables.AUDIT.c.seq).where(tables.AUDIT.c.id == cursor)).scalar()
    if seq is None:
        raise refuse(422, "unknown_cursor", "The cursor is not one that this org gave out")
    return int(seq)


def _item(entry: AnyRow) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": entry.actor,
        "channel": entry.channel,
        "action": entry.action,
        "address": entry.address,
        "before": None if entry.before is None else json.loads(entry.before),
        "after": None if entry.after is None else json.loads(entry.after),
        "key": entry.key,
        "source_ip": entry.source_ip,
    }
