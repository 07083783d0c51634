"""The router of the admin API and the console: finds the route of a method and a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar


class HasAddress(Protocol):
    """A route: a method, and a path in which ``{name}`` is a parameter."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


R = TypeVar("R", bound=HasAddress)


class Router(Generic[R]):
    """Finds routes by method and decoded path. A parameter is one segment that is not empty."""

    def __init__(self, routes: Sequence[R]) -> None:
        self.routes = routes
        self._parts = [(route, route.path.split("/")[1:]) for route in routes]

    def find(self, method: str, segments: Sequence[str]) -> tuple[R, dict[str, str]] | None:
        """Return the route and its parameters, or None."""
        for route, parts in self._parts:
            if route.method == method and (params := _match(parts, segments)) is not None:
                return route, params
        return None

    def methods(self, segments: Sequence[str]) -> list[str]:
        """Return the methods that a path takes; none where there is no such path."""
        return sorted(route.method for route, parts in self._parts if _match(parts, segments) is not None)


def _match(parts: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    if len(parts) != len(segments):
        return None
    params = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{") and segment:
            params[part[1:-1]] = segment
        elif part != segment:
            return None
    return params
