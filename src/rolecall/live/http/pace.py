"""Decides when a request may be sent: within the org's rate limit, after requested waits, and with backoff after
failures.

Long waits are reported on stderr.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

MINUTE = 60.0
_LAST = 4e9
FIRST_WAIT = 0.5
LONGEST_BACKOFF = 20.0


class Clock(Protocol):
    """A monotonic clock."""

    def now(self) -> float:
        """Return seconds since a fixed moment."""

    async def sleep(self, seconds: float) -> None:
        """Sleep for this many seconds."""


class LoopClock:
    """The clock of the running event loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Pace:
    """Releases requests one by one: at most ``per_minute`` in any minute, and none before a wait is over."""

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._recent: deque[float] = deque()
        self._not_before = 0.0

    def limit(self, per_minute: int | None) -> None:
        """Limit requests from now on to this many a minute; None removes the limit."""
        self._per_minute = per_minute if per_minute and per_minute > 0 else None

    def hold(self, seconds: float) -> None:
        """Release nothing for this many seconds: the org asked all clients to wait."""
        self._not_before = max(self._not_before, self._clock.now() + seconds)

    async def turn(self) -> None:
        """Wait until the next request may be sent."""
        while (wait := self._reserve()) > 0:
            await self._clock.sleep(wait)

    def _reserve(self) -> float:
        """Return 0 and reserve a slot, or return how long to wait before trying again. Never awaits, so no two requests
        share a slot.
        """
        now = self._clock.now()
        while self._recent and self._recent[0] <= now - MINUTE:
            self._recent.popleft()
        if now < self._not_before:
            return self._not_before - now
        if self._per_minute is not None and len(self._recent) >= self._per_minute:
            return self._recent[0] + MINUTE - now
        self._recent.append(now)
        return 0.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a response asks to wait, or None when it has no readable value.

    The value is ``retry-after-ms``, or ``Retry-After`` in seconds or as a date (RFC 9110 §10.2.3). A date is relative
    to the response's own ``Date``, so the local clock does not matter.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    header = headers.get("retry-after")
    seconds = _number(header)
    if seconds is not None:
        return seconds
    until, since = _date(header) or _reset(headers), _date(headers.get("date"))
    return None if until is None or since is None else max(0.0, (until - since).total_seconds())


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """Return when Okta's rate limit resets, if it is used up: ``X-Rate-Limit-Reset``, in seconds since 1970."""
    seconds = _number(headers.get("x-rate-limit-reset")) if headers.get("x-rate-limit-remaining") == "0" else None
    return None if seconds is None or seconds > _LAST else datetime.fromtimestamp(seconds, UTC)


def backoff(tries: int, chance: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after this many failed attempts: doubling, with full jitter, never more than 20."""
    return min(LONGEST_BACKOFF, FIRST_WAIT * 2.0 ** min(tries - 1, 10)) * (0.5 + chance() / 2)


def spread(seconds: float, chance: Callable[[], float] = random.random) -> float:
    """Return a wait that the org asked for, never shorter, with up to 10 % and at most one second of jitter."""
    return seconds + min(1.0, seconds / 10 + 0.05) * chance()


def _number(text: str | None) -> float | None:
    trimmed = (text or "").strip()
    return float(trimmed) if trimmed.isascii() and trimmed.isdigit() and len(trimmed) < 12 else None


def _date(text: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


EVERY: Final = 10.0
"""Seconds without a response before a line is written, and between two lines."""

log = logging.getLogger("rolecall.progress")


class Waiting:
    """Watches all requests to one server. Time counts from its last response, or from the first request."""

    def __init__(self, name: str, every: float = EVERY) -> None:
        self.name = name
        self.every = every
        self._pending = 0
        self._since = 0.0
        self._reason = ""
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def request(self) -> Iterator[None]:
        """Watch one request, including its waits and retries. Needs a running event loop."""
        self._pending += 1
        if self._pending == 1:
            self.answered()
            self._arm(self.every)
        try:
            yield
        finally:
            self._pending -= 1
            if not self._pending and self._timer is not None:
                self._timer.cancel()

    def answered(self) -> None:
        """Record a response, which restarts the timer."""
        self._since, self._reason = asyncio.get_running_loop().time(), ""

    def asked_to_wait(self, seconds: float) -> None:
        """Record that the server asked for a wait, which the next lines mention."""
        self._reason = f" (it asked to wait {seconds:.0f} s)"

    def _arm(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._report)

    def _report(self) -> None:
        silent = asyncio.get_running_loop().time() - self._since
        if silent + 0.001 < self.every:
            self._arm(self.every - silent)
            return
        log.info("waiting for %s, %.0f s%s", self.name, silent, self._reason, extra={"code": "waiting"})
        self._arm(self.every)
