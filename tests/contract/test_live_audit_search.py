"""Searching the org's audit log from its newest entry back: no further than needed, and no further than is bearable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from faulty_client import run as run_faulty
from faulty_org import Asked, Reply, at, faulty_org, page
from live_site import Site, run

from rolecall.errors import OrgError
from rolecall.live.client import FIRST_PAGE, LOG_PAGES, OrgClient
from rolecall.model.change import Change
from rolecall.model.outcome import Event, LogSearch
from rolecall.model.settings import Address, Scim

LOG = "/v1/audit-log"


async def toggle(org: OrgClient, times: int) -> None:
    for number in range(times):
        live = await org.read()
        wanted = Change(Address("scim"), "update", None, Scim(manual_editing=number % 2 == 0))
        await org.write(wanted, live.versions["scim"], f"key/{number}")


def keyed(number: int) -> Callable[[Event], bool]:
    return lambda event: event.key == f"key/{number}"


def test_the_newest_entry_that_matches_is_found(site: Site) -> None:
    site.turn(page_limit=2)

    async def work(org: OrgClient) -> None:
        await toggle(org, 6)
        before = org.reads
        found = await org.search(lambda event: event.key in ("key/1", "key/3"))
        assert found.event is not None
        assert (found.event.key, found.entries, found.requests, org.reads - before) == ("key/3", 3, 2, 2)
        newest = (await org.search(keyed(5))).event
        assert newest is not None
        assert found.newest == newest.id

    run(site.client(), work)


def test_the_search_ends_at_the_entry_given(site: Site) -> None:
    async def work(org: OrgClient) -> None:
        await toggle(org, 4)
        end = (await org.search(keyed(1))).event
        assert end is not None
        assert (await org.search(keyed(0), end.id)).event is None
        assert (await org.search(keyed(1), end.id)).event is None
        assert (await org.search(keyed(2), end.id)).event is not None
        whole = await org.search(keyed(99))
        assert (whole.event, whole.whole) == (None, True)

    run(site.client(), work)


def event(number: int) -> dict[str, Any]:
    """The entry that is the number-th of a log, from its newest one."""
    minute, second = divmod(100_000 - number, 60)
    stamp = f"2026-11-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:{second:02}Z"
    return {"id": f"e{number}", "at": stamp, "actor": "okta", "channel": "scim", "address": "scim"}


def endless(asked: Asked) -> Reply:
    """A log that goes on for ever."""
    query = dict(part.split("=") for part in asked.target.partition("?")[2].split("&"))
    start = int(query.get("after", "e-1").removeprefix("e")) + 1
    return page([event(start + n) for n in range(int(query["limit"]))], more=True, total=10**9)


def search(answer: Callable[[Asked], Reply]) -> LogSearch:
    with faulty_org(at(LOG, answer)) as faulty:
        return run_faulty(faulty, lambda org: org.search(keyed(0)))


def test_a_search_ends_after_some_pages_and_says_so() -> None:
    found = search(endless)
    assert (found.event, found.newest, found.whole, found.requests) == (None, "e0", False, LOG_PAGES)
    assert found.entries == FIRST_PAGE + (LOG_PAGES - 1) * 100


@pytest.mark.parametrize(
    "answer",
    [
        page([event(5), event(4)]),
        page([event(0) | {"at": "2026-11-22T10:00:00"}]),
        page([event(0) | {"key": 7}]),
    ],
    ids=["oldest first", "no time zone", "a key that is no text"],
)
def test_a_log_that_is_not_as_the_contract_says_is_not_believed(answer: bytes) -> None:
    with pytest.raises(OrgError) as caught:
        search(lambda _: answer)
    assert caught.value.problems[0].code == "org_contract"


def test_what_is_asked_of_the_log() -> None:
    asked: list[str] = []

    def answer(request: Asked) -> Reply:
        asked.append(request.target)
        return page([event(0), event(1)])

    async def work(org: OrgClient) -> None:
        assert [found.id for found in await org.since(datetime(2026, 11, 20, 10, tzinfo=UTC))] == ["e1", "e0"]
        found = await org.find("a key")
        assert found is not None
        assert found.id == "e0"
        searched = await org.search(keyed(9))
        assert (searched.event, searched.newest, searched.entries, searched.requests) == (None, "e0", 2, 1)
        assert searched.whole

    with faulty_org(at(LOG, answer)) as faulty:
        run_faulty(faulty, work)
    assert asked == [
        f"{LOG}?since=2026-11-20T10%3A00%3A00Z&limit=100",
        f"{LOG}?key=a+key&limit=1",
        f"{LOG}?order=desc&limit={FIRST_PAGE}",
    ]
