"""Each request of an apply in turn goes wrong, in every way a network or an org can make it go wrong.

After each: nothing is written twice, nothing outside the plan, the journal tells the truth, and applying again ends at
desired. Waits are real but hurried: a clock that runs two hundred times as fast.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from faulty_proxy import FAULTS, FaultyProxy
from workbench import WANTED, Workbench

from rolecall.errors import RolecallError
from rolecall.live.client import OrgClient
from rolecall.live.exchange import Exchange
from rolecall.live.http import HttpTransport, base_url
from rolecall.live.pace import LoopClock
from rolecall.live.transport import Timeouts

WRITES = 3
TIMEOUTS = Timeouts(connect=1.0, read=0.4, whole=0.8)
HURRY = 200


class HurriedClock(LoopClock):
    """Waits are real, and two hundred times as short."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HURRY)

    def now(self) -> float:
        return super().now() * HURRY


def way(port: int, token: str):
    def client() -> OrgClient:
        transport = HttpTransport(base_url(f"http://127.0.0.1:{port}"), lambda: token, TIMEOUTS)
        return OrgClient(transport, Exchange(transport, HurriedClock()))

    return client


@pytest.fixture
def bench(tmp_path: Path):
    made = Workbench(tmp_path)
    with made.served() as port:
        made.port = port
        made.secret = made.token()
        yield made


def through(bench: Workbench, fault):
    """Apply through a proxy with a fault; gives the report (None where it raised), the error, and what came by."""
    bench.way = None
    approved = bench.plan(WANTED)
    with FaultyProxy(bench.port, fault) as proxy:
        bench.way = way(proxy.port, bench.secret)
        try:
            return bench.apply(approved, parallelism=2), None, proxy.seen
        except RolecallError as error:
            return None, error, proxy.seen
        finally:
            bench.way = None


@pytest.mark.parametrize("fault", FAULTS)
def test_each_request_in_turn(bench: Workbench, fault: str) -> None:
    total = len(through(bench, lambda number, seen: None)[2])
    for number in range(1, total + 1):
        bench.again()
        report, _, _ = through(bench, lambda n, seen, at=number: fault if n == at else None)
        hold_the_laws(bench, report, f"{fault} at request {number} of {total}")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_write_goes_wrong_for_ever(bench: Workbench, fault: str) -> None:
    report, error, seen = through(bench, lambda n, request: fault if request.method == "PUT" else None)
    assert error is None, error
    assert len([one for one in seen if one.method == "PUT"]) <= WRITES * 9
    hold_the_laws(bench, report, fault)


def hold_the_laws(bench: Workbench, report, told: str) -> None:
    planned = {"idp_groups/Writer-Brand", "defaults", "idp_groups/Writer-Marketing"}
    events = bench.events()
    writes = Counter(address for address, key in events if key and key.startswith("rolecall/"))
    assert set(writes) <= planned, told
    assert all(count == 1 for count in writes.values()), (told, events)
    journal = bench.journal()
    for run in journal.runs():
        for step in run.steps:
            if step.state == "done":
                assert writes[step.address] == 1, (told, step)
            if step.state in ("not_tried", "not_done", "refused"):
                assert writes[step.address] == 0, (told, step)
    assert journal.verify("org_1").problems == ()
    journal.close()
    again = bench.plan(WANTED)
    if again.changes:
        assert bench.apply(again).run.outcome == "done", told
    assert bench.plan(WANTED).changes == (), told
    after = Counter(address for address, key in bench.events() if key and key.startswith("rolecall/"))
    assert after == Counter(dict.fromkeys(planned, 1)), told
