"""Sends steps and records them: intent before, outcome after, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rolecall.journal.port import Held, Journal
from rolecall.live.port import Org
from rolecall.model.change import Change
from rolecall.model.fields import agrees
from rolecall.model.outcome import Done, Failed, Moved, Outcome, Refused, Unknown
from rolecall.model.run import Ended, Intent, Settled
from rolecall.model.settings import BLANK, Address, Value

BATCH = 200
"""Intents that commit together, at most."""


class Numbered(NamedTuple):
    """A step of the run: its number in the journal, its change, and the ETag its address has now."""

    number: int
    change: Change
    version: str | None


class Progress(NamedTuple):
    """One step ended: how many of how many are through, and how this one went."""

    ended: int
    total: int
    change: Change
    state: Settled


@dataclass(slots=True)
class Sender:
    """Sends the steps of one run. ``stop`` is asked before each step; when it says yes no further step is begun."""

    org: Org
    journal: Journal
    held: Held
    run: int
    parallelism: int
    stop: Callable[[], bool]
    progress: Callable[[Progress], None]
    total: int
    versions: dict[Address, str | None] = field(default_factory=dict)
    ended: dict[int, Ended] = field(default_factory=dict)

    async def level(self, steps: Sequence[Numbered]) -> bool:
        """Send steps that may run side by side. Answers whether all are done."""
        for start in range(0, len(steps), BATCH):
            batch = [step for step in steps[start : start + BATCH] if not self.stop()]
            if not batch:
                return False
            await self._batch(batch)
        return all(step.number in self.ended and self.ended[step.number].state == "done" for step in steps)

    async def _batch(self, steps: Sequence[Numbered]) -> None:
        self.held.intend(self.run, [self._intent(step) for step in steps])
        slots = asyncio.Semaphore(self.parallelism)
        try:
            async with asyncio.TaskGroup() as group:
                for step in steps:
                    group.create_task(self._one(step, slots))
        finally:
            self.journal.settle(self.run, [self.ended[s.number] for s in steps if s.number in self.ended])

    def _intent(self, step: Numbered) -> Intent:
        change = step.change
        return Intent(
            step.number,
            change.address,
            change.action,
            self._key(step.number),
            self._version(step),
            change.before,
            change.after,
        )

    async def _one(self, step: Numbered, slots: asyncio.Semaphore) -> None:
        async with slots:
            if self.stop():
                self.ended[step.number] = Ended(
                    step.number, step.change.address, "not_done", problem="interrupted before it was sent"
                )
                return
            ended = await self._write(step)
        self.ended[step.number] = ended
        if ended.version is not None:
            self.versions[step.change.address] = ended.version
        self.progress(Progress(len(self.ended), self.total, step.change, ended.state))

    async def _write(self, step: Numbered) -> Ended:
        """One write; where somebody was faster but changed nothing of ours, one more with the new version."""
        key = self._key(step.number)
        outcome = await self.org.write(step.change, self._version(step), key)
        if isinstance(outcome, Moved) and same(outcome.found, step.change.before):
            outcome = await self.org.write(step.change, outcome.version, f"{key}/again")
        ended = settle(step.number, step.change, outcome)
        if isinstance(outcome, Moved) and ended.state == "done":
            event = await self.org.find(key)
            return ended._replace(by=event.actor if event else "somebody else")
        return ended

    def _key(self, number: int) -> str:
        return f"rolecall/{self.journal.id}/{self.run}/{number}"

    def _version(self, step: Numbered) -> str | None:
        """The ETag to send: that of our own last write to the address, where there was one."""
        return self.versions.get(step.change.address, step.version)


def settle(number: int, change: Change, outcome: Outcome) -> Ended:
    """What the journal says about an outcome."""
    at = change.address
    match outcome:
        case Done(after, version):
            if same(after, change.after):
                return Ended(number, at, "done", after, version)
            return Ended(number, at, "failed", after, version, "the org took the write but holds something else")
        case Failed(after):
            return Ended(number, at, "failed", after, None, "the org took the write but holds something else")
        case Moved(found, version):
            if same(found, change.after):
                return Ended(number, at, "done", found, version)
            return Ended(number, at, "moved", found, version, "somebody changed it after the plan was checked")
        case Refused(problem):
            return Ended(number, at, "refused", problem=str(problem))
        case Unknown(problem):
            return Ended(number, at, "unknown", problem=str(problem))


def same(found: Value | None, wanted: Value | None) -> bool:
    """Whether what the org holds is what was wanted, on the fields it speaks about. No entry and blank are one."""
    held, asked = (None if value == BLANK else value for value in (found, wanted))
    if held is None or asked is None:
        return held is asked
    return agrees(held, asked)


def numbered(
    changes: Sequence[Change], numbers: Mapping[tuple[str, str], int], versions: Mapping[Address, str]
) -> list[Numbered]:
    """Changes as steps, each with its number in the run and the version it was read at."""
    return [
        Numbered(numbers[change.address, change.action], change, versions.get(change.address)) for change in changes
    ]
