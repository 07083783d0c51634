"""Each request of an apply in turn goes wrong, in every way a network or an org can make it go wrong.

After each: nothing is written twice, nothing outside the plan, the journal tells the truth, and applying again ends at
desired. Waits are real but hurried: two hundred times as short.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from faulty_proxy import FAULTS, FaultyProxy
from workbench import PLANNED, REQUESTS, WANTED, Workbench

from rolecall.errors import RolecallError
from rolecall.live.client import OrgClient
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.http.pace import LoopClock
from rolecall.live.http.transport import Timeouts

WRITES = 3
TIMEOUTS = Timeouts(connect=1.0, read=0.25, whole=0.5)
HURRY = 200


class HurriedClock(LoopClock):
    """Waits are real, and two hundred times as short; a busy machine is not an outage."""

    def __init__(self) -> None:
        self._skipped = 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HURRY)
        self._skipped += seconds - seconds / HURRY

    def now(self) -> float:
        return super().now() + self._skipped


def way(port: int, token: str):
    def client() -> OrgClient:
        transport = HttpTransport(base_url(f"http://127.0.0.1:{port}"), lambda: token, TIMEOUTS)
        return OrgClient(transport, Exchange(transport, HurriedClock()))

    return client


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory):
    made = Workbench(tmp_path_factory.mktemp("bench"))
    with made.served() as port:
        made.port, made.secret, made.approved = port, made.token(), made.plan(WANTED)
        yield made


def through(bench: Workbench, fault):
    """Apply through a proxy with a fault; gives the report (None where it raised), the error, and what came by."""
    bench.again()
    with FaultyProxy(bench.port, fault) as proxy:
        bench.way = way(proxy.port, bench.secret)
        try:
            return bench.apply(bench.approved, parallelism=2), None, proxy.seen
        except RolecallError as error:
            return None, error, proxy.seen
        finally:
            bench.way = None


def test_without_a_fault_an_apply_takes_its_reads_and_a_request_a_change(bench: Workbench) -> None:
    """What verifying reads, people included, one write a change, what was touched once more, and who is there now."""
    report, _, seen = through(bench, lambda number, request: None)
    assert report.run.outcome == "done"
    assert [one.method for one in seen].count("PUT") + [one.method for one in seen].count("DELETE") == WRITES
    closing = ["/v1/access/defaults", "/v1/idp-groups", "/v1/org", "/v1/people"]
    assert sorted(one.path.partition("?")[0] for one in seen[-4:]) == closing
    assert len(seen) == REQUESTS


@pytest.mark.parametrize("fault", FAULTS)
def test_each_request_in_turn(bench: Workbench, fault: str) -> None:
    for number in range(1, REQUESTS + 1):
        report, _, _ = through(bench, lambda n, seen, at=number: fault if n == at else None)
        hold_the_laws(bench, report, f"{fault} at request {number} of {REQUESTS}")


@pytest.mark.parametrize("fault", FAULTS)
def test_every_write_goes_wrong_for_ever(bench: Workbench, fault: str) -> None:
    report, error, seen = through(bench, lambda n, request: fault if request.method == "PUT" else None)
    assert error is None, error
    assert len([one for one in seen if one.method == "PUT"]) <= WRITES * 9
    hold_the_laws(bench, report, fault)


def hold_the_laws(bench: Workbench, report, told: str) -> None:
    """Fewer looks at the org where the run says that all is done: the journal and the log are asked all the same."""
    events = bench.events()
    writes = Counter(address for address, key in events if key and key.startswith("rolecall/"))
    assert set(writes) <= PLANNED, told
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
    if report is None or report.run.outcome != "done":
        again = bench.plan(WANTED)
        if again.changes:
            assert bench.apply(again).run.outcome == "done", told
        after = Counter(address for address, key in bench.events() if key and key.startswith("rolecall/"))
        assert after == Counter(dict.fromkeys(PLANNED, 1)), told
    assert bench.plan(WANTED).changes == (), told
