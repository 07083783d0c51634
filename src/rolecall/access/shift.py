"""The difference of two masks, in the words of a plan: gain, lose, change, escalation, losing."""

from __future__ import annotations

from typing import Literal

from rolecall.access.entitlements import BY_DEFAULT, ORG, Entitlements
from rolecall.model.policy import TeamRole

Kind = Literal["gain", "lose", "change"]


def kind(entitlements: Entitlements, before: int, after: int) -> Kind | None:
    """Return gain for only more, lose for only less, change for both, None for equal team roles."""
    if not (before ^ after) & ~BY_DEFAULT:
        return None
    had, has = entitlements.access_bits(before), entitlements.access_bits(after)
    if had == has:
        return "change"
    if had & has == had:
        return "gain"
    return "lose" if had & has == has else "change"


def loses(entitlements: Entitlements, before: int, after: int) -> bool:
    """Return whether something is lost: what ``max_people_losing_access`` counts."""
    return bool(entitlements.access_bits(before) & ~after)


def escalates(entitlements: Entitlements, before: int, after: int) -> tuple[TeamRole, ...]:
    """Return the team roles by which a user gains something above member; nothing for no escalation."""
    new = entitlements.above_member(after) & ~before
    return (
        tuple(team_role for team_role in entitlements.team_roles(after) if entitlements.mask(team_role) & new)
        if new
        else ()
    )


def to_default(before: int, after: int) -> bool:
    """Return whether a user falls back to default access alone."""
    return bool(after & BY_DEFAULT) and not before & BY_DEFAULT


def to_nothing(entitlements: Entitlements, before: int, after: int) -> bool:
    """Return whether a user has no access left."""
    return bool(entitlements.access_bits(before)) and not entitlements.access_bits(after)


def is_org_admin(mask: int) -> bool:
    """Return whether the mask gives org admin of the org (R21)."""
    return bool(mask & ORG)
