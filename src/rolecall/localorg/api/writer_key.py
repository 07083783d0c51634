"""Admits requests for WRITER's own read-only APIs, which a local org serves with the same rules for keys."""

from __future__ import annotations

from typing import NamedTuple

from rolecall.localorg.api.call import OrgRow, decode_path
from rolecall.localorg.api.handle import Route, admit, keep_pace, org_row
from rolecall.localorg.api.rights import require_right
from rolecall.localorg.store import Database
from rolecall.localorg.web import Request, Router, refuse


class Admitted(NamedTuple):
    """A request that may be answered: the values in its path, the org's row, and the headers about its rate limit."""

    params: dict[str, str]
    org: OrgRow
    pace: tuple[tuple[str, str], ...]


def admit_key(request: Request, db: Database, router: Router[Route]) -> Admitted:
    """Return an admitted request, whose path has the organization as ``{id}``. Raises Refusal."""
    match = router.find(request.method, decode_path(request.path))
    if match is None and router.methods(decode_path(request.path)):
        raise refuse(405, "method_not_allowed", "This address supports GET")
    if match is None:
        raise refuse(404, "no_such_address", "There is nothing at this address")
    with db.read() as tx:
        who, org = admit(tx, request), org_row(tx)
    pace = keep_pace(db, who, org)
    require_right(who, "POST", "/v1")
    if match[1]["id"] != org.id:
        raise refuse(403, "other_organization", "This key belongs to another organization")
    return Admitted(match[1], org, pace)
