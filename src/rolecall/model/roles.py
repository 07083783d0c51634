"""Defines role names: ids as in files, names as in the console, and the ranking of R9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

ORG_ADMIN: Final = "org_admin"
IT_ADMIN: Final = "it_admin"
BUSINESS_ADMIN: Final = "business_admin"
TEAM_ADMIN: Final = "team_admin"
MEMBER: Final = "member"

RANK: Final[Mapping[str, int]] = {MEMBER: 1, TEAM_ADMIN: 2, ORG_ADMIN: 3}
"""The three ranked roles; other roles cannot be compared (R32)."""


class Role(NamedTuple):
    """A role of the org: its id, its name in the console, and where it applies."""

    id: str
    name: str
    level: Literal["org", "team"] = "team"


BUILT_IN: Final[Mapping[str, Role]] = {
    ORG_ADMIN: Role(ORG_ADMIN, "Org admin", "org"),
    TEAM_ADMIN: Role(TEAM_ADMIN, "Team admin"),
    MEMBER: Role(MEMBER, "Member"),
}

ORG_ROLES: Final[Mapping[str, Role]] = {
    ORG_ADMIN: BUILT_IN[ORG_ADMIN],
    IT_ADMIN: Role(IT_ADMIN, "IT admin", "org"),
    BUSINESS_ADMIN: Role(BUSINESS_ADMIN, "Business admin", "org"),
}
"""The roles at org level that are known (R36). Of these, only org admin can be the role of a mapping."""

DOMAIN_ACCESS: Final = (ORG_ADMIN, IT_ADMIN)
"""The roles that may configure domain access, which is the tab Access (R34)."""


def role_id(name: str, known: Mapping[str, Role] = BUILT_IN) -> str:
    """Return the id for an id or a console name (``Org admin`` -> ``org_admin``); an unknown name is only trimmed."""
    trimmed = name.strip()
    if trimmed in known or trimmed in BUILT_IN:
        return trimmed
    folded = trimmed.casefold()
    for role in (*known.values(), *BUILT_IN.values()):
        if folded in (role.name.casefold(), role.id.casefold()):
            return role.id
    return trimmed


def role_words(role: str, known: Mapping[str, Role] = BUILT_IN) -> str:
    """Return the console's name for a role id."""
    known_role = known.get(role) or BUILT_IN.get(role)
    return known_role.name if known_role else role
