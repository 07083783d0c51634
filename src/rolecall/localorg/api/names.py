"""Teams and roles: read-only, and never made or deleted by SCIM or by this API."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from rolecall.codec.api import encode_role
from rolecall.localorg.api.call import Call, check_parameters
from rolecall.localorg.api.lists import PARAMETERS, fetch, list_response, page_of
from rolecall.localorg.store.tables import ROLES, TEAMS
from rolecall.localorg.web import Response
from rolecall.model.roles import Role

_ETAG = '"1"'
"""Teams and roles never change once they are there."""


def read_teams(call: Call, tx: Connection) -> Response:
    """All teams, by id."""
    check_parameters(call, *PARAMETERS)
    page = page_of(call)
    found = fetch(tx, select(TEAMS), (TEAMS.c.id,), page, (page.cursor,) if page.cursor else None)
    total = tx.execute(select(func.count()).select_from(TEAMS)).scalar_one()
    items = [{"id": row.id, "name": row.name, "etag": _ETAG} for row in found.rows]
    return list_response(tx, "teams", items, [row.id for row in found.rows], found.has_more, total)


def read_roles(call: Call, tx: Connection) -> Response:
    """All roles, by id."""
    check_parameters(call, *PARAMETERS)
    page = page_of(call)
    found = fetch(tx, select(ROLES), (ROLES.c.id,), page, (page.cursor,) if page.cursor else None)
    total = tx.execute(select(func.count()).select_from(ROLES)).scalar_one()
    items = [
        {**encode_role(Role(row.id, row.name, "org" if row.level == "org" else "team")), "etag": _ETAG}
        for row in found.rows
    ]
    return list_response(tx, "roles", items, [row.id for row in found.rows], found.has_more, total)
