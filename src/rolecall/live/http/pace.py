"""Decides when a request may be sent: within the org's budget, after the waits it asked for, later after each failure.

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
        """Return seconds since some moment."""

    async def sleep(self, seconds: float) -> None:
        """Come back after that long."""


class LoopClock:
    """The clock of the running event loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Pace:
    """Lets requests out one by one, at most ``per_minute`` of them in any minute, none before a wait is over."""

    def __init__(self, clock: Clock, per_minute: int | None = None) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._recent: deque[float] = deque()
        self._not_before = 0.0

    def limit(self, per_minute: int | None) -> None:
        """Limit requests from now on to this many a minute; None removes the limit."""
        self._per_minute = per_minute if per_minute and per_minute > 0 else None

    def hold(self, seconds: float) -> None:
        """Let nothing out for that long: the org asked everybody to wait."""
        self._not_before = max(self._not_before, self._clock.now() + seconds)

    async def turn(self) -> None:
        """Return when the next request may go out."""
        while (wait := self._reserve()) > 0:
            await self._clock.sleep(wait)

    def _reserve(self) -> float:
        """Return 0 and take a place, or return how long to wait before asking again. Never awaits, so no two get one
        place."""
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
    """Return the seconds that an answer asks to wait, None where it says nothing that can be parsed.

    It is ``retry-after-ms``, or ``Retry-After`` in seconds or as a date (RFC 9110 §10.2.3). A date counts from the
    answer's own ``Date``, so that the local clock does not matter.
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
    """Return when Okta's budget starts anew, where none of it is left: ``X-Rate-Limit-Reset``, in seconds since
    1970."""
    seconds = _number(headers.get("x-rate-limit-reset")) if headers.get("x-rate-limit-remaining") == "0" else None
    return None if seconds is None or seconds > _LAST else datetime.fromtimestamp(seconds, UTC)


def backoff(tries: int, chance: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after that many failed tries: doubling, with full jitter, never more than 20."""
    return min(LONGEST_BACKOFF, FIRST_WAIT * 2.0 ** min(tries - 1, 10)) * (0.5 + chance() / 2)


def spread(seconds: float, chance: Callable[[], float] = random.random) -> float:
    """Return a wait that the org asked for, never shorter, with up to a tenth and at most a second of jitter."""
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
"""Seconds without an answer after which a line is written, and between two lines."""

log = logging.getLogger("rolecall.progress")


class Waiting:
    """Watches all requests to one server. Time counts from its last answer, or from the first request."""

    def __init__(self, name: str, every: float = EVERY) -> None:
        self.name = name
        self.every = every
        self._pending = 0
        self._since = 0.0
        self._reason = ""
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def request(self) -> Iterator[None]:
        """Watch one request, its waits and retries included. Needs a running event loop."""
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
        """Note that an answer came: the time without one begins anew."""
        self._since, self._reason = asyncio.get_running_loop().time(), ""

    def asked_to_wait(self, seconds: float) -> None:
        """Note that the server asked for a wait, which the next lines then say."""
        self._reason = f" (it asked for a wait of {seconds:.0f} s)"

    def _arm(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._report)

    def _report(self) -> None:
        silent = asyncio.get_running_loop().time() - self._since
        if silent + 0.001 < self.every:
            self._arm(self.every - silent)
            return
        log.info("waiting for %s, %.0f s%s", self.name, silent, self._reason, extra={"code": "waiting"})
        self._arm(self.every)
