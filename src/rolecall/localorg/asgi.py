"""The org over a socket: admin API under /v1, SCIM under /api/scim/v2, console at /, contract at /openapi.yaml.

``scim/asgi.py`` gives ``scim_app(db)`` and ``console/app.py`` gives ``console_app(db)``, each an ASGI application that
is mounted there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import Response as Answer
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message, Receive, Scope, Send

from rolecall.localorg.api.call import BODY_LIMIT, too_large
from rolecall.localorg.api.handle import handle
from rolecall.localorg.store import Database
from rolecall.localorg.web import Refusal, Request, Response, refuse
from rolecall.schema_files import schema_text

BODY_SECONDS = 20.0
"""How long a client may take to send a body."""

_DRAIN_BYTES = 64 << 20
"""How much of a body that is too large is still taken off the wire, so that the client gets to read the refusal."""


def create_app(db: Database) -> Starlette:
    """The whole org as one ASGI application."""
    routes: list[BaseRoute] = [
        Route("/openapi.yaml", _contract),
        Route("/v1/{rest:path}", AdminApi(db)),
        *_mounted(db),
    ]
    return Starlette(routes=routes)


def _mounted(db: Database) -> Iterable[BaseRoute]:
    for path, module, make in (
        ("/api/scim/v2", "rolecall.localorg.scim.asgi", "scim_app"),
        ("/", "rolecall.localorg.console.app", "console_app"),
    ):
        if find_spec(module.rpartition(".")[0]) and find_spec(module):
            yield Mount(path, getattr(import_module(module), make)(db))


async def _contract(request: object) -> Answer:
    return Answer(schema_text("org-api.openapi.yaml"), media_type="application/yaml")


class AdminApi:
    """The admin API as an ASGI application: reads a request, lets ``handle`` answer in a thread, sends the pieces."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = request_of(scope, await read_body(receive))
            response = await run_in_threadpool(handle, request, self._db)
        except Refusal as refusal:
            response = refusal.response()
        await send_response(response, send)


async def read_body(receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """A request's body. Raises Refusal 413 when it is over ``limit`` bytes, 408 when it does not come in time."""
    end, pieces, size = time.monotonic() + BODY_SECONDS, [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while (message := await receive())["type"] == "http.request":
                size += len(message.get("body", b""))
                if size <= limit:
                    pieces.append(message.get("body", b""))
                if not message.get("more_body") or size > _DRAIN_BYTES or time.monotonic() > end:
                    break
    except TimeoutError as error:
        raise refuse(408, "slow_body", f"The body did not come within {BODY_SECONDS:g} seconds") from error
    if size > limit:
        raise too_large()
    return b"".join(pieces)


def request_of(scope: Scope, body: bytes) -> Request:
    """An ASGI scope as a request; headers that come twice are joined by a comma."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    raw = scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if raw else quote(scope["path"])
    client = scope.get("client")
    query = scope.get("query_string", b"").decode("latin-1")
    return Request(scope["method"], path, query, headers, body, client[0] if client else None)


async def send_response(response: Response, send: Send) -> None:
    """Send an answer, piece by piece; pieces are made in a thread."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    start: Message = {"type": "http.response.start", "status": response.status, "headers": headers}
    await send(start)
    if isinstance(response.body, bytes):
        await send({"type": "http.response.body", "body": response.body})
        return
    async for piece in iterate_in_threadpool(response.body):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
