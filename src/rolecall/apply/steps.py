"""Sends steps and records them: the intent before, the outcome after, in every case."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rolecall.errors import OrgError, Problem
from rolecall.journal.port import Holder, Journal, JournalError, OrgLock, Waiting
from rolecall.live.port import IdpSideReader, IdpWriter, Org
from rolecall.model.change import Change
from rolecall.model.kinds import agrees, of_idp, split_address, unread_fields
from rolecall.model.live import Live
from rolecall.model.outcome import Done, Event, Failed, Moved, Outcome, Refused, Unknown
from rolecall.model.run import Approval, PendingWrite, Run, RunFacts, RunKind, Settled, Step, StepOutcome
from rolecall.model.settings import BLANK, UNSET, Address, Value
from rolecall.plan.value import Plan

BATCH = 200
"""Maximum number of intents that are committed together."""
NOT_A_NO = frozenset(
    f"{server}_{what}" for server in ("org", "okta") for what in ("failed", "busy", "silent", "unreachable", "timeout")
)
"""Problems in which the org, or the IdP, did not reject a write: it was overloaded or unreachable."""
FLUSH = 0.1
"""Seconds that outcomes may wait to be committed together. The next run looks up one that is lost."""


class Numbered(NamedTuple):
    """A step of the run: its number in the journal, its change, and the current ETag of its address."""

    number: int
    change: Change
    version: str | None


class Progress(NamedTuple):
    """A finished step: how many of the total are finished, and the outcome of this one."""

    ended: int
    total: int
    change: Change
    state: Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyContext:
    """The context of a run. ``now`` is a clock, in UTC; ``stop`` returns whether no further step may begin.

    ``lock_timeout`` is in seconds. ``redact`` makes the plan that the journal may keep. ``recovering`` is called with
    the dead runs, ``began`` with the run's number and its writes. ``idp`` is None if the IdP's side cannot be read,
    ``idp_writer`` if it cannot be written.
    """

    org: Org
    journal: Journal
    now: Callable[[], datetime]
    holder: Holder
    facts: RunFacts = RunFacts()
    kind: RunKind = "apply"
    approvals: tuple[Approval, ...] = ()
    parallelism: int = 8
    lock_timeout: float = 0
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None
    waiting: Waiting | None = None
    redact: Callable[[Plan], Plan] = lambda plan: plan
    recovering: Callable[[Sequence[Run]], None] = lambda _: None
    began: Callable[[int, int], None] = lambda _run, _writes: None
    idp: IdpSideReader | None = None
    idp_writer: IdpWriter | None = None


@dataclass(slots=True)
class Sender:
    """Sends the steps of one run. Before each step it calls the context's ``stop``; if that is true, no further step
    begins.

    ``began`` has the numbers of steps with an intent in the journal, ``ended`` their outcomes, ``inferred`` those
    assumed done because the value is as planned although the org accepted no write of this run. ``nonce`` is the random
    part of this run's keys.
    """

    context: ApplyContext
    held: OrgLock
    run: int
    total: int
    started: datetime
    versions: dict[Address, str | None] = field(default_factory=dict)
    began: set[int] = field(default_factory=set)
    ended: dict[int, StepOutcome] = field(default_factory=dict)
    inferred: set[int] = field(default_factory=set)
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    _unsettled: list[StepOutcome] = field(default_factory=list)
    _broken: JournalError | None = None
    _flushed: float = 0.0

    async def level(self, steps: Sequence[Numbered]) -> bool:
        """Send steps that may run concurrently. Returns whether all are done.

        Raises JournalError once nothing can be recorded any more: writes that were sent have ended then, and no more
        have begun.
        """
        slots = asyncio.Semaphore(self.context.parallelism)
        try:
            async with asyncio.TaskGroup() as group:
                for start in range(0, len(steps), BATCH):
                    batch = steps[start : start + BATCH]
                    if not self._intend(batch):
                        break
                    for step in batch:
                        await slots.acquire()
                        group.create_task(self._send(step, slots))
        finally:
            self._flush()
        if self._broken:
            raise self._broken
        return all(self.done(step.number) for step in steps)

    def done(self, number: int) -> bool:
        """Return whether a step is known to be done."""
        return number in self.ended and self.ended[number].state == "done"

    def _intend(self, steps: Sequence[Numbered]) -> bool:
        """Record intents before any write is sent. False if no more may begin; writes in progress continue."""
        if self.context.stop() or self._broken:
            return False
        try:
            self.held.intend(self.run, [self._intent(step) for step in steps])
        except JournalError as error:
            self._broken = error
            return False
        self.began.update(step.number for step in steps)
        return True

    def _intent(self, step: Numbered) -> PendingWrite:
        change = step.change
        return PendingWrite(
            step.number,
            change.address,
            change.action,
            self.key(step.number),
            self._version(step),
            change.before,
            change.after,
            change.id,
        )

    async def _send(self, step: Numbered, slots: asyncio.Semaphore) -> None:
        try:
            if self.context.stop() or self._broken:
                why = (
                    "interrupted before it was sent"
                    if self.context.stop()
                    else "not sent, because it could not be recorded"
                )
                ended = StepOutcome(step.number, step.change.address, "not_done", problem=why)
            else:
                ended = await self._write(step)
        finally:
            slots.release()
        self._end(step, ended)

    def _end(self, step: Numbered, ended: StepOutcome) -> None:
        self.ended[step.number] = ended
        if ended.version is not None:
            self.versions[step.change.address] = ended.version
        self._unsettled.append(ended)
        if not self._broken and asyncio.get_running_loop().time() - self._flushed >= FLUSH:
            self._flush()
        if ended.state != "not_done":
            self.context.progress(Progress(len(self.ended), self.total, step.change, ended.state))

    def _flush(self) -> None:
        """Commit outcomes. A failing journal must not interrupt writes in progress; it is reported after them."""
        if self._unsettled:
            try:
                self.context.journal.settle(self.run, self._unsettled)
            except JournalError as error:
                self._broken = self._broken or error
            self._unsettled = []
            self._flushed = asyncio.get_running_loop().time()

    async def _write(self, step: Numbered) -> StepOutcome:
        """Send one write; if another client was faster but changed none of its fields, send it again with the new
        version.

        It uses the same key: if the first one succeeded after all, the org repeats its response and writes nothing. If
        this run's write is in the log and the org has another value, someone reverted it, and it stays reverted.
        """
        if of_idp(step.change.address):
            return end_of(step.number, step.change, await self._write_to_idp(step))
        key = self.key(step.number)
        outcome = await self.context.org.write(step.change, self._version(step), key)
        if not isinstance(outcome, Moved):
            return end_of(step.number, step.change, outcome)
        ours = await written(self.context.org, key)
        if ours is None and satisfies(outcome.found, step.change.before):
            outcome = await self.context.org.write(step.change, outcome.version, key)
        ended = end_of(step.number, step.change, outcome)
        if isinstance(outcome, Moved) and ours is None:
            self.inferred.update((step.number,) if ended.state == "done" else ())
            return ended._replace(by=await self._who(step.change.address))
        return ended

    async def _write_to_idp(self, step: Numbered) -> Outcome:
        """Send one write to the IdP. It has no versions of fields, so a changed item is not written again."""
        if self.context.idp_writer is None:
            hint = "add `write` to the connection in `idp`"
            return Refused(Problem("idp_request", "there is no credential to write to the IdP", None, hint))
        return await self.context.idp_writer.write(step.change, self._version(step))

    async def _who(self, at: Address) -> str:
        """Return who last changed an address, if the org reports it."""
        try:
            events = [event for event in await self.context.org.since(self.started) if event.address == at]
        except OrgError:
            events = []
        return events[-1].actor if events else "someone else"

    def key(self, number: int) -> str:
        """Return the Idempotency-Key of a step. Its random part is new for each run, because a restored or copied
        journal reuses run numbers.
        """
        return f"rolecall/{self.context.journal.id}/{self.run}/{number}/{self.nonce}"

    def _version(self, step: Numbered) -> str | None:
        """Return the ETag to send: that of this run's last write to the address, if there is one."""
        return self.versions.get(step.change.address, step.version)


async def written(org: Org, key: str) -> Event | None:
    """Return the write made under a key, or None; also None if the log cannot be read."""
    try:
        event = await org.find(key)
    except OrgError:
        return None
    return event if event is not None and event.key == key else None


def end_of(number: int, change: Change, outcome: Outcome) -> StepOutcome:
    """Return the journal's record of an outcome."""
    at = change.address
    match outcome:
        case Done(after, version):
            if satisfies(after, change.after):
                return StepOutcome(number, at, "done", after, version)
            return StepOutcome(
                number, at, "failed", after, version, "the org accepted the write but has a different value"
            )
        case Failed(after):
            return StepOutcome(
                number, at, "failed", after, None, "the org accepted the write but has a different value"
            )
        case Moved(value, version):
            if satisfies(value, change.after):
                return StepOutcome(number, at, "done", value, version)
            return StepOutcome(number, at, "moved", value, version, "someone changed it after the plan was checked")
        case Refused(problem):
            state: Settled = "failed" if problem.code in NOT_A_NO else "refused"
            return StepOutcome(number, at, state, problem=str(problem))
        case Unknown(problem):
            return StepOutcome(number, at, "unknown", problem=str(problem))


def satisfies(live: Value | None, requested: Value | None) -> bool:
    """Return whether the org has the requested value. A field that was not read does not count; no entry and unmapped
    are equal.
    """
    live_value, requested_value = (None if value == BLANK else value for value in (live, requested))
    if live_value is None or requested_value is None:
        return live_value is requested_value
    return agrees(live_value, requested_value) and not unread_fields(live_value, requested_value)


def current_value(live: Live, step: Change | Step) -> Value | None:
    """Return the value that the org or the IdP has for a step now: under its group's present name, found by its ID."""
    if not of_idp(step.address):
        return live.value_now(step.address, step.id)
    entries, value = getattr(live.settings, split_address(step.address)[0]), step.after or step.before
    return None if entries is UNSET else next((entry for entry in entries.values() if entry == value), None)


def numbered(changes: Sequence[Change], versions: Mapping[Address, str]) -> list[Numbered]:
    """Return changes as steps 1, 2, ..., each with the version of its read."""
    return [Numbered(number, change, versions.get(change.address)) for number, change in enumerate(changes, 1)]
