"""The org itself, the caller and their capabilities; teams and roles, which this API only reads."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, and_, false, func, select, true

from rolecall.codec.api import encode_org, encode_role
from rolecall.codec.capabilities import AUDIT, PEOPLE, SEARCH, WRITES
from rolecall.localorg.api.call import Call, check_parameters
from rolecall.localorg.api.lists import list_table
from rolecall.localorg.store.tables import ROLES, TEAMS, USERS, AnyRow
from rolecall.localorg.web import Response, dump, json_response
from rolecall.model.kinds import KINDS
from rolecall.model.live import Caller, Facts
from rolecall.model.roles import Role

PARTITIONS = "people.partitions"
_READS = frozenset({PEOPLE, SEARCH, PARTITIONS, AUDIT})
_NEEDS_SCIM = frozenset(name for kind in KINDS if kind.feature == "scim" for name in kind.capabilities)


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
        caller=Caller(call.who.email, call.who.org_admin),
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
    if not call.who.org_admin:
        return frozenset()
    if call.who.scope != "write":
        return _READS
    denied = {"domains.create"} if call.who.email is None else set()
    if not call.org.scim_in_plan:
        denied |= _NEEDS_SCIM
    return (WRITES | _READS) - denied


_ETAG = '"1"'
"""The ETag of every team and role: they never change."""


def list_teams(call: Call, tx: Connection) -> Response:
    """List the teams, by id."""
    return list_table(call, tx, "teams", select(TEAMS), TEAMS.c.id, _team)


def list_roles(call: Call, tx: Connection) -> Response:
    """List the roles, by id."""
    return list_table(call, tx, "roles", select(ROLES), ROLES.c.id, _role)


def _team(row: AnyRow) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "etag": _ETAG}


def _role(row: AnyRow) -> dict[str, Any]:
    return {**encode_role(Role(row.id, row.name, "org" if row.level == "org" else "team")), "etag": _ETAG}
