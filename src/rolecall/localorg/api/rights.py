"""Decides what a caller may do, by their role at org level (R34)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rolecall.codec.capabilities import AUDIT, PEOPLE, SEARCH, WRITES
from rolecall.localorg.api.call import Who
from rolecall.localorg.web import refuse
from rolecall.model.fields import Kind
from rolecall.model.kinds import ORG_KINDS
from rolecall.model.roles import BUSINESS_ADMIN, IT_ADMIN, ORG_ADMIN, ORG_ROLES

PARTITIONS: Final = "people.partitions"
READS: Final[Mapping[str, frozenset[str]]] = {
    ORG_ADMIN: frozenset({PEOPLE, SEARCH, PARTITIONS, AUDIT}),
    IT_ADMIN: frozenset({PEOPLE, SEARCH, PARTITIONS, AUDIT}),
    BUSINESS_ADMIN: frozenset({PEOPLE, SEARCH, PARTITIONS}),
}
"""The lists that a role may read. Who may read the audit log may read all settings."""
_USERS = ("/v1/people", "/v1/teams", "/v1/roles")
_SEARCH = "/v1/people/search"


def capabilities_of(role: str) -> frozenset[str]:
    """Return what a role may do, by the names in the contract; nothing for a role without rights."""
    changes = {name for kind in ORG_KINDS if role in kind.changed_by for name in kind.capabilities}
    return READS.get(role, frozenset()) | (WRITES & changes)


def require_right(who: Who, method: str, path: str) -> None:
    """Require that the caller may send a request to an address, as the table of addresses has it. Raises Refusal
    403."""
    if who.role == ORG_ADMIN:
        return
    if who.role not in READS:
        raise refuse(
            403,
            "not_org_admin",
            f"{who.name} is not an org admin; use an org admin's token, or ask an org admin to promote them",
        )
    kind = _kind_at(path)
    reads = method == "GET" or path == _SEARCH
    if reads and (path.startswith(_USERS) or AUDIT in READS[who.role]):
        return
    if not reads and kind is not None and who.role in kind.changed_by:
        return
    able = " or ".join(ORG_ROLES[role].name for role in (kind.changed_by if kind else (ORG_ADMIN,)))
    raise refuse(403, "role_not_allowed", f"{who.name} is {ORG_ROLES[who.role].name}; this requires the role {able}")


def _kind_at(path: str) -> Kind | None:
    """Return the kind of the settings at an address; None for another address."""
    return next((kind for kind in ORG_KINDS if path.startswith(kind.api_path)), None)
