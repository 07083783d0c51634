"""The usage data over a socket, with each fault that it may have: unread is never without users."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from audit_exports import asked_query
from faulty_client import FakeClock
from faulty_org import Asked, Close, Reply, error, faulty_org, reply, script
from usage_data import PATH, WRITER, page_of, row, usage

from rolecall.errors import ConfigError
from rolecall.jobs.usage import read_usage
from rolecall.live.usage import ATTEMPTS, usage_data
from rolecall.model.usage import UsageReading, UsageRow

ROWS = [row(n) for n in range(5)]


def read(base: str) -> UsageReading:
    async def work() -> UsageReading:
        client = usage_data(WRITER, lambda: "canary-key", base, FakeClock())
        try:
            return await read_usage(client, "2026-11")
        finally:
            await client.close()

    return asyncio.run(work())


def names(reading: UsageReading) -> list[str]:
    assert reading.problem is None
    return [usage_row.name for usage_row in reading.rows]


def test_all_pages_of_a_month_are_read() -> None:
    with faulty_org(usage(ROWS)) as org:
        reading = read(org.base)
        assert reading.rows == tuple(UsageRow(f"User {n}", 100) for n in range(5))
        assert [asked.path for asked in org.asked] == [PATH] * 3
        assert [asked_query(asked) for asked in org.asked] == [
            {"month": "2026-11", "limit": "100", "offset": str(offset)} for offset in (0, 2, 4)
        ]
        assert org.asked[0].headers["authorization"] == "Bearer canary-key"


def test_a_month_without_usage_is_read() -> None:
    with faulty_org(usage([])) as org:
        assert names(read(org.base)) == []
        assert len(org.asked) == 1


def test_a_page_size_that_is_refused_is_left_to_the_server() -> None:
    def answer(asked: Asked) -> Reply:
        return error(400, "limit is at most 50") if "limit" in asked_query(asked) else usage(ROWS)(asked)

    with faulty_org(answer) as org:
        assert len(names(read(org.base))) == 5


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (error(400, "no such month"), "no such month"),
        (error(401, "bad key"), "does not accept the token: bad key; check that `usage.token`"),
        (error(403, "team key"), "does not allow GET .*: team key; use a key with access to all teams"),
        (error(404), "refused GET"),
        (reply({"data": []}), "`pagination` is missing"),
        (reply([]), "wrong type"),
        (reply(b"<html>"), "it is not JSON"),
        (reply(b'{"data": [{"scope_id": "1"'), "it is not JSON"),
        (
            Close(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"data": ['),
            "cut off",
        ),
        (reply({}, 302, location="https://evil.example"), "redirected"),
        (error(503), "503"),
        (page_of([{**row(1), "total_tokens": None}], 0, 1), "not a whole number"),
        (page_of([{**row(1), "total_tokens": -1}], 0, 1), "not a whole number"),
        (page_of([{**row(1), "total_tokens": True}], 0, 1), "not a whole number"),
        (page_of([{**row(1), "scope_name": 7}], 0, 1), "wrong type"),
        (page_of([{"scope_name": "Ann", "total_tokens": 1}], 0, 1), "`scope_id` is missing"),
        (page_of([], 0, 3), "its total is 3, but it has 0 rows"),
        (page_of([row(1)], 5, 6), "the page from row 0 starts at row 5"),
        (page_of([row(1), row(2)], 0, 1), "changed while they were read"),
        (page_of([row(1), row(1)], 0, 2), "changed while they were read"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_data_that_cannot_be_read_is_unread(answer: Reply, message: str) -> None:
    with faulty_org(lambda _: answer) as org:
        reading = read(org.base)
    assert reading.rows == ()
    assert re.search(message, reading.problem or "")
    assert "canary-key" not in (reading.problem or "")


def test_a_rate_limit_is_waited_for() -> None:
    with faulty_org(script(error(429, retry_after="1"), page_of([row(1)], 0, 1))) as org:
        assert names(read(org.base)) == ["User 1"]
        assert len(org.asked) == 2


def test_a_rate_limit_that_does_not_end_is_unread() -> None:
    with faulty_org(lambda _: error(429)) as org:
        assert "rate limit" in (read(org.base).problem or "")


def once(first: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    """Answer the first two requests in another way."""
    requests: list[Asked] = []

    def answer(asked: Asked) -> Reply:
        requests.append(asked)
        return first(asked) if len(requests) == 2 else usage(ROWS)(asked)

    return answer


SHIFTS = {
    "total": lambda asked: page_of(ROWS[2:4], 2, 6),
    "repeated page": lambda asked: page_of(ROWS[0:2], 2, 5),
    "repeated row": lambda asked: page_of([ROWS[1], ROWS[2]], 2, 5),
    "another page": lambda asked: page_of(ROWS[0:2], 0, 5),
    "empty page": lambda asked: page_of([], 2, 5),
}


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS.keys())
def test_rows_that_change_between_pages_are_read_again(shift: Callable[[Asked], Reply]) -> None:
    with faulty_org(once(shift)) as org:
        assert names(read(org.base)) == [f"User {n}" for n in range(5)]
        assert len(org.asked) == 2 + 3


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS.keys())
def test_rows_that_always_change_are_unread(shift: Callable[[Asked], Reply]) -> None:
    def answer(asked: Asked) -> Reply:
        return usage(ROWS)(asked) if asked_query(asked)["offset"] == "0" else shift(asked)

    with faulty_org(answer) as org:
        reading = read(org.base)
        assert reading.rows == ()
        assert "the response to GET" in (reading.problem or "")
        assert len(org.asked) == 2 * ATTEMPTS


def test_a_key_is_sent_to_this_machine_or_to_writer_only() -> None:
    with pytest.raises(ConfigError, match="only be an address of this machine"):
        usage_data(WRITER, lambda: "canary-key", "https://evil.example")
