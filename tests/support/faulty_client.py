"""A client for an org that misbehaves: waiting takes it no time, and is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from faulty_org import Faulty

from rolecall.live.client import OrgClient
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.http.transport import Timeouts

T = TypeVar("T")

TOKEN = "canary-token-5f1c"
HTML = b"<html><body>Welcome to the hotel wifi</body></html>"


class FakeClock:
    """Sleeping takes no time, and is written down."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept.append(seconds)


def client(base: str, clock: FakeClock, timeout: float = 5.0) -> OrgClient:
    """A client without jitter."""
    transport = HttpTransport(base_url(base), lambda: TOKEN, Timeouts(connect=2, read=timeout, whole=2 * timeout))
    return OrgClient(transport, Exchange(transport, clock, chance=lambda: 0.0))


def run(
    faulty: Faulty, work: Callable[[OrgClient], Awaitable[T]], clock: FakeClock | None = None, timeout: float = 5.0
) -> T:
    """What ``work`` gives for a client of that server."""
    org = client(faulty.base, clock or FakeClock(), timeout)

    async def whole() -> T:
        try:
            return await work(org)
        finally:
            await org.close()

    return asyncio.run(whole())
