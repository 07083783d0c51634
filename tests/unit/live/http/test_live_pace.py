"""Test waiting: budgets on a monotonic clock, and every form of Retry-After."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.live.http.pace import LONGEST_BACKOFF, MINUTE, Pace, backoff, retry_after, spread

TEN = "Sun, 22 Nov 2026 10:00:00 GMT"


class Clock:
    """Sleeping takes no time."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


async def turns(pace: Pace, clock: Clock, count: int) -> list[float]:
    """When each of that many requests went out; all ask at once."""
    out: list[float] = []

    async def one() -> None:
        await pace.turn()
        out.append(clock.now())

    await asyncio.gather(*(one() for _ in range(count)))
    return out


@given(st.integers(1, 7), st.integers(1, 30))
def test_never_more_than_the_budget_in_any_minute(per_minute: int, count: int) -> None:
    clock = Clock()
    out = sorted(asyncio.run(turns(Pace(clock, per_minute), clock, count)))
    assert len(out) == count
    for index in range(len(out) - per_minute):
        assert out[index + per_minute] - out[index] >= MINUTE - 1e-6


def test_without_a_budget_nothing_waits() -> None:
    clock = Clock()
    pace = Pace(clock, 1)
    pace.limit(0)
    assert asyncio.run(turns(pace, clock, 50)) == [1000.0] * 50


def test_when_the_org_asks_for_a_wait_nothing_goes_out() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.hold(30)
    pace.hold(5)
    assert asyncio.run(turns(pace, clock, 3)) == [1030.0] * 3


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT", "date": TEN}, 90),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 +0200", "date": TEN}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 09:59:00 GMT", "date": TEN}, 0),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT", "date": "today"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
    ids=range(17),
)
def test_retry_after_in_each_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_backoff_doubles_up_to_a_bound_with_jitter() -> None:
    assert [backoff(tries, lambda: 0.0) for tries in (1, 2, 3, 4)] == [0.25, 0.5, 1.0, 2.0]
    assert backoff(50, lambda: 1.0) == LONGEST_BACKOFF
    assert len({backoff(3) for _ in range(20)}) > 1


@given(st.floats(0, 1000), st.floats(0, 1))
def test_a_wait_that_was_asked_for_is_never_cut_short(seconds: float, chance: float) -> None:
    assert seconds <= spread(seconds, lambda: chance) <= seconds + 1.0
