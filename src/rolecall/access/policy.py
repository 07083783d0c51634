"""The policy for manual edits of SCIM users: which side applies if the console and the IdP disagree.

R15 and R16 in one place, once over team roles and once over bits. The articles contradict each other here; the
reading is: access from a group cannot be edited, all other access can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from rolecall.access.entitlements import Entitlements
from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN


def edit_counts(edit: TeamRole, firm: Set[TeamRole]) -> bool:
    """Return whether a manual edit counts: in a team that no group gives, as org admin, or where it equals what a group
    gives (R15)."""
    return edit.role == ORG_ADMIN or edit in firm or all(team_role.team != edit.team for team_role in firm)


def replaces_default(edits: Iterable[TeamRole], team: str) -> bool:
    """Return whether manual edits take the place of the default's role in this team (R16)."""
    return any(edit.team == team for edit in edits)


def edited(entitlements: Entitlements, firm: int, default: Sequence[TeamRole], edits: Sequence[TeamRole]) -> int:
    """Return the same in bits: the access of a SCIM user with manual editing on.

    ``firm`` is what groups or the role attribute give, 0 for nothing. ``default`` is what is given in addition: the
    default's team roles where it applies.
    """
    mask = firm
    for team_role in default:
        if firm & entitlements.team_bit(team_role.team) or not replaces_default(edits, team_role.team):
            mask |= entitlements.mask(team_role)
    for edit in edits:
        if edit.role == ORG_ADMIN or not firm & entitlements.team_bit(edit.team):
            mask |= entitlements.mask(edit)
    return mask
