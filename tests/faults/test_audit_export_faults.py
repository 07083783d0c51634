"""The export of audit events over a socket, with each fault that it may have: unread is never without events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from audit_exports import PATH, WRITER, asked_query, export, record
from faulty_client import FakeClock
from faulty_org import Asked, Close, Reply, error, faulty_org, reply, script

from rolecall.errors import ConfigError
from rolecall.jobs.audit import AuditRequest, gap_problems, known_log, mark_changes, read_log
from rolecall.journal.opened import open_journal
from rolecall.journal.port import AuditStore
from rolecall.live.audit import audit_export
from rolecall.model.audit import AuditLog, AuditPosition, Gap, last_changes
from rolecall.model.live import Coverage, Live

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEEP = timedelta(days=90)


def read(base: str, store: AuditStore | None = None, now: datetime = NOW) -> AuditLog:
    async def work() -> AuditLog:
        client = audit_export(WRITER, lambda: "canary-key", lambda: now, base, FakeClock())
        try:
            known = known_log(store, WRITER)
            return await read_log(AuditRequest(client, WRITER, now - KEEP, lambda: now, known, store))
        finally:
            await client.close()

    return asyncio.run(work())


@contextmanager
def store_in(folder: Path) -> Iterator[AuditStore]:
    with open_journal("sqlite:j.db", folder) as journal:
        yield journal.audit


def numbers(log: AuditLog) -> list[Any]:
    return [item.raw["id"] for item in log.records]


def test_a_log_is_read_page_by_page_and_then_from_its_cursor(tmp_path: Path) -> None:
    with faulty_org(export([record(n) for n in range(5)])) as org, store_in(tmp_path) as store:
        log = read(org.base, store)
        assert (numbers(log), log.coverage.state) == (["0", "1", "2", "3", "4"], "complete")
        assert [asked.path for asked in org.asked] == [PATH] * len(org.asked)
        assert asked_query(org.asked[0]) == {"order": "tail", "start_date": "2026-08-22T12:00:00Z"}
        assert all(asked_query(asked).keys() == {"cursor"} for asked in org.asked[1:])
        assert org.asked[0].headers["authorization"] == "Bearer canary-key"
        before = len(org.asked)
        assert numbers(read(org.base, store)) == numbers(log)
        assert {asked_query(asked)["cursor"] for asked in org.asked[before:]} == {"5"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (error(401, "bad key"), "does not accept the token: bad key"),
        (error(403, "other organization"), "does not allow GET .*: other organization"),
        (error(404), "refused GET"),
        (reply({"items_count": 0}), "no list of records"),
        (reply("nothing"), "no list of records"),
        (reply({"data": [], "errors": [{"description": "timed out"}]}), "it states errors"),
        (reply({"data": {"events": [record()], "error": "timed out"}}), "it states errors"),
        (reply(b"<html>"), "it is not JSON"),
        (reply(b'{"data": [{"id": "1"'), "it is not JSON"),
        (
            Close(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"data": ['),
            "cut off",
        ),
        (reply({"data": [record()]}, 302, location="https://evil.example"), "redirected"),
        (error(503), "503"),
    ],
    ids=["401", "403", "404", "no list", "text", "errors", "error", "html", "cut JSON", "truncated", "redirect", "503"],
)
def test_a_log_that_cannot_be_read_is_unread(answer: Reply, message: str) -> None:
    with faulty_org(lambda _: answer) as org:
        log = read(org.base)
    assert (log.records, log.coverage.state) == ((), "unread")
    assert re.search(message, log.coverage.problem or "")


def test_a_rate_limit_is_waited_for() -> None:
    with faulty_org(script(error(429, retry_after="1"), reply({"data": [record()], "has_more": False}))) as org:
        assert numbers(read(org.base)) == ["1"]
        assert len(org.asked) == 2


def test_a_fault_after_the_first_page_leaves_a_partial_log(tmp_path: Path) -> None:
    log_of = export([record(n) for n in range(5)])
    failing = lambda asked: error(403) if asked_query(asked).get("cursor") == "4" else log_of(asked)  # noqa: E731
    with store_in(tmp_path) as store:
        with faulty_org(failing) as org:
            log = read(org.base, store)
        assert (numbers(log), log.coverage.state) == (["0", "1", "2", "3"], "partial")
        with faulty_org(log_of) as org:
            assert numbers(read(org.base, store)) == ["0", "1", "2", "3", "4"]
            assert asked_query(org.asked[0]) == {"cursor": "4"}


def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    pages = [
        reply({"data": [], "cursor": "a"}),
        reply({"data": [record()], "cursor": "b"}),
        reply({"data": [], "cursor": "b"}),
    ]
    with faulty_org(script(*pages)) as org:
        log = read(org.base)
    assert (numbers(log), log.coverage.state) == (["1"], "complete")


def test_pages_that_repeat_are_a_partial_log() -> None:
    with faulty_org(lambda _: reply({"data": [record()], "cursor": "a"})) as org:
        log = read(org.base)
    assert (numbers(log), log.coverage.state, log.coverage.problem) == (["1"], "partial", "its pages repeat")


def test_a_page_that_announces_more_must_have_a_cursor() -> None:
    with faulty_org(lambda _: reply({"data": [record()], "hasMore": True})) as org:
        log = read(org.base)
    assert (log.coverage.state, numbers(log)) == ("partial", ["1"])


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"nextPage": "/2"}, {}),
        ({"links": {"nextUrl": "/2"}}, {}),
        ({"next": {"href": "/2"}}, {}),
        ({"isLast": False}, {}),
        ({"data": {"events": [record()], "nextPage": "/2"}}, {}),
        ({}, {"link": '<https://api.writer.com/2>; rel="next"'}),
        ({}, {"x-next-cursor": "2"}),
    ],
)
def test_a_next_page_of_a_form_that_is_unknown_is_not_the_end(body: dict[str, Any], headers: dict[str, str]) -> None:
    with faulty_org(lambda _: reply({"data": [record()], **body}, **headers)) as org:
        log = read(org.base)
    assert (log.coverage.state, numbers(log)) == ("partial", ["1"])


@pytest.mark.parametrize("body", [{"cursor": None}, {"next": None, "isLast": True}, {"hasMore": False, "nextPage": 2}])
def test_a_last_page_is_the_end(body: dict[str, Any]) -> None:
    with faulty_org(lambda _: reply({"data": [record()], **body})) as org:
        assert read(org.base).coverage.state == "complete"


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", f"Mon, 01 Jan {10**20} 00:00:00 GMT"])
def test_a_clock_that_cannot_be_right_is_not_corrected(date: str) -> None:
    with faulty_org(lambda _: reply({"data": [record()], "cursor": None}, date=date)) as org:
        log = read(org.base)
    assert (log.skew, [*last_changes(log)]) == (timedelta(), ["sso"])


def test_records_out_of_order_and_repeated_are_each_once() -> None:
    with faulty_org(export([record(3), record(1), record(1), record(2)])) as org:
        assert numbers(read(org.base)) == ["1", "2", "3"]


def test_an_unknown_source_and_a_record_without_a_time_are_kept() -> None:
    records = [record(1, source="v3", whatever=[1]), record(2, createdAt=None), "text", None]
    with faulty_org(export(records)) as org:
        log = read(org.base)
    assert {item.unrecognized for item in log.records} == {"", "no time", "no action"}
    assert sorted(map(str, (item.raw for item in log.records))) == sorted(map(str, records))
    assert [item.source for item in log.records if item.counts] == ["v3"]


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(hours=-2), timedelta(seconds=3)])
def test_a_clock_that_differs_is_corrected(ahead: timedelta) -> None:
    date = format_datetime(NOW + ahead, usegmt=True)
    changed = record(1, createdAt=(NOW - timedelta(hours=1) + ahead).isoformat())
    with faulty_org(lambda _: reply({"data": [changed], "has_more": False}, date=date)) as org:
        log = read(org.base)
    for taken, expected in ((timedelta(minutes=50), None), (timedelta(minutes=70), "ann@acme.com")):
        live = Live(coverage={"sso": Coverage(taken_at=NOW - taken)})
        mark = mark_changes(live, log, NOW)[0].coverage["sso"].changed_since
        assert (mark and mark.by) == expected


def rejecting(records: list[Any], *statuses: int) -> Callable[[Asked], Reply]:
    """A log that rejects cursors, and with a second status also dates."""
    log_of = export(records, 10)

    def answer(asked: Asked) -> Reply:
        query = asked_query(asked)
        if query.get("cursor") == "old":
            return error(statuses[0], "expired")
        if "start_date" in query and len(statuses) > 1:
            return error(statuses[1], "too long ago")
        return log_of(asked)

    return answer


def with_position(store: AuditStore, at: datetime) -> None:
    store.store(WRITER, [], AuditPosition("old", at - KEEP, at), at)


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_rejected_cursor_without_records_from_before_is_a_gap(tmp_path: Path, status: int) -> None:
    last = datetime(2026, 11, 10, tzinfo=UTC)
    with store_in(tmp_path) as store, faulty_org(rejecting([record(5)], status)) as org:
        with_position(store, last)
        log = read(org.base, store)
        assert numbers(log) == ["5"]
        assert asked_query(org.asked[1]) == {"order": "tail", "start_date": "2026-11-09T00:00:00Z"}
        (problem,) = gap_problems(log, NOW - KEEP, NOW)
        assert "from 10 Nov 2026, 00:00 UTC to 12 Nov 2026, 09:05 UTC" in problem.message
        assert store.position(WRITER) == log.position


def test_a_rejected_cursor_with_records_from_before_leaves_no_gap(tmp_path: Path) -> None:
    last = datetime(2026, 11, 12, 9, 30, tzinfo=UTC)
    with store_in(tmp_path) as store, faulty_org(rejecting([record(5)], 410)) as org:
        with_position(store, last)
        assert list(gap_problems(read(org.base, store), NOW - KEEP, NOW)) == []


def test_a_date_beyond_the_retention_is_a_gap_until_now(tmp_path: Path) -> None:
    last = datetime(2026, 11, 10, tzinfo=UTC)
    with store_in(tmp_path) as store, faulty_org(rejecting([record(5)], 410, 422)) as org:
        with_position(store, last)
        log = read(org.base, store)
        assert log.position is not None
        assert [(gap.start, gap.end) for gap in log.position.gaps] == [(last, NOW)]
        assert asked_query(org.asked[2]) == {"order": "tail"}


def test_a_log_that_was_not_read_is_reported_of_an_org_that_was_read_now() -> None:
    with faulty_org(lambda _: error(403)) as org:
        log = read(org.base)
    live = Live(coverage={"sso": Coverage()})
    marked, problems = mark_changes(live, log, NOW)
    assert (marked, [problem.code for problem in problems]) == (live, ["audit_unread"])


def test_a_gap_that_is_older_than_what_is_kept_is_forgotten(tmp_path: Path) -> None:
    old = Gap(NOW - KEEP - timedelta(days=9), NOW - KEEP - timedelta(days=8))
    last = datetime(2026, 11, 12, 9, 30, tzinfo=UTC)
    with store_in(tmp_path) as store, faulty_org(rejecting([record(5)], 410)) as org:
        store.store(WRITER, [], AuditPosition("old", NOW - 2 * KEEP, last, (old,)), last)
        log = read(org.base, store)
        assert log.position is not None
        assert log.position.gaps == ()


@pytest.mark.parametrize("url", ["https://evil.example", "http://10.0.0.1", "http://api.writer.com"])
def test_a_key_is_sent_to_no_other_host(url: str) -> None:
    with pytest.raises(ConfigError):
        audit_export(WRITER, lambda: "canary-key", lambda: NOW, url)


def test_the_error_does_not_repeat_the_key() -> None:
    with faulty_org(lambda _: error(401, "the key is not valid: canary-key")) as org:
        log = read(org.base)
    assert "***" in (log.coverage.problem or "")
