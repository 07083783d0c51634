"""Requests and answers over a socket, for every door of the org: bounded bodies in, pieces out."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from starlette.concurrency import iterate_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from rolecall.localorg.api.call import BODY_LIMIT, too_large
from rolecall.localorg.web import Request, Response, refuse

BODY_SECONDS = 20.0
"""How long a client may take to send a body."""

_DRAIN_BYTES = 64 << 20
"""How much of a body that is too large is still taken off the wire, so that the client gets to read the refusal."""


async def read_body(receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """A request's body. Raises Refusal 413 when it is over ``limit`` bytes, 408 when it does not come in time."""
    pieces, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise refuse(400, "cut_body", "The body ended before it was whole")
                size += len(message.get("body", b""))
                if size <= limit:
                    pieces.append(message.get("body", b""))
                if not message.get("more_body") or size > _DRAIN_BYTES:
                    break
    except TimeoutError as error:
        raise refuse(408, "slow_body", f"The body did not come within {BODY_SECONDS:g} seconds") from error
    if size > limit:
        raise too_large(limit)
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
