"""Serves the org with uvicorn, to this machine only unless told otherwise."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

from rolecall.errors import Misuse, Problem
from rolecall.localorg.store import Database

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
    import uvicorn

    from rolecall.localorg.asgi import create_app
    from rolecall.localorg.connections import GuardedProtocol, QuietServer, most_connections

    listener = _listen(host, port, remote)
    bound = listener.getsockname()
    config = uvicorn.Config(
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
    announce(f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}")
    try:
        QuietServer(config).run(sockets=[listener])
    finally:
        listener.close()
        db.close()


def _listen(host: str, port: int, remote: bool) -> socket.socket:
    family, address = _resolve(host, port)
    if not remote and not ipaddress.ip_address(address[0]).is_loopback:
        message = f"{host} is reachable from other machines, and the local org is for this one"
        raise Misuse(Problem("not_loopback", message, hint="leave the host out, or say that remote use is meant"))
    # The protocol is named because asyncio turns Nagle's algorithm off only then; with it each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        hint = "stop what listens there, or choose another one with --port"
        raise Misuse(Problem("port_taken", f"cannot listen on {host}:{port}: {error.strerror}", hint=hint)) from error
    listener.listen(256)
    listener.set_inheritable(True)
    return listener


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    if not 0 <= port <= 65535:
        raise Misuse(Problem("bad_port", f"{port} is no port; ports go from 0 to 65535"))
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Misuse(Problem("bad_host", f"cannot listen on {host}:{port}: {error}")) from error
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))
