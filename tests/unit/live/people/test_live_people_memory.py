"""Test that reading all users stores columns, not the objects that the org sent."""

from __future__ import annotations

import asyncio
import json
import tracemalloc

from rolecall.live.http.exchange import Exchange
from rolecall.live.http.transport import Answer, Request
from rolecall.live.people.org_api import read_directory
from rolecall.model.directory import EVERYBODY, Directory
from rolecall.model.live import Facts, Group

USERS = 16_000
PAGE = 500
GROUPS = 50


class Pages:
    """An org whose users are made as they are asked for."""

    name = "https://acme.example.com"

    async def send(self, request: Request) -> Answer:
        query = dict(request.query)
        part, count = map(int, query["partition"].split("/"))
        numbers = range(part * USERS // count, (part + 1) * USERS // count)
        first = int(query["after"]) + 1 if "after" in query else numbers.start
        rows = [self.row(number) for number in range(first, min(first + PAGE, numbers.stop))]
        more = first + PAGE < numbers.stop
        envelope = {"has_more": more, "last_id": rows[-1]["id"], "total": len(numbers), "revision": "1"}
        return Answer(200, {}, json.dumps({"data": rows, **envelope}).encode())

    def row(self, number: int) -> dict[str, object]:
        groups = [f"group-{(number * step) % GROUPS}" for step in (1, 3, 7)]
        return {
            "id": str(number),
            "email": f"user{number}@acme.com",
            "origin": "scim",
            "active": True,
            "groups": groups,
        }

    async def close(self) -> None:
        """Nothing to let go of."""


def directory() -> Directory:
    groups = {f"Group {n}": Group(id=f"group-{n}") for n in range(GROUPS)}
    facts = Facts(groups=groups, people=USERS, limits={"page": PAGE})
    return asyncio.run(read_directory(Exchange(Pages()), facts, EVERYBODY))


def test_users_of_parts_read_side_by_side_are_whole_and_in_order() -> None:
    found = directory()
    assert (len(found), found.coverage.state, found.coverage.total) == (USERS, "complete", USERS)
    assert list(found.ids) == [str(number) for number in range(USERS)]
    for number in (0, 1, USERS // 2, USERS - 1):
        person = found.person(number)
        assert person.email == f"user{number}@acme.com"
        assert set(person.groups) == {f"Group {(number * step) % GROUPS}" for step in (1, 3, 7)}


def test_the_peak_is_far_below_what_the_objects_take() -> None:
    directory()
    tracemalloc.start()
    try:
        found = directory()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / len(found) < 600, f"{peak / len(found):.0f} bytes a user"
