"""Implements the lock of one org: acquired with a timeout, and checked again before every intent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rolecall.errors import Problem
from rolecall.journal.content import body, read
from rolecall.journal.database import RESUME, Database, decoding
from rolecall.journal.port import Holder, JournalError, LockLost, LockTaken, Waiting

_SLICE = 1.0
"""Seconds after which a waiting process checks again who the holder is."""


class Lock:
    """One org's lock in one journal. It never expires; the holder's row is only for messages."""

    def __init__(self, database: Database, journal: str, org_id: str) -> None:
        self._database = database
        self._name = f"{journal}/{org_id}"
        self._org_id = org_id

    def take(self, holder: Holder, timeout: float, waiting: Waiting | None) -> None:
        """Wait up to ``timeout`` seconds by a monotonic clock. Raises LockTaken, naming the holder."""
        end = time.monotonic() + timeout
        taken, reported = self._database.grab(self._name, 0), False
        holder_before: Holder | None = None
        while not taken and (left := end - time.monotonic()) > 0:
            holder_now = self._recorded_holder()
            if waiting is not None and (not reported or holder_now != holder_before):
                waiting(holder_now)
            reported, holder_before = True, holder_now
            taken = self._database.grab(self._name, min(left, _SLICE))
        if not taken:
            raise self._refusal(timeout)
        self._sign(holder)

    def release(self) -> None:
        self._database.release(self._name)

    def holder(self) -> Holder | None:
        """Return who holds it now; an unknown holder if no name is recorded."""
        return (self._recorded_holder() or Holder("unknown holder")) if self._database.taken(self._name) else None

    def check(self) -> None:
        """Raise LockLost unless this session holds the lock."""
        try:
            ours = self._database.holds(self._name)
        except JournalError as error:
            raise LockLost(*error.problems) from error
        if not ours:
            lock = f"the lock of {self._org_id} in the journal {self._database.place}"
            message = f"{lock} is no longer held by this run, so the run sent no further changes"
            raise LockLost(Problem("lock_lost", message, None, RESUME))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction during which the lock is certainly held. A session lock cannot be lost while its session
        is in a transaction, and a session that has ended cannot commit.
        """
        try:
            with self._database.transaction():
                self.check()
                yield
        except LockLost:
            raise
        except JournalError as error:
            if not self._database.connected:
                raise LockLost(*error.problems) from error
            raise

    def _sign(self, holder: Holder) -> None:
        try:
            with self._database.transaction():
                self._database.change(_SIGN, self._org_id, body(holder))
        except JournalError:
            self.release()
            raise

    def _recorded_holder(self) -> Holder | None:
        selected = self._database.select("SELECT holder FROM rolecall_holders WHERE org_id = ?", self._org_id)
        if not selected:
            return None
        with decoding(self._database.place, f"rolecall_holders, org {self._org_id}"):
            return read(Holder, selected[0][0])

    def _refusal(self, timeout: float) -> LockTaken:
        waited = f" after {timeout:g} seconds" if timeout else ""
        message = f"another run holds the lock of {self._org_id}{waited}: {self._recorded_holder() or 'unknown holder'}"
        hint = (
            "wait for it with --lock-timeout SECONDS; the lock ends with that run, also if the run is killed. "
            "To see the run: rolecall history"
        )
        return LockTaken(Problem("lock_taken", message, None, hint))


_SIGN = (
    "INSERT INTO rolecall_holders (org_id, holder) VALUES (?, ?) "
    "ON CONFLICT (org_id) DO UPDATE SET holder = excluded.holder"
)
