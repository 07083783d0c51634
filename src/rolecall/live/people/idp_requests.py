"""The requests that rolecall may send to an IdP. `IdpClient` refuses every other one, so this list is complete.

``{}`` is one part of a path, such as an id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

Allowed = frozenset[tuple[str, str]]
Query = tuple[tuple[str, str], ...]
Writes = Mapping[tuple[str, str], Query]
"""The writes, each with its whole query: no caller can add to it."""

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

OKTA_WRITES: Final[Writes] = MappingProxyType(
    {
        ("PUT", "/api/v1/apps/{}/groups/{}"): (),
        ("DELETE", "/api/v1/apps/{}/groups/{}"): (),
        ("POST", "/api/v1/apps/{}/group-push/mappings"): (),
        ("PATCH", "/api/v1/apps/{}/group-push/mappings/{}"): (),
        ("DELETE", "/api/v1/apps/{}/group-push/mappings/{}"): (("deleteTargetGroup", "false"),),
    }
)

GRAPH_WRITES: Final[Writes] = MappingProxyType(
    {
        ("PUT", "/servicePrincipals/{}/synchronization/secrets"): (),
        ("POST", "/servicePrincipals/{}/synchronization/jobs/{}/validateCredentials"): (),
    }
)
"""The writes to Entra: the token of the connection, and tests of it. Only `rotate scim-token` sends them."""

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


def is_allowed(allowed: Iterable[tuple[str, str]], method: str, path: str) -> bool:
    """Return whether a request is in the list. A path with an empty part or a dot segment is in none."""
    return _entry(allowed, method, path) is not None


def query_of(writes: Writes, method: str, path: str) -> Query | None:
    """Return the query of a write; None for one that is not in the list."""
    entry = _entry(writes, method, path)
    return None if entry is None else writes[entry]


def _entry(allowed: Iterable[tuple[str, str]], method: str, path: str) -> tuple[str, str] | None:
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts[1:]):
        return None
    matches = (entry for entry in allowed if method == entry[0] and _matches(entry[1].split("/"), parts))
    return next(matches, None)


def _matches(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(a in ("{}", b) for a, b in zip(template, parts, strict=True))
