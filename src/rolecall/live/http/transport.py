"""Defines a request, its response, and the Protocol that sends it: over a socket, or to an org in the same process."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from rolecall.codec.people import UserColumns
from rolecall.errors import OrgError, Problem

_HALVES = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escaped surrogate: half of a character, unless the other half is next to it."""


class Request(NamedTuple):
    """One request of the contract. ``path`` starts with a slash and is already quoted. Never contains a token."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Answer(NamedTuple):
    """One complete response; header names are in lower case.

    ``users`` replaces the body if users were requested in columns.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    users: UserColumns | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError when it is not JSON, is nested too deeply, or contains a lone
        surrogate, which a plan or a journal cannot store.
        """
        try:
            value = json.loads(self.body)
            if _HALVES.search(self.body):
                json.dumps(value, ensure_ascii=False).encode()
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return value


class NoAnswer(OrgError):
    """No complete response arrived. ``sent``: the org may have received the request, so a write may have been made.

    ``final``: retrying cannot help, as with an invalid certificate.
    """

    def __init__(self, problem: Problem, *, sent: bool, final: bool = False) -> None:
        super().__init__(problem)
        self.sent = sent
        self.final = final


class Timeouts(NamedTuple):
    """Timeouts in seconds: to connect, for the next part of a response, and for a whole response."""

    connect: float = 5.0
    read: float = 30.0
    whole: float = 120.0


class Transport(Protocol):
    """Sends one request."""

    @property
    def name(self) -> str:
        """Return the name of the org in messages: its URL without any secret."""

    async def send(self, request: Request) -> Answer:
        """Return the response, whatever its status. Raises NoAnswer when there is none, SecretError without a usable
        token.
        """

    async def close(self) -> None:
        """Release all connections."""


class ColumnTransport(Protocol):
    """Sends a request for users to an org in this process, without JSON and pages."""

    async def send_for_columns(self, request: Request) -> Answer:
        """Send like ``Transport.send``, for ``GET /v1/people`` and a search for users: a 2xx response has all of them
        in ``users``, as of one moment and in the order of their list.
        """


def json_request(method: str, path: str, body: Any, *headers: tuple[str, str]) -> Request:
    """Return a request with a JSON body."""
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Request(method, path, (), (("content-type", "application/json"), *headers), encoded)
