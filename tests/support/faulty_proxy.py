"""A proxy on 127.0.0.1 that misbehaves at one request of a conversation, and behaves at all others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

FAULTS = (
    "refused",
    "delayed",
    "cut_after_headers",
    "cut_in_body",
    "lost_answer",
    "duplicated",
    "429_seconds",
    "429_date",
    "429_ms",
    "429_bare",
    "500",
    "502_html",
    "503",
    "412",
)
"""``lost_answer``: done by the org, but nothing comes back. ``duplicated``: the org gets it twice."""

LONG = 3.0
"""Seconds that a delayed answer takes; more than the clients of the tests wait."""


@dataclass(slots=True)
class Seen:
    """One request that came by: method, path and headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(slots=True)
class FaultyProxy:
    """Forwards to ``upstream`` (a port). ``fault`` is asked with each request's number, from 1, and the request."""

    upstream: int
    fault: Callable[[int, Seen], str | None]
    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def __enter__(self) -> FaultyProxy:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop
        assert self._thread
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        await asyncio.sleep(0)  # whoever knocked in this very round is let in
        while going := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in list(self._tasks):  # whoever is just let in gets in, and begins, so as to be ended in order
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        for _ in range(3):
            await asyncio.sleep(0)  # the loop lets go of what was closed

    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Not a coroutine: one that is called off before it begins would never close its connection."""
        self._writers.add(writer)
        task = asyncio.get_running_loop().create_task(self._conversation(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _conversation(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        seen = _parsed(head)
        body = await reader.readexactly(int(seen.headers.get("content-length", "0")))
        self.seen.append(seen)
        fault = self.fault(len(self.seen), seen)
        return await self._answer(fault, head + body, writer)

    async def _answer(self, fault: str | None, request: bytes, writer: asyncio.StreamWriter) -> bool:
        if fault == "refused":
            return False
        if made := _made_up(fault):
            writer.write(made)
            await writer.drain()
            return True
        if fault == "held_before":
            self.arrived.set()
            await asyncio.sleep(60)
        answer = await self._forward(request)
        if fault == "duplicated":
            answer = await self._forward(request)
        if fault == "held_after":
            self.arrived.set()
            await asyncio.sleep(60)
        if fault == "lost_answer":
            return False
        if fault == "delayed":
            await asyncio.sleep(LONG)
        head, _, body = answer.partition(b"\r\n\r\n")
        if fault == "cut_after_headers":
            answer = head + b"\r\n\r\n"
        if fault == "cut_in_body":
            answer = head + b"\r\n\r\n" + body[: len(body) // 2]
        writer.write(answer)
        await writer.drain()
        return fault is None or fault == "duplicated"

    async def _forward(self, request: bytes) -> bytes:
        """The whole answer, on a connection of its own that the server closes after it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        try:
            writer.write(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            await writer.drain()
            answer = await reader.read()
        finally:
            writer.close()
        return _with_length(answer)


def _with_length(answer: bytes) -> bytes:
    """The answer with a Content-Length in place of chunks, and without ``Connection: close``."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if any(line.lower() == b"transfer-encoding: chunked" for line in lines):
        body = _dechunked(body)
    dropped = (b"transfer-encoding:", b"connection:", b"content-length:")
    kept = [line for line in lines if not line.lower().startswith(dropped)]
    return b"\r\n".join([*kept, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


def _dechunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + rest[:length], rest[length + 2 :] if length else b""
    return whole


def _parsed(head: bytes) -> Seen:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    return Seen(method, path, {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)})


def _made_up(fault: str | None) -> bytes:
    """What the proxy answers by itself, the org never asked; empty where it does not."""
    now = datetime.now(UTC)
    soon = format_datetime(now + timedelta(seconds=1), usegmt=True)
    date = f"Date: {format_datetime(now, usegmt=True)}"
    match fault:
        case "429_seconds":
            return _bare(429, "Retry-After: 1")
        case "429_date":
            return _bare(429, f"Retry-After: {soon}", date)
        case "429_ms":
            return _bare(429, "retry-after-ms: 40")
        case "429_bare":
            return _bare(429)
        case "500":
            return _bare(500, body=b'{"tpe":"InternalError","errors":[],"extras":{}}')
        case "502_html":
            return _bare(502, "Content-Type: text/html", body=b"<html><h1>Bad gateway</h1></html>")
        case "503":
            return _bare(503, "Retry-After: 1")
        case "401":
            return _bare(401, body=b'{"errors":"no"}')
        case "html":
            return _bare(200, "Content-Type: text/html", body=b"<html><h1>Welcome to the hotel wifi</h1></html>")
        case "412":
            return _bare(412, body=b'{"tpe":"PreconditionFailed","errors":[],"extras":{}}')
    return b""


def _bare(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} Fault", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
