"""The requests that rolecall may send to an IdP. `IdpClient` refuses every other one, so this list is complete.

``{}`` is one part of a path, such as an id.
"""

from __future__ import annotations

from typing import Final

Allowed = frozenset[tuple[str, str]]

OKTA_REQUESTS: Final[Allowed] = frozenset(
    ("GET", f"/api/v1/{path}")
    for path in (
        "apps/{}",
        "apps/{}/group-push/mappings",
        "apps/{}/groups",
        "apps/{}/users",
        "apps/{}/users/{}",
        "groups",
        "groups/{}",
        "groups/{}/users",
        "logs",
        "meta/schemas/apps/{}/default",
        "users",
        "users/{}/groups",
    )
)

GRAPH_REQUESTS: Final[Allowed] = frozenset(
    ("GET", f"/{path}")
    for path in (
        "auditLogs/provisioning",
        "groups",
        "groups/{}/members",
        "servicePrincipals/{}",
        "servicePrincipals/{}/appRoleAssignedTo",
        "servicePrincipals/{}/synchronization/jobs",
        "servicePrincipals/{}/synchronization/jobs/{}/schema",
        "servicePrincipals/{}/synchronization/secrets",
        "users",
        "users/{}/memberOf",
        "users/{}/transitiveMemberOf",
    )
)


def is_allowed(allowed: Allowed, method: str, path: str) -> bool:
    """Return whether a request is in the list. A path with an empty part or a dot segment is in none."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts[1:]):
        return False
    return any(method == verb and _matches(template.split("/"), parts) for verb, template in allowed)


def _matches(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(a in ("{}", b) for a, b in zip(template, parts, strict=True))
