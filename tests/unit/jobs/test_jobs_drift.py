"""Test the drift check over ports that can only read, and its warnings where one does not respond."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from workbench import MARKETING, NOW, Workbench

from rolecall.errors import OrgError, Problem
from rolecall.jobs.drift import DriftRequest, check_drift
from rolecall.jobs.memory import DriftMemory, sent
from rolecall.jobs.plan import PlanRequest, PlanTarget
from rolecall.model.desired import Desired
from rolecall.model.run import Opening
from rolecall.model.settings import GroupMapping, Settings

WANTED = Desired(Settings(idp_groups={"Writer-Marketing": MARKETING}))
LEAD = GroupMapping("team_admin", frozenset({"Brand"}))


class ReadOnly:
    """An org of which only what a look is handed is left."""

    def __init__(self, org: Any) -> None:
        self._org = org
        self.asked: list[Any] = []

    async def read(self, sections=None):
        return await self._org.read(sections)

    async def read_people(self, scope):
        return await self._org.read_people(scope)

    async def since(self, at):
        self.asked.append(at)
        return await self._org.since(at)

    async def find(self, key):
        raise AssertionError("nobody asks for a key")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    made = Workbench(tmp_path)
    made.apply(made.plan(WANTED))
    return made


def look(bench: Workbench, **more: Any):
    async def work():
        org, journal = bench.org(), bench.journal()
        port = ReadOnly(org)
        target, people = PlanTarget(WANTED, "acme", "local:org.db"), more.pop("people", port)
        planning = PlanRequest(target, port, people, NOW + timedelta(hours=1), NOW.date())
        request = DriftRequest(planning, DriftMemory(journal), port)
        try:
            return (await check_drift(replace(request, **more))).drift_result.report, port.asked
        finally:
            await org.close()
            journal.close()

    return asyncio.run(work())


def test_a_look_needs_no_way_to_write(bench):
    bench.write(keys="rolecall/", Writer_Marketing=LEAD)
    found, asked = look(bench)
    assert [(row.address, row.kind) for row in found.drifts] == [("idp_groups/Writer-Marketing", "other_run")]
    assert asked == [NOW - timedelta(minutes=5)]


def test_a_key_with_a_number_that_no_journal_has_is_of_no_run(bench):
    """Whoever writes to the org chooses the key."""
    with bench.journal() as journal:
        keys = f"rolecall/{journal.id}/{'9' * 40}/"
        assert not sent(journal, f"{keys}1/x")
    bench.write(keys=keys, Writer_Marketing=LEAD)
    found, _ = look(bench)
    assert [row.kind for row in found.drifts] == ["other_run"]


def test_where_nothing_moved_nobody_is_asked_who_did_it(bench):
    found, asked = look(bench)
    assert (found.drifts, asked) == ((), [])


def test_without_an_audit_log_it_is_not_known_who(bench):
    bench.write(Writer_Marketing=LEAD)
    found, _ = look(bench, audit=None)
    assert [(row.kind, row.event) for row in found.drifts] == [("console", None)]


def test_an_audit_log_that_cannot_be_read_is_told(bench):
    class Silent:
        async def since(self, at):
            raise OrgError(Problem("forbidden", "403 for the audit log"))

        async def find(self, key):
            return None

    bench.write(Writer_Marketing=LEAD)
    found, _ = look(bench, audit=Silent())
    assert [row.kind for row in found.drifts] == ["console"]
    assert [problem.message for problem in found.warnings] == [
        "the audit log could not be read, so the authors of changes are unknown: 403 for the audit log"
    ]
    assert [problem.hint for problem in found.warnings] == ["use a token that may read the audit log"]


def test_people_who_cannot_be_read_are_told_and_the_rest_is_found(bench):
    class Nobody:
        async def read_people(self, scope):
            raise OrgError(Problem("down", "the directory is down"))

    bench.write(Writer_Marketing=LEAD)
    found, _ = look(bench, people=Nobody())
    assert len(found.drifts) == 1
    assert found.sighting is None
    assert any(one.message.startswith("users were not read: the directory is down;") for one in found.warnings)


def test_the_last_apply_is_found_behind_any_number_of_looks(bench):
    with bench.journal() as journal:
        for _ in range(30):
            journal.close_run(journal.begin(Opening("org_1", "drift")), "done")
        journal.begin(Opening("org_1", "apply"))  # and one that died
        known = DriftMemory(journal).past("org_1")
        assert known.basis.name == "run 1"
        assert [run.id for run in journal.runs("org_1", 2, ("apply", "rollback"))] == [32, 1]
        assert journal.runs("org_2", 2, ("apply",)) == ()
