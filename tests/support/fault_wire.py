"""A wire to a local org, and a journal, that break at chosen moments: thousands of applies without a socket.

``killed`` stands for kill -9: from that moment on nothing reaches the org or the disk, whatever `finally` tries.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from rolecall.errors import Problem
from rolecall.journal.database import failure
from rolecall.journal.sqlite import SqliteDatabase
from rolecall.live.client import OrgClient
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.transport import Answer, NoAnswer, Request
from rolecall.localorg import web
from rolecall.localorg.api.handle import handle

WIRE_FAULTS = (
    "refused",
    "lost_request",
    "lost_answer",
    "cut_in_body",
    "cut_headers",
    "html",
    "duplicated",
    "429_seconds",
    "429_date",
    "429_ms",
    "429_bare",
    "500",
    "502",
    "503",
    "412",
    "403",
    "by_hand",
    "killed_before",
    "killed_after",
)
"""``lost_request``: the org never saw it, and nobody can tell. ``by_hand``: somebody writes just before it."""

JOURNAL_FAULTS = ("full", "killed_before_commit", "killed_after_commit")

ATTEMPTS = 3
"""How often each random plan is applied, each time with other faults."""


class Killed(KeyboardInterrupt):
    """The process is gone. A KeyboardInterrupt, because asyncio lets those end a loop at once."""


@dataclass
class Life:
    """Whether the process of an apply lives, and when it dies or hurts: request and commit numbers count from 1."""

    wire: dict[int, str] = field(default_factory=dict)
    disk: dict[int, str] = field(default_factory=dict)
    requests: int = 0
    commits: int = 0
    dead: bool = False
    hit: list[str] = field(default_factory=list)

    def check(self) -> None:
        if self.dead:
            raise Killed

    def die(self) -> None:
        self.dead = True
        raise Killed


class Wire:
    """A Transport onto a local org's database, in this thread."""

    name = "local:org.db"

    def __init__(self, database, life: Life, by_hand: Callable[[], None]) -> None:
        self.database, self.life, self.by_hand = database, life, by_hand
        self.seen: list[Request] = []

    async def send(self, request: Request) -> Answer:
        await asyncio.sleep(0)
        self.life.check()
        self.life.requests += 1
        self.seen.append(request)
        fault = self.life.wire.get(self.life.requests)
        if fault:
            self.life.hit.append(fault)
        return self._answered(fault, request)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _answered(self, fault: str | None, request: Request) -> Answer:
        match fault:
            case "killed_before":
                self.life.die()
            case "refused":
                raise NoAnswer(Problem("org_unreachable", "refused"), sent=False)
            case "lost_request":
                raise NoAnswer(Problem("org_timeout", "nothing came"), sent=True)
            case "by_hand":
                self.by_hand()
        if fault in MADE_UP:
            return MADE_UP[fault]
        answer = self._handled(request)
        if fault == "duplicated":
            answer = self._handled(request)
        if fault == "killed_after":
            self.life.die()
        if fault == "lost_answer":
            raise NoAnswer(Problem("org_timeout", "nothing came"), sent=True)
        return _cut(fault, answer)

    def _handled(self, request: Request) -> Answer:
        said = (request.method, request.path, urlencode(request.query), dict(request.headers), request.body or b"")
        answer = handle(web.Request(*said, embedded=True), self.database)
        return Answer(answer.status, {name.lower(): told for name, told in answer.headers}, answer.read())


def _cut(fault: str | None, answer: Answer) -> Answer:
    if fault == "cut_in_body":
        return answer._replace(body=answer.body[: len(answer.body) // 2])
    if fault == "cut_headers":
        return answer._replace(headers={})
    if fault == "html":
        return Answer(200, {"content-type": "text/html"}, b"<html>Welcome to the hotel</html>")
    return answer


def _error(status: int, **headers: str) -> Answer:
    body = json.dumps({"tpe": "E", "errors": [{"description": "no", "key": "k", "extras": {}}]}).encode()
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json", **said}, body)


_NOW, _SOON = "Sun, 22 Nov 2026 12:00:00 GMT", "Sun, 22 Nov 2026 12:00:02 GMT"
MADE_UP = {
    "429_seconds": _error(429, retry_after="2"),
    "429_date": _error(429, retry_after=_SOON, date=_NOW),
    "429_ms": _error(429, retry_after_ms="300"),
    "429_bare": _error(429),
    "500": _error(500),
    "502": Answer(502, {"content-type": "text/html"}, b"<h1>Bad gateway</h1>"),
    "503": _error(503, retry_after="1"),
    "412": _error(412),
    "403": _error(403),
}


class _Clock:
    """Waiting takes no time."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


def client(wire: Wire) -> OrgClient:
    """A client over the wire that waits for nothing and rolls no dice."""
    return OrgClient(wire, Exchange(wire, _Clock(), chance=lambda: 0.0))


class BreakingDatabase(SqliteDatabase):
    """A journal's database on a disk that fills up, in a process that dies."""

    def __init__(self, path, life: Life) -> None:
        super().__init__(path)
        self.life = life

    def select(self, sql, *params):
        self.life.check()
        return super().select(sql, *params)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.life.check()
        self.life.commits += 1
        fault = self.life.disk.get(self.life.commits)
        if fault:
            self.life.hit.append(fault)
        if fault == "full":
            raise failure("journal_written", self.place, "cannot be written: the disk is full", "Free some space.")
        with super().transaction():
            yield
            if fault == "killed_before_commit":
                self.life.die()
        if fault == "killed_after_commit":
            self.life.die()
