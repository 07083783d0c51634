"""The table of addresses: what answers at each."""

from __future__ import annotations

from typing import NamedTuple

from rolecall.localorg.api import audit_log, domains, groups, names, org, people, scim_tokens, singletons, upgrade
from rolecall.localorg.api.call import Read, Write


class Route(NamedTuple):
    """One method at one address. ``{name}`` in the path is a parameter. Either a read or a write."""

    method: str
    path: str
    read: Read | None = None
    write: Write | None = None


ROUTES = (
    Route("GET", "/v1/org", org.read_org),
    Route("GET", "/v1/domains", domains.read_domains),
    Route("POST", "/v1/domains", write=domains.create_domain),
    Route("GET", "/v1/domains/{name}", domains.read_domain),
    Route("PUT", "/v1/domains/{name}", write=domains.update_domain),
    Route("DELETE", "/v1/domains/{name}", write=domains.delete_domain),
    Route("GET", "/v1/access/defaults", singletons.read_defaults),
    Route("PUT", "/v1/access/defaults", write=singletons.update_defaults),
    Route("GET", "/v1/access/sso", singletons.read_sso),
    Route("PUT", "/v1/access/sso", write=singletons.update_sso),
    Route("GET", "/v1/access/scim", singletons.read_scim),
    Route("PUT", "/v1/access/scim", write=singletons.update_scim),
    Route("POST", "/v1/access/scim/token", write=scim_tokens.create_token),
    Route("DELETE", "/v1/access/scim/token/{id}", write=scim_tokens.delete_token),
    Route("POST", "/v1/access/scim/upgrade", write=upgrade.start),
    Route("POST", "/v1/access/scim/upgrade/complete", write=upgrade.complete),
    Route("GET", "/v1/idp-groups", groups.read_groups),
    Route("GET", "/v1/idp-groups/{id}", groups.read_group),
    Route("PUT", "/v1/idp-groups/{id}/mapping", write=groups.update_mapping),
    Route("DELETE", "/v1/idp-groups/{id}/mapping", write=groups.delete_mapping),
    Route("GET", "/v1/people", people.read_people),
    Route("POST", "/v1/people/search", people.search_people),
    Route("GET", "/v1/people/{id}/access", people.read_access),
    Route("GET", "/v1/teams", names.read_teams),
    Route("GET", "/v1/roles", names.read_roles),
    Route("GET", "/v1/audit-log", audit_log.read_audit_log),
)


def find(method: str, segments: list[str]) -> tuple[Route, dict[str, str]] | None:
    """The route for a method and a decoded path, with its parameters."""
    for route, parts in _PARTS:
        if route.method == method and (params := _match(parts, segments)) is not None:
            return route, params
    return None


def allowed(segments: list[str]) -> list[str]:
    """The methods that an address takes."""
    return sorted(route.method for route, parts in _PARTS if _match(parts, segments) is not None)


_PARTS = [(route, route.path.split("/")[1:]) for route in ROUTES]


def _match(parts: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(parts) != len(segments):
        return None
    params = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{") and segment:
            params[part[1:-1]] = segment
        elif part != segment:
            return None
    return params
