"""The org over a socket: admin API under /v1, SCIM under /api/scim/v2, WRITER's export of audit events under
/api/observability, its usage data under /api/billing, console at /, contract at /openapi.yaml.

/health answers without a token whether the org's database can be read. Bodies are limited, answers are sent in pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request as Asked
from starlette.responses import Response as Answer
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message, Receive, Scope, Send

from rolecall.localorg.api.audit_export import handle_export
from rolecall.localorg.api.call import BODY_LIMIT, too_large
from rolecall.localorg.api.handle import handle, org_row
from rolecall.localorg.api.usage import handle_usage
from rolecall.localorg.console.handle import handle_page
from rolecall.localorg.scim.handle import handle_scim, refused
from rolecall.localorg.scim.models import MAX_BODY
from rolecall.localorg.store import Busy, Database
from rolecall.localorg.web import JSON_TYPE, Refusal, Request, Response, dump, refuse
from rolecall.schema_files import schema_text


class Door(NamedTuple):
    """One part of the org: its path, its handler, how it answers a refusal, its largest body."""

    path: str
    handle: Callable[[Request, Database], Response]
    refused: Callable[[Refusal], Response] = Refusal.response
    body_limit: int = BODY_LIMIT


DOORS = (
    Door("/v1", handle),
    Door("/api/scim/v2", handle_scim, refused, MAX_BODY),
    Door("/api/observability", handle_export),
    Door("/api/billing", handle_usage),
    Door("/", handle_page),
)


def create_app(db: Database) -> Starlette:
    """Return the whole org as one ASGI application."""
    routes: list[BaseRoute] = [Route("/openapi.yaml", _contract), Route("/health", _health(db))]
    routes += (Mount(door.path, _App(door, db)) for door in DOORS)
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app


async def _contract(_request: Asked) -> Answer:
    return Answer(schema_text("org-api.openapi.yaml"), media_type="application/yaml")


def _health(db: Database) -> Callable[[Asked], Awaitable[Answer]]:
    """Return what answers 200 while the org's database can be read, 503 while it cannot, and nothing of the org."""

    def readable() -> bool:
        try:
            with db.glance() as tx:
                org_row(tx)
        except (Busy, SQLAlchemyError):
            return False
        return True

    async def answer(_request: Asked) -> Answer:
        healthy = await run_in_threadpool(readable)
        body = dump({"status": "ok" if healthy else "unavailable"})
        return Answer(body, 200 if healthy else 503, {"Cache-Control": "no-store"}, JSON_TYPE)

    return answer


class _App:
    """A part of the org as an ASGI application: reads a request, calls the handler in a thread, sends the pieces."""

    def __init__(self, door: Door, db: Database) -> None:
        self._door = door
        self._db = db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = request_of(scope, await read_body(receive, self._door.body_limit))
            response = await run_in_threadpool(self._door.handle, request, self._db)
        except Refusal as refusal:
            response = self._door.refused(refusal)
        await send_response(response, send)


BODY_SECONDS = 20.0
"""The seconds that a client may take to send a body."""

_DRAIN_BYTES = 64 << 20
"""The most bytes that are read of a body that is too large, so that the client can read the refusal."""


async def read_body(receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """Return a request's body. Raises Refusal 413 when it is over ``limit`` bytes, 408 if it does not arrive in
    time."""
    pieces, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise refuse(400, "cut_body", "The body ended before it was complete")
                size += len(message.get("body", b""))
                if size <= limit:
                    pieces.append(message.get("body", b""))
                if not message.get("more_body") or size > _DRAIN_BYTES:
                    break
    except TimeoutError as error:
        raise refuse(408, "slow_body", f"The body did not arrive within {BODY_SECONDS:g} seconds") from error
    if size > limit:
        raise too_large(limit)
    return b"".join(pieces)


def request_of(scope: Scope, body: bytes) -> Request:
    """Return an ASGI scope as a request; headers that occur twice are joined by a comma."""
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
    """Send an answer piece by piece; pieces are made in a thread."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    start: Message = {"type": "http.response.start", "status": response.status, "headers": headers}
    await send(start)
    if isinstance(response.body, bytes):
        await send({"type": "http.response.body", "body": response.body})
        return
    async for piece in iterate_in_threadpool(response.body):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
