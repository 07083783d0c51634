"""One request and its answer, over a socket or a call in the same process."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from rolecall.codec.people import UserColumns
from rolecall.errors import OrgError, Problem

_HALVES = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escaped surrogate: half of a character, unless the other half stands beside it."""


class Request(NamedTuple):
    """One request of the contract. ``path`` starts with a slash and is already quoted. Never holds a token."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Answer(NamedTuple):
    """One whole answer; the names of its headers are in lower case.

    ``users`` are in place of the body where users were asked for in columns.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    users: UserColumns | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON. Raises ValueError when it is not JSON, is nested too deeply, or has half of a
        character: a plan or a journal cannot hold a lone surrogate."""
        try:
            value = json.loads(self.body)
            if _HALVES.search(self.body):
                json.dumps(value, ensure_ascii=False).encode()
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return value


class NoAnswer(OrgError):
    """No complete answer came. ``sent``: the org may have received the request, so a write may have been done.

    ``final``: trying again cannot help, such as with a certificate that does not fit.
    """

    def __init__(self, problem: Problem, *, sent: bool, final: bool = False) -> None:
        super().__init__(problem)
        self.sent = sent
        self.final = final


class Timeouts(NamedTuple):
    """Seconds: to connect, for the next part of an answer, and for the whole of one."""

    connect: float = 5.0
    read: float = 30.0
    whole: float = 120.0


class Transport(Protocol):
    """Carries one request."""

    @property
    def name(self) -> str:
        """Return what messages call the org: its URL without any secret."""

    async def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status. Raises NoAnswer when none came, SecretError without a usable
        token."""

    async def close(self) -> None:
        """Let go of connections."""


class ColumnTransport(Protocol):
    """Carries a request for users to an org in this process, without JSON and pages."""

    async def send_for_columns(self, request: Request) -> Answer:
        """Send as ``Transport.send`` does, for ``GET /v1/people`` and a search for users: an answer of 2xx has all
        of them, as they were at one moment and in the order of their list, in ``users``."""


def json_request(method: str, path: str, body: Any, *headers: tuple[str, str]) -> Request:
    """Return a request with a JSON body."""
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Request(method, path, (), (("content-type", "application/json"), *headers), encoded)
