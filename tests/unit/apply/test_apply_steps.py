"""Steps side by side: how many, what is recorded before them, and what goes on while one of them takes long."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from rolecall.apply import steps
from rolecall.apply.steps import ApplyContext, Sender, numbered
from rolecall.errors import Problem
from rolecall.journal.port import Holder, JournalError
from rolecall.model.change import Change, Done
from rolecall.model.settings import GroupMapping

GIVES = GroupMapping("member", frozenset({"Brand"}))
NUMBERED = numbered([Change(f"idp_groups/G{n}", "create", None, GIVES) for n in range(6)], {})


class Log:
    """A journal and its lock, as far as a sender asks of them. ``full`` is how many batches of intents it takes."""

    id = "j"

    def __init__(self, full: int = 99) -> None:
        self.intents: list[list[int]] = []
        self.settled: list[int] = []
        self._full = full

    def intend(self, _run, intents):
        if len(self.intents) == self._full:
            raise JournalError(Problem("journal", "no room"))
        self.intents.append([intent.number for intent in intents])

    def settle(self, _run, ended):
        self.settled += [end.number for end in ended]


class SlowOrg:
    """An org in which the first write ends once ``until`` others were begun."""

    def __init__(self, until: int) -> None:
        self.begun = 0
        self.most = self._now = 0
        self._until = until
        self._enough = asyncio.Event()

    async def write(self, change, _version, _key):
        self.begun += 1
        self._now += 1
        self.most = max(self.most, self._now)
        if self.begun > self._until:
            self._enough.set()
        if change.address == "idp_groups/G0":
            await self._enough.wait()
        self._now -= 1
        return Done(change.after, None)


def send(log: Log, until: int) -> SlowOrg:
    async def run() -> SlowOrg:
        org = SlowOrg(until)
        now = datetime(2026, 11, 22, tzinfo=UTC)
        context = ApplyContext(org=org, journal=log, holder=Holder("test"), now=lambda: now, parallelism=2)
        sender = Sender(context, log, 1, 6, now)
        try:
            await sender.level(NUMBERED)
        finally:
            log.settled.sort()
        return org

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH", 2)


def test_a_step_that_takes_long_does_not_hold_up_those_of_the_next_batch():
    log = Log()
    org = send(log, until=5)
    assert (org.begun, org.most) == (6, 2)
    assert log.intents == [[1, 2], [3, 4], [5, 6]]
    assert log.settled == [1, 2, 3, 4, 5, 6]


def test_what_is_in_hand_ends_and_is_kept_when_no_more_intents_can_be_recorded():
    log = Log(full=1)
    with pytest.raises(JournalError, match="no room"):
        send(log, until=1)
    assert log.settled == [1, 2]
