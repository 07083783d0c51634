"""Test the local org in this process: timeouts as over a socket, and parallel requests."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import pytest

from rolecall.errors import ConfigError
from rolecall.live.embedded import THREADS, EmbeddedTransport
from rolecall.live.http.transport import Answer, NoAnswer, Request, Timeouts
from rolecall.localorg.manage import Knobs, set_knobs
from rolecall.localorg.store import open_database

ORG = Request("GET", "/v1/org")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    open_database(tmp_path / "org.db").close()
    return tmp_path / "org.db"


def slow(path: Path, milliseconds: int) -> None:
    database = open_database(path)
    set_knobs(database, Knobs(latency_ms=milliseconds))
    database.close()


def send(transport: EmbeddedTransport, times: int = 1) -> list[Answer]:
    async def whole() -> list[Answer]:
        try:
            return await asyncio.gather(*(transport.send(ORG) for _ in range(times)))
        finally:
            await transport.close()

    return asyncio.run(whole())


def test_an_answer_is_the_orgs_own(path: Path) -> None:
    (answer,) = send(EmbeddedTransport(path))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["local"] is True


def test_an_answer_that_takes_too_long_is_no_answer(path: Path) -> None:
    slow(path, 400)
    with pytest.raises(NoAnswer) as caught:
        send(EmbeddedTransport(path, timeouts=Timeouts(read=0.05)))
    assert caught.value.sent
    assert caught.value.problems[0].code == "org_timeout"


def test_requests_are_worked_on_in_threads_of_their_own(path: Path) -> None:
    before = set(threading.enumerate())
    answers = send(EmbeddedTransport(path), times=3 * THREADS)
    assert {answer.status for answer in answers} == {200}
    assert set(threading.enumerate()) <= before


def test_a_transport_can_be_used_again_after_it_was_closed(path: Path) -> None:
    transport = EmbeddedTransport(path)
    assert [send(transport)[0].status, send(transport)[0].status] == [200, 200]


def test_a_token_makes_the_caller_somebody(path: Path) -> None:
    (answer,) = send(EmbeddedTransport(path, lambda: "no such token"))
    assert answer.status == 401


def test_without_the_extra_it_says_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rolecall.localorg.store", None)
    with pytest.raises(ConfigError) as caught:
        send(EmbeddedTransport(path))
    assert "pip install 'rolecall[local]'" in str(caught.value)
