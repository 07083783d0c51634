"""The table of pages and forms."""

from __future__ import annotations

from collections.abc import Callable

from rolecall.localorg.console import forms, pages
from rolecall.localorg.console.desk import Desk
from rolecall.localorg.web import Response

Serve = Callable[[Desk], Response]

ROUTES: tuple[tuple[str, str, Serve], ...] = (
    ("GET", "/", pages.overview),
    ("GET", "/domains", pages.domains),
    ("POST", "/domains/{name}", forms.domain),
    ("GET", "/defaults", pages.defaults),
    ("POST", "/defaults", forms.defaults),
    ("GET", "/sso", pages.sso),
    ("POST", "/sso", forms.sso),
    ("GET", "/scim", pages.scim),
    ("POST", "/scim", forms.scim),
    ("GET", "/groups", pages.groups),
    ("GET", "/groups/{id}", pages.group),
    ("POST", "/groups/{id}", forms.mapping),
    ("GET", "/people", pages.people),
    ("GET", "/people/{id}", pages.person),
    ("GET", "/audit", pages.audit),
)
_PARTS = [(method, path.split("/")[1:], serve) for method, path, serve in ROUTES]


def find(method: str, segments: list[str]) -> tuple[Serve, dict[str, str]] | None:
    """What serves a method at a decoded path, with the path's parameters."""
    for known, parts, serve in _PARTS:
        if known == method and len(parts) == len(segments):
            params = {part[1:-1]: text for part, text in zip(parts, segments, strict=True) if part.startswith("{")}
            fixed = [(part, text) for part, text in zip(parts, segments, strict=True) if not part.startswith("{")]
            if all(part == text for part, text in fixed) and all(params.values()):
                return serve, params
    return None
