"""Reports on stderr that an org or an IdP has not answered yet: a line every ten seconds, whatever is under way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

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
        """Watch while one request is under way, its waits and retries included. Needs a running event loop."""
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
