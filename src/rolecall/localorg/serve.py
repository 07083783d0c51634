"""Serves the org with uvicorn, on this machine only unless remote use is allowed.

Connections have limits: the time for headers and their number; ambiguous requests are refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import resource
import socket
import time
from collections.abc import Callable
from typing import Any, Final

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from rolecall.errors import Misuse, Problem
from rolecall.localorg.asgi import send_response
from rolecall.localorg.store import Database
from rolecall.localorg.web import refuse

PORT = 8787


def serve(
    db: Database,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    remote: bool = False,
    announce: Callable[[str], object] = str,
) -> None:
    """Serve until interrupted. ``port`` 0 takes any free one; ``announce`` is given the base URL once it listens.

    Raises Misuse for an address beyond this machine without ``remote``, and for a port that is taken.
    """
    from rolecall.localorg.asgi import create_app

    listener = _listen(host, port, remote)
    bound = listener.getsockname()
    config = Config(
        create_app(db),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        http=GuardedProtocol,
        proxy_headers=False,
        limit_concurrency=most_connections(),
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 << 10,
    )
    url = f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}"
    try:
        QuietServer(config, lambda: announce(url)).run(sockets=[listener])
    finally:
        listener.close()
        db.close()


def _listen(host: str, port: int, remote: bool) -> socket.socket:
    family, address = _resolve(host, port)
    if not remote and not ipaddress.ip_address(address[0]).is_loopback:
        message = f"{host} is reachable from other machines"
        raise Misuse(Problem("not_loopback", message, hint="leave out --host, or allow other machines with --remote"))
    # The protocol is named because asyncio turns Nagle's algorithm off only then; with it each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        hint = "stop the program that listens there, or choose another port with --port"
        raise Misuse(Problem("port_taken", f"cannot listen on {host}:{port}: {error.strerror}", hint=hint)) from error
    listener.listen(256)
    listener.set_inheritable(True)
    return listener


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    if not 0 <= port <= 65535:
        raise Misuse(Problem("bad_port", f"{port} is not a port; ports are 0 to 65535"))
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Misuse(Problem("bad_host", f"cannot listen on {host}:{port}: {error}")) from error
    family, _, _, _, address = addresses[0]
    return family, (str(address[0]), int(address[1]))


log = logging.getLogger("rolecall.localorg")

HEADER_SECONDS: Final = 10.0
"""The seconds that a client may take to send the headers of a request, from the connection or from their first byte."""
MOST_CONNECTIONS: Final = 500
SPARE_FILES: Final = 64
"""File descriptors that are kept for the database, the log and Python itself."""
MARGIN: Final = 16
"""Connections above the limit whose requests get 503; further ones are closed without an answer."""
QUIET_SECONDS: Final = 60.0
"""The least seconds between two lines of the log about connections that cannot be accepted."""


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
        """Stop the time limit of a closed connection."""
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
        """Refuse a request with both headers, and pass on any other."""
        names = {name for name, _ in scope.get("headers", ())}
        if not {b"content-length", b"transfer-encoding"} <= names:
            await app(scope, receive, send)
            return
        message = "A request has Content-Length or Transfer-Encoding, not both"
        response = refuse(400, "ambiguous_length", message).response()
        closing = (*response.headers, ("Connection", "close"))
        await send_response(type(response)(response.status, closing, response.body), send)

    return answer


class QuietServer(Server):
    """A server that calls ``ready`` once it serves and handles signals.

    It logs at most one line per minute while no file descriptor is left for connections.
    """

    def __init__(self, config: Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, then report it."""
        await super().startup(sockets)
        self._ready()

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
