"""Encode access as JSON: one row of ``access --format json``, and the response of the org's API for a user."""

from __future__ import annotations

from typing import Any

from rolecall.access.person import Access, Granted


def encode_access(email: str, access: Access) -> dict[str, Any]:
    """Return ``{email, org_admin, combos: [{team, role, reason, reasons}]}``, the deciding reason first (R32); with a
    role at org level also ``org_role`` (R36)."""
    return {
        "email": email,
        "org_admin": access.org_admin,
        **({} if access.org_role is None else {"org_role": access.org_role.role}),
        "combos": [_team_role(granted) for granted in access.team_roles],
    }


def _team_role(granted: Granted) -> dict[str, Any]:
    sources = [reason.source for reason in granted.reasons]
    return {"team": granted.team, "role": granted.role, "reason": sources[0], "reasons": sources}
