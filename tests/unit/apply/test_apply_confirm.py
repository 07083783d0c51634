"""Test that a step is done only if the last read or the audit log confirms it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from meddler import remap
from workbench import BRAND, WANTED, Workbench

from rolecall.live.client import OrgClient
from rolecall.live.embedded import EmbeddedTransport
from rolecall.live.http.transport import Answer, Request
from rolecall.model.desired import Desired
from rolecall.model.settings import BLANK, Settings

UNMAP = Desired(Settings(idp_groups={"Writer-Marketing": BLANK}))
TEAM = {"role": "member", "teams": ["IT"]}
CHANGED_AGAIN = "was written, and then changed by someone else"


class Gateway(EmbeddedTransport):
    """Stands between rolecall and a local org; ``fault`` may answer a request instead of the org."""

    def __init__(self, folder: Path, fault: Callable[[Request], Answer | None]) -> None:
        super().__init__(folder / "org.db")
        self.fault = fault

    async def send(self, request: Request) -> Answer:
        return self.fault(request) or await super().send(request)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def through(bench: Workbench, fault: Callable[[Request], Answer | None]) -> None:
    bench.way = lambda: OrgClient(Gateway(bench.folder, fault))


def is_item(request: Request) -> bool:
    return request.path.startswith("/v1/idp-groups/")


def not_found(request: Request) -> Answer | None:
    """A gateway that knows no single group: it answers 404 to a write and to the read after it."""
    return Answer(404, {}, b"<html>no route</html>") if is_item(request) else None


def test_a_delete_that_a_gateway_answered_with_404_is_not_done_while_the_mapping_is_there(bench: Workbench):
    approved = bench.plan(UNMAP)
    through(bench, not_found)
    report = bench.apply(approved)
    assert report.run.outcome == "incomplete"
    assert [step.state for step in report.run.steps] == ["not_done"]
    assert "old value" in report.run.steps[0].problem
    assert not any(CHANGED_AGAIN in note for note in report.notes)
    bench.way = None
    assert bench.plan(UNMAP).writes == approved.writes


def test_the_next_apply_writes_what_the_gateway_kept_back(bench: Workbench):
    approved = bench.plan(UNMAP)
    through(bench, not_found)
    bench.apply(approved)
    bench.way = None
    assert bench.apply(bench.plan(UNMAP)).run.outcome == "done"
    assert bench.plan(UNMAP).changes == ()


def test_an_answer_of_success_without_a_write_is_not_done(bench: Workbench):
    def pretend(request: Request) -> Answer | None:
        if request.method == "DELETE":
            return Answer(200, {"etag": '"9"'}, b'{"deleted": true, "etag": "9"}')
        return None

    approved = bench.plan(UNMAP)
    through(bench, pretend)
    report = bench.apply(approved)
    assert [step.state for step in report.run.steps] == ["not_done"]


def test_a_step_that_no_answer_confirmed_is_unknown_where_the_org_cannot_be_read_at_the_end(bench: Workbench):
    approved = bench.plan(UNMAP)
    reads = []

    def fault(request: Request) -> Answer | None:
        reads.append(request.path)
        if len([path for path in reads if path == "/v1/org"]) > 1:
            return Answer(403, {}, b"{}")
        return not_found(request)

    through(bench, fault)
    report = bench.apply(approved)
    assert [step.state for step in report.run.steps] == ["unknown"]
    assert report.run.outcome == "incomplete"


def test_a_write_that_somebody_takes_back_at_once_stays_done_by_the_audit_log(bench: Workbench):
    approved = bench.plan(UNMAP)
    through(bench, _once_read_again(lambda: remap(bench.folder / "org.db", "bo@acme.com", "Writer-Marketing", TEAM)))
    report = bench.apply(approved)
    assert [step.state for step in report.run.steps] == ["done"]
    assert any(f"idp_groups/Writer-Marketing {CHANGED_AGAIN}" in note for note in report.notes)


@pytest.mark.parametrize("steps_left", [True, False])
def test_an_address_found_as_planned_and_changed_by_hand_afterwards_is_reported(bench: Workbench, steps_left: bool):
    desired = WANTED if steps_left else Desired(Settings(idp_groups={"Writer-Brand": BRAND}))
    approved = bench.plan(desired)
    bench.write(Writer_Brand=BRAND)
    through(bench, _once_read_again(lambda: remap(bench.folder / "org.db", "bo@acme.com", "Writer-Brand", TEAM)))
    report = bench.apply(approved)
    assert "idp_groups/Writer-Brand had the planned value when the run began, and was changed before it ended." in (
        report.notes
    )


def _once_read_again(by_hand: Callable[[], None]) -> Callable[[Request], Answer | None]:
    """Somebody writes just before the groups are listed for the second time: by the closing read."""
    listed: list[Request] = []

    def fault(request: Request) -> Answer | None:
        if request.path.startswith("/v1/idp-groups") and not is_item(request):
            listed.append(request)
            if len(listed) == 2:
                by_hand()
        return None

    return fault
