"""Role names: ids as files hold them, words as the console shows them, and the ranking of R9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

ORG_ADMIN: Final = "org_admin"
TEAM_ADMIN: Final = "team_admin"
MEMBER: Final = "member"

RANK: Final[Mapping[str, int]] = {MEMBER: 1, TEAM_ADMIN: 2, ORG_ADMIN: 3}
"""The three ranked roles; any other role is incomparable (R32)."""


class Role(NamedTuple):
    """A role that the org knows: its id, the console's word for it, and where it applies."""

    id: str
    name: str
    level: Literal["org", "team"] = "team"


BUILT_IN: Final[Mapping[str, Role]] = {
    ORG_ADMIN: Role(ORG_ADMIN, "Org admin", "org"),
    TEAM_ADMIN: Role(TEAM_ADMIN, "Team admin"),
    MEMBER: Role(MEMBER, "Member"),
}


def role_id(name: str, known: Mapping[str, Role] = BUILT_IN) -> str:
    """The id for an id or a console word (``Org admin`` -> ``org_admin``); an unknown word comes back trimmed."""
    trimmed = name.strip()
    if trimmed in known or trimmed in BUILT_IN:
        return trimmed
    folded = trimmed.casefold()
    for role in (*known.values(), *BUILT_IN.values()):
        if folded in (role.name.casefold(), role.id.casefold()):
            return role.id
    return trimmed


def role_words(role: str, known: Mapping[str, Role] = BUILT_IN) -> str:
    """What the console calls a role id."""
    known_role = known.get(role) or BUILT_IN.get(role)
    return known_role.name if known_role else role
