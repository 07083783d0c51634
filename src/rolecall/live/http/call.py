"""Sends one HTTP request to a service other than the org (a webhook, a forge, a sign-in service) within limits.

The time limit covers the whole call, from name resolution to the last byte, and the response body is never read beyond
its limit. A server that never stops sending, or sends one byte every few seconds, ends in a CallError.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import httpx

SECONDS = 30.0
"""Seconds that a whole call may take."""
LARGEST = 4 << 20
"""Bytes of a response body, after decompression."""
_GRACE = 1.0
"""Seconds allowed beyond the limit to close the connection; name resolution cannot be interrupted."""


class Call(NamedTuple):
    """One request. ``proxy`` and ``trusted``, the authorities, come from the environment; see ``proxies``.

    ``seconds`` limits the whole call, ``largest`` the bytes of the body; with 0 the body is not read at all.
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    proxy: str | None = None
    trusted: ssl.SSLContext | bool = True
    seconds: float = SECONDS
    largest: int = LARGEST


class Response(NamedTuple):
    """A response; header names are in lower case. ``body`` is empty where it was not requested."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class CallError(Exception):
    """No usable response. Its text completes a sentence that begins with the server's name."""


class UnreachedError(CallError):
    """No connection, or one that was lost."""


def call(request: Call) -> Response:
    """Send one request and return its response, whatever its status. Redirects are not followed.

    Blocks, even where an event loop is running. Raises CallError.
    """
    import httpx

    worker = ThreadPoolExecutor(1, thread_name_prefix="call")
    try:
        return worker.submit(asyncio.run, _limited(request)).result(request.seconds + _GRACE)
    except (TimeoutError, httpx.TimeoutException):
        raise UnreachedError(f"did not complete its response within {request.seconds:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        cut = isinstance(error, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)
        raise UnreachedError(f"could not be reached{': the connection was cut off' if cut else ''}") from None
    finally:
        worker.shutdown(wait=False)


async def _limited(request: Call) -> Response:
    import httpx

    client = httpx.AsyncClient(
        timeout=request.seconds,
        follow_redirects=False,
        trust_env=False,
        proxy=request.proxy,
        verify=request.trusted,
    )
    async with asyncio.timeout(request.seconds), client:
        sent = client.build_request(request.method, request.url, headers=dict(request.headers), content=request.content)
        async with aclosing(await client.send(sent, stream=True)) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Response(response.status_code, headers, await _body(response, request.largest))


async def _body(response: httpx.Response, largest: int) -> bytes:
    """Return the body, empty where ``largest`` is 0. Raises CallError where it is larger."""
    body = bytearray()
    if largest:
        async for part in response.aiter_bytes():
            body += part
            if len(body) > largest:
                raise CallError(f"sent a response of more than {largest >> 20} MiB")
    return bytes(body)
