"""Connections of the server: how long headers may take, how many there may be, and which requests are ambiguous."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import time
from typing import Any, Final

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from rolecall.localorg.web import refuse
from rolecall.localorg.wire import send_response

log = logging.getLogger("rolecall.localorg")

HEADER_SECONDS: Final = 10.0
"""How long a client may take to send the headers of a request, from the connection or from their first byte."""
MOST_CONNECTIONS: Final = 500
SPARE_FILES: Final = 64
"""File descriptors that are kept for the database, the log and Python itself."""
MARGIN: Final = 16
"""Connections above the limit whose requests get 503; further ones are closed without an answer."""
QUIET_SECONDS: Final = 60.0
"""How often, at most, the log says that connections cannot be accepted."""


def most_connections() -> int:
    """Return how many connections may be open, given the limit of this process for file descriptors."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(8, min(MOST_CONNECTIONS, files - SPARE_FILES - MARGIN))


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 with a time limit for headers and a limit for connections; ambiguous requests are refused."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.app: Any = unambiguous(self.app)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Accept a connection, or close it where there are too many."""
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency + MARGIN:
            self.transport = transport
            self.loop.call_soon(transport.abort)  # asyncio starts to read after this, which needs an open socket
            return
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._late)

    def data_received(self, data: bytes) -> None:
        """Take bytes. The time limit runs until the headers are complete, however many bytes arrive before."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        incomplete = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if not incomplete:
            self._in_time()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._in_time()
        super().connection_lost(exc)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()


def unambiguous(app: ASGIApp) -> ASGIApp:
    """Refuse a request with both Content-Length and Transfer-Encoding with 400, and close its connection.

    A proxy in front may disagree where such a request ends (RFC 9112 §6.1).
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope.get("headers", ())}
        if not {b"content-length", b"transfer-encoding"} <= names:
            await app(scope, receive, send)
            return
        words = "A request has Content-Length or Transfer-Encoding, not both"
        response = refuse(400, "ambiguous_length", words).response()
        closing = (*response.headers, ("Connection", "close"))
        await send_response(type(response)(response.status, closing, response.body), send)

    return answer


class QuietServer(Server):
    """The server; where no file descriptor is left for a connection its log says so in one line a minute."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until stopped."""
        asyncio.get_running_loop().set_exception_handler(_OneLine())
        await super().serve(sockets)


class _OneLine:
    """An exception handler of the event loop."""

    def __init__(self) -> None:
        self._last = -QUIET_SECONDS

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        message = str(context.get("message"))
        if "_start_serving" in message:
            return  # asyncio tries to accept again after the server has closed its socket
        if "accept()" not in message:
            loop.default_exception_handler(context)
        elif time.monotonic() - self._last >= QUIET_SECONDS:
            self._last = time.monotonic()
            log.warning("no file descriptor is left: new connections wait until others close (raise `ulimit -n`)")
