"""Each request to Okta of an apply in turn goes wrong, in every way that Okta or a network can make it go wrong.

After each: nothing outside the plan is written, nothing is assigned or pushed twice, no step is reported done that is
not, none is reported untouched that is not, and applying again ends at desired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from idp import Fault, Okta
from idp_bench import ADDRESSES, IdpBench
from idp_repo import an_okta

from rolecall.errors import RolecallError
from rolecall.model.run import RunReport

FAULTS: dict[str, Callable[..., Fault]] = {
    **{str(status): lambda status=status, **more: Fault(status, **more) for status in (401, 403, 404, 409, 429, 500)},
    "500 after the write": lambda **more: Fault(500, after=True, **more),
    "time-out before the write": lambda **more: Fault("silence", **more),
    "time-out after the write": lambda **more: Fault("silence", after=True, **more),
    "truncated JSON": lambda **more: Fault("truncated", **more),
}
KINDS = pytest.mark.parametrize("kind", FAULTS)
FOR_EVER = 1000
CI_EXAMPLES = 100
WRITES = ["PUT", "POST", "PATCH", "DELETE"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdpBench]:
    okta = an_okta(rate_limit=1_000_000)
    with okta.served() as url:
        yield IdpBench(tmp_path_factory.mktemp("idp") / "repo", okta, url)


def requests(okta: Okta) -> set[tuple[str, str, Any]]:
    """The writes that were received, whatever became of them."""
    return {(write.method, write.path, str((write.sent, write.query))) for write in okta.writes}


class Regular(NamedTuple):
    """An apply without a fault: the methods of its requests in their order, and its writes."""

    methods: list[str]
    writes: set[tuple[str, str, Any]]

    @property
    def count(self) -> int:
        return len(self.methods)

    def numbers(self, kind: str) -> list[int]:
        """The requests that fail in turn, from 1: all writes, and in CI every fifth read, others for each fault."""
        every = 5 if settings.default.max_examples <= CI_EXAMPLES else 1
        first = list(FAULTS).index(kind) % every
        reads = [number for number, method in enumerate(self.methods, 1) if method == "GET"]
        writes = [number for number, method in enumerate(self.methods, 1) if method != "GET"]
        return sorted([*reads[first::every], *writes])


@pytest.fixture(scope="module")
def regular(bench: IdpBench) -> Regular:
    """What an apply without a fault sends."""
    bench.again()
    assert {change.address for change in bench.approved.writes} == set(ADDRESSES)
    report = bench.apply(bench.approved)
    assert report.run is not None
    assert report.run.outcome == "done"
    assert all(map(bench.reached, ADDRESSES))
    assert sorted(write.method for write in bench.okta.writes) == ["DELETE", "DELETE", "PATCH", "POST", "PUT"]
    return Regular([request.method for request in bench.okta.requests], requests(bench.okta))


def applied(bench: IdpBench, fault: Fault) -> RunReport | None:
    """Apply from the beginning with a fault, which is over afterwards; None if nothing was begun."""
    bench.again()
    bench.okta.faults.append(fault)
    try:
        return bench.apply(bench.approved)
    except RolecallError:
        return None
    finally:
        bench.okta.faults.clear()


def hold_the_laws(bench: IdpBench, report: RunReport | None, writes: set[tuple[str, str, Any]], label: str) -> None:
    okta = bench.okta
    assert requests(okta) <= writes, label
    for step in bench.steps():
        if step.state == "done":
            assert bench.reached(step.address), (label, step)
        if step.state in ("not_tried", "not_done", "refused"):
            assert bench.untouched(step.address), (label, step)
    if report is None:
        assert all(map(bench.untouched, ADDRESSES)), label
        assert bench.steps() == [], label
        return
    assert report.run is not None
    assert (report.run.outcome == "done") == all(map(bench.reached, ADDRESSES)), (label, report)
    if report.run.outcome != "done":
        bench.apply(bench.plan())
    assert all(map(bench.reached, ADDRESSES)), label
    assert requests(okta) <= writes, label
    sources = [mapping.source for mapping in okta.mappings.values()]
    assert len(sources) == len(set(sources)), label
    assert [group.name for group in okta.groups.values() if group.source].count("Marketing") == 1, label
    assert bench.open_steps() == (), label
    assert bench.plan().changes == (), label


@KINDS
def test_each_request_in_turn(bench: IdpBench, regular: Regular, kind: str) -> None:
    for number in regular.numbers(kind):
        report = applied(bench, FAULTS[kind](number=number))
        hold_the_laws(bench, report, regular.writes, f"{kind} at request {number} of {regular.count}")


@KINDS
@pytest.mark.parametrize("method", WRITES)
def test_each_write_for_ever(bench: IdpBench, regular: Regular, kind: str, method: str) -> None:
    report = applied(bench, FAULTS[kind](method=method, times=FOR_EVER))
    hold_the_laws(bench, report, regular.writes, f"{kind} at each {method}")


@KINDS
def test_everything_from_a_request_on(bench: IdpBench, regular: Regular, kind: str) -> None:
    for number in regular.numbers(kind)[::4]:
        report = applied(bench, FAULTS[kind](number=number, times=FOR_EVER))
        hold_the_laws(bench, report, regular.writes, f"{kind} from request {number} of {regular.count} on")
