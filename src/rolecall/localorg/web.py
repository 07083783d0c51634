"""Requests, answers and routes as plain values, so that one org serves both a socket and a caller in its process."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from rolecall.codec.api import encode_error
from rolecall.codec.people import UserColumns

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``path`` and ``query`` are as sent, still percent-encoded; header names are in lower case.

    ``embedded``: the caller is in the same process; without a token it is a service with all rights.
    ``channel`` is the channel in the audit log: a form of the console is a request of the admin API too.
    ``columns`` asks for a whole list of users in columns, in place of one page as JSON.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str | None = None
    embedded: bool = False
    channel: Literal["api", "console"] = "api"
    columns: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. ``body`` is bytes, or an iterator of bytes that is read once; it uses no database connection.

    ``users`` are the answer to a request for columns, instead of a body.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterator[bytes] = b""
    users: UserColumns | None = None

    def chunks(self) -> Iterable[bytes]:
        return (self.body,) if isinstance(self.body, bytes) else self.body

    def read(self) -> bytes:
        """Return the whole body."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Fault(NamedTuple):
    """An error of a request: a stable code, a description, and extras such as the field."""

    key: str
    description: str
    extras: Mapping[str, Any] = {}


class Refusal(Exception):
    """A refused request: a status, one fault or several, and headers."""

    def __init__(self, status: int, *faults: Fault, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__("; ".join(fault.description for fault in faults))
        self.status = status
        self.faults = faults
        self.headers = headers

    def response(self) -> Response:
        """Return the error envelope of the contract."""
        first, *more = self.faults
        envelope = encode_error(TPE[self.status], first.description, first.key, **first.extras)
        envelope["errors"] += [{"description": f.description, "key": f.key, "extras": dict(f.extras)} for f in more]
        return json_response(self.status, envelope, self.headers)


TPE: Mapping[int, str] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    409: "Conflict",
    412: "PreconditionFailed",
    413: "PayloadTooLarge",
    415: "UnsupportedMediaType",
    422: "UnprocessableEntity",
    428: "PreconditionRequired",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}


def refuse(status: int, key: str, description: str, **extras: Any) -> Refusal:
    """Return a refusal with one fault."""
    return Refusal(status, Fault(key, description, extras))


def dump(value: Any) -> str:
    """Return compact JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_response(status: int, value: Any, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return an answer of one JSON value."""
    body = dump(value).encode()
    return Response(status, (("Content-Type", JSON_TYPE), ("Content-Length", str(len(body))), *headers), body)


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
