"""An org or an IdP that stays silent: reported while it lasts, and ended after a limited time with a clear message."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable

import pytest
from faulty_client import FakeClock, client
from faulty_org import ORG, Asked, Close, Reply, Silence, at, error, faulty_org, reply, script, well

from rolecall.errors import OrgError, Problem
from rolecall.live.client import OrgClient
from rolecall.live.http import exchange
from rolecall.live.http.exchange import RETRIES, Exchange
from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.http.transport import Timeouts

LIMITS = Timeouts(connect=2.0, read=0.2, whole=0.5)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\n"


def read(base: str, every: float = 10.0) -> None:
    org = OrgClient(transport := HttpTransport(base_url(base), lambda: "token", LIMITS), sender := Exchange(transport))
    sender.waiting.every = every

    async def whole() -> None:
        try:
            await org.read()
        finally:
            await org.close()

    asyncio.run(whole())


def problem(answer: Callable[[Asked], Reply]) -> tuple[Problem, float, int]:
    with faulty_org(answer) as server:
        started = time.monotonic()
        with pytest.raises(OrgError) as caught:
            read(server.base)
        return caught.value.problems[0], time.monotonic() - started, len(server.asked)


def test_a_silent_org_is_not_asked_again_once_patience_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.3)
    found, seconds, tries = problem(lambda asked: Silence())
    assert found.code == "org_timeout"
    assert tries in (1, 2)  # the first try may take as long as both where the machine is busy
    assert ") sent nothing for 0.2 s in response to GET /v1/org" in found.message
    assert seconds < 5


def test_the_limit_for_a_whole_answer_ends_one_that_dribbles_without_another_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One byte every tenth of a second: each comes in time, so only the limit for the whole answer ends it."""
    monkeypatch.setattr(exchange, "PATIENCE", 0.4)
    found, seconds, tries = problem(lambda asked: itertools.chain([HEAD], itertools.repeat(b" ")))
    assert (found.code, tries) == ("org_timeout", 1)
    assert "did not complete its response to GET /v1/org within 0.5 s" in found.message
    assert seconds < 5


def test_headers_that_dribble_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.4)
    found, _, tries = problem(lambda asked: itertools.chain([b"HTTP/1.1 200 OK\r\nx: "], itertools.repeat(b"y")))
    assert (found.code, tries) == ("org_timeout", 1)


def test_the_number_of_tries_is_in_the_message() -> None:
    found, _, tries = problem(lambda asked: Close())
    assert (found.code, tries) == ("org_cut", 1 + RETRIES)
    assert found.message.endswith(" (4 attempts)")


def test_patience_counts_only_time_without_an_answer() -> None:
    """Waits that an org asks for are not silence: after them the request is sent again."""
    clock = FakeClock()
    with faulty_org(
        script(error(503, retry_after="90"), error(503, retry_after="90"), reply(ORG), Silence())
    ) as server:
        org = client(server.base, clock, timeout=0.1)
        with pytest.raises(OrgError):
            asyncio.run(org.read())
        assert len(server.paths("/v1/org")) == 3
    assert clock.slept[:2] == [90.0, 90.0]


def test_silence_is_reported_while_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rolecall.progress")
    with faulty_org(lambda asked: Silence()) as server, pytest.raises(OrgError):
        read(server.base, every=0.15)
    lines = [record.getMessage() for record in caplog.records if record.name == "rolecall.progress"]
    assert len(lines) >= 4
    assert all(line.startswith(f"waiting for {server.base.removeprefix('http://')}, ") for line in lines)


def test_requests_side_by_side_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rolecall.progress")
    with faulty_org(lambda asked: reply(ORG) if asked.path == "/v1/org" else Silence()) as server:
        started = time.monotonic()
        with pytest.raises(OrgError):
            read(server.base, every=0.5)
        seconds = time.monotonic() - started
    lines = [record for record in caplog.records if record.name == "rolecall.progress"]
    assert 1 <= len(lines) <= seconds / 0.5


def test_an_org_that_answers_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rolecall.progress")
    with faulty_org(at("/v1/teams", well)) as server:
        read(server.base, every=10.0)
    assert not [record for record in caplog.records if record.name == "rolecall.progress"]
