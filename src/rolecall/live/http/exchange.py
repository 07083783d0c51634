"""Sends a request until it has a usable response: rate-limited, retried, logged, counted."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from rolecall.errors import Problem
from rolecall.live.http.pace import Clock, LoopClock, Pace, Waiting, backoff, retry_after, spread
from rolecall.live.http.transport import Answer, NoAnswer, Request, Transport

T = TypeVar("T")
Send = Callable[[Request], Awaitable[Answer]]

log = logging.getLogger(__name__)

RETRIES: Final = 3
"""Number of retries after no response or a 5xx."""
RETRIES_BUSY: Final = 8
"""Number of retries after 429."""
PATIENCE: Final = 60.0
"""Seconds in total that attempts of one request may end without a response before it is no longer retried."""
LONGEST_WAIT: Final = 300.0
"""The longest single wait, in seconds, that rolecall accepts from an org."""

RETRIED: Final = frozenset({429, 500, 502, 503, 504})
_NOT_DONE: Final = frozenset({429, 503})
"""Statuses that say the request was not processed. After other 5xx responses, a write may have been made."""


class Exchanged(NamedTuple):
    """The last response, or why there is none. ``doubtful``: an attempt without a response may have been processed."""

    answer: Answer | None
    lost: NoAnswer | None
    doubtful: bool
    tries: int


class Exchange:
    """The requests to one org. ``reads`` and ``writes`` count what was sent, including retries."""

    def __init__(
        self, transport: Transport, clock: Clock | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        self.transport = transport
        self.reads = 0
        self.writes = 0
        self._clock = clock or LoopClock()
        self._chance = chance
        self.pace = Pace(self._clock)
        self.waiting = Waiting(urlsplit(transport.name).netloc or transport.name)

    async def read(self, request: Request, by: Send | None = None) -> Answer:
        """Return the response to a request that changes nothing. ``by`` sends it instead of the transport's ``send``.
        Raises NoAnswer.
        """
        exchanged = await self.send(request, changes=False, by=by)
        if exchanged.answer is None:
            raise exchanged.lost or NoAnswer(no_response(self.transport.name, request), sent=True)
        return exchanged.answer

    async def send(
        self, request: Request, *, changes: bool, by: Send | None = None, repeatable: bool = True
    ) -> Exchanged:
        """Send a request, wait as requested, and retry it: after 429 up to 8 times, after no response or a 5xx up to 3
        times.

        One that is not ``repeatable`` is not retried once it may have been processed, and none whose attempts ended
        without a response for a minute in total. Every ten seconds without a response are reported on stderr.
        """
        with self.waiting.request():
            return await self._send(request, changes, by or self.transport.send, repeatable)

    async def _send(self, request: Request, changes: bool, by: Send, repeatable: bool) -> Exchanged:
        busy = failed = 0
        silent = 0.0
        doubtful = False
        while True:
            started = self._clock.now()
            answer, lost = await self._once(request, changes, by)
            silent += self._clock.now() - started if lost is not None else 0.0
            doubtful = doubtful or _is_doubtful(answer, lost)
            if answer is not None and answer.status not in RETRIED:
                return Exchanged(answer, None, doubtful and not answer.ok, busy + failed + 1)
            if answer is not None and answer.status == 429:
                busy += 1
            else:
                failed += 1
            wait = self._wait(answer, busy + failed)
            final = (lost is not None and (lost.final or silent >= PATIENCE)) or (doubtful and not repeatable)
            if final or failed > RETRIES or busy > RETRIES_BUSY or wait > LONGEST_WAIT:
                return Exchanged(answer, _counted(lost, busy + failed), doubtful, busy + failed)
            log.info(
                "waiting to retry",
                extra={"code": "trying_again", **_about(request, answer), "seconds": round(wait, 3)},
            )
            await self._clock.sleep(wait)

    async def _once(self, request: Request, changes: bool, by: Send) -> tuple[Answer | None, NoAnswer | None]:
        await self.pace.turn()
        self.writes += changes
        self.reads += not changes
        started = self._clock.now()
        try:
            answer = await by(request)
        except NoAnswer as error:
            code = error.problems[0].code
            log.info("no response", extra={"code": "no_answer", **_about(request, None), "problem": code})
            return None, error
        self.waiting.answered()
        seconds = round(self._clock.now() - started, 3)
        log.debug("answered", extra={"code": "answered", **_about(request, answer), "seconds": seconds})
        return answer, None

    def _wait(self, answer: Answer | None, tries: int) -> float:
        seconds = retry_after(answer.headers) if answer is not None else None
        if seconds is None:
            return backoff(tries, self._chance)
        if seconds <= LONGEST_WAIT:
            self.pace.hold(seconds)
            self.waiting.asked_to_wait(seconds)
        return spread(seconds, self._chance)


def no_response(server: str, request: Request) -> Problem:
    """Return the problem of a request without a response and without a reason."""
    return Problem("org_silent", f"{urlsplit(server).netloc or server} did not respond to {request}", None, "try again")


def _counted(lost: NoAnswer | None, tries: int) -> NoAnswer | None:
    """Return the error of the last attempt, with the number of attempts if there were several."""
    if lost is None or tries == 1:
        return lost
    problem = lost.problems[0]
    return NoAnswer(problem._replace(message=f"{problem.message} ({tries} attempts)"), sent=lost.sent, final=lost.final)


def may_be_done(answer: Answer) -> bool:
    """Return whether a write may have been made in spite of a response that does not accept it."""
    return answer.status >= 500 and answer.status not in _NOT_DONE


def _is_doubtful(answer: Answer | None, lost: NoAnswer | None) -> bool:
    if answer is None:
        return lost is not None and lost.sent
    return may_be_done(answer)


def _about(request: Request, answer: Answer | None) -> dict[str, object]:
    """Return what may be logged of a request: no query, no headers, no body."""
    return {"method": request.method, "path": request.path, "status": answer.status if answer else None}


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of all calls, run concurrently. If one fails, the others are canceled and its error is
    raised.
    """
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
