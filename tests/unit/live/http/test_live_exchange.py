"""Test retries of an exchange: how often, how long, and what is logged of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import pytest

from rolecall.errors import Problem
from rolecall.live.http.exchange import PATIENCE, RETRIES, RETRIES_BUSY, Exchange, Exchanged
from rolecall.live.http.transport import Answer, NoAnswer, Request

REQUEST = Request("GET", "/v1/roles", (("page", "secret"),))


class Clock:
    """Sleeping takes no time."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class Replies:
    """Answers with each status in turn, the last one from then on; None is silence of ``seconds``."""

    name = "http://org.example"

    def __init__(self, clock: Clock, statuses: Iterable[int | None], seconds: float) -> None:
        self.clock = clock
        self.statuses = list(statuses)
        self.seconds = seconds

    async def send(self, request: Request) -> Answer:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is not None:
            return Answer(status, {})
        self.clock.at += self.seconds
        raise NoAnswer(Problem("org_silent", "no response"), sent=True)

    async def close(self) -> None:
        """Nothing is open."""


def exchanged(*statuses: int | None, seconds: float = 1.0) -> Exchanged:
    clock = Clock()
    exchange = Exchange(Replies(clock, statuses, seconds), clock, lambda: 1.0)
    result = asyncio.run(exchange.send(REQUEST, changes=False))
    assert exchange.reads == result.tries
    return result


@pytest.mark.parametrize(
    ("statuses", "tries"),
    [
        ((200,), 1),
        ((429,), RETRIES_BUSY + 1),
        ((500,), RETRIES + 1),
        ((None,), RETRIES + 1),
        ((*[429] * RETRIES_BUSY, 200), RETRIES_BUSY + 1),
        ((*[429] * RETRIES_BUSY, 500, 500, 200), RETRIES_BUSY + 3),
        ((None, None, 200), 3),
    ],
)
def test_busy_and_failed_attempts_are_counted_apart(statuses: tuple[int | None, ...], tries: int) -> None:
    assert exchanged(*statuses).tries == tries


@pytest.mark.parametrize(("seconds", "tries"), [(PATIENCE, 1), (PATIENCE / 2, 2), (PATIENCE / 2 - 1, 3)])
def test_a_minute_of_silence_in_total_ends_the_attempts(seconds: float, tries: int) -> None:
    result = exchanged(None, seconds=seconds)
    assert result.answer is None
    assert result.tries == tries


def test_the_log_names_the_request_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        exchanged(503, 200)
    (record,) = [record for record in caplog.records if record.getMessage() == "waiting to retry"]
    about = {name: getattr(record, name) for name in ("code", "method", "path", "status", "seconds")}
    assert about == {"code": "trying_again", "method": "GET", "path": "/v1/roles", "status": 503, "seconds": 0.5}
