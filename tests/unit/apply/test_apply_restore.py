"""Test a journal restored from a backup or copied: no key is sent twice, and writes of other runs are not trusted."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from workbench import BRAND, MARKETING, NOW, Workbench

from rolecall.apply.settle import look_up
from rolecall.apply.steps import written
from rolecall.jobs.memory import sent_under
from rolecall.model.desired import Desired
from rolecall.model.live import Coverage, Live
from rolecall.model.outcome import Event
from rolecall.model.run import Step
from rolecall.model.settings import BLANK, GroupMapping, Settings

AT = "idp_groups/Writer-Marketing"
IT = GroupMapping("member", frozenset({"IT"}))


def mapped(value: GroupMapping) -> Desired:
    return Desired(Settings(idp_groups={"Writer-Marketing": value, "Writer-Brand": value}))


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def applied(bench: Workbench, value: GroupMapping) -> None:
    report = bench.apply(bench.plan(mapped(value)))
    assert (report.run.outcome, {step.state for step in report.run.steps}) == ("done", {"done"})


def keys_by_step(bench: Workbench) -> dict[tuple[int, int], str]:
    """The keys of the last two writes, by the numbers of their run and step."""
    return {tuple(map(int, key.split("/")[2:4])): key for _, key in bench.events()[-2:]}


def test_a_restored_journal_applies_and_sends_no_key_twice(bench: Workbench) -> None:
    applied(bench, BRAND)
    backup = shutil.copy(bench.folder / bench.journal_name, bench.folder / "backup.db")
    for value in (IT, BRAND, IT, BRAND, IT):
        applied(bench, value)
    shutil.copy(backup, bench.folder / bench.journal_name)
    for value in (MARKETING, BRAND, IT, MARKETING, BRAND, IT):
        applied(bench, value)
    keys = [key for _, key in bench.events()]
    assert len(keys) == len(set(keys)) == 2 * 12


def test_two_copies_of_a_journal_apply_in_turns(bench: Workbench) -> None:
    applied(bench, BRAND)
    first, second = bench.journal_name, "copy.db"
    shutil.copy(bench.folder / first, bench.folder / second)
    for name, value in ((first, IT), (second, MARKETING), (first, BRAND), (second, IT)):
        bench.journal_name = name
        applied(bench, value)


def test_a_write_of_a_run_that_the_restored_journal_has_lost_is_not_taken_for_its_own(bench: Workbench) -> None:
    applied(bench, BRAND)
    backup = shutil.copy(bench.folder / bench.journal_name, bench.folder / "backup.db")
    applied(bench, IT)
    lost = keys_by_step(bench)
    shutil.copy(backup, bench.folder / bench.journal_name)
    applied(bench, MARKETING)
    mine = keys_by_step(bench)
    assert lost.keys() == mine.keys() == {(2, 1), (2, 2)}
    with bench.journal() as journal:
        assert all(sent_under(journal, *step, key) for step, key in mine.items())
        assert not any(sent_under(journal, *step, key) for step, key in lost.items())


class Log:
    """An audit log with one write, which it answers whatever is asked for."""

    def __init__(self, event: Event) -> None:
        self.event = event

    async def find(self, key: str) -> Event:
        return self.event


OLD = "rolecall/j/3/1"
NEW = "rolecall/j/3/1/0011223344556677"


def event(key: str, at: str = AT, minutes: int = 1) -> Event:
    return Event("e1", NOW + timedelta(minutes=minutes), "ann@acme.com", "api", at, None, None, key)


@pytest.mark.parametrize(
    ("key", "write", "state"),
    [
        (NEW, event(NEW), "done"),
        (NEW, event(NEW, "idp_groups/Renamed"), "done"),
        (OLD, event(OLD), "done"),
        (OLD, event(OLD, "idp_groups/Writer-Brand"), "unknown"),
        (OLD, event(OLD, minutes=-60), "unknown"),
        (NEW, event(NEW[:-1]), "unknown"),
    ],
    ids=["own", "own, renamed since", "own of 0.1.0", "other address", "older than the step", "other key"],
)
def test_recovery_believes_only_the_write_of_the_step_itself(key: str, write: Event, state: str) -> None:
    live = Live(settings=Settings(idp_groups={"Writer-Marketing": IT}), coverage={"idp_groups": Coverage("complete")})
    step = Step(3, 1, AT, "update", "api", BLANK, BRAND, "open", key=key, at=NOW)
    assert asyncio.run(look_up(step, Log(write), live)).state == state


def test_an_answer_about_another_key_is_no_answer() -> None:
    assert asyncio.run(written(Log(event(OLD)), NEW)) is None
