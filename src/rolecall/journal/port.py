"""Defines the journal as Protocols: the last apply, the lock, and the record of every run.

Every method may raise JournalError: the place cannot be read or written. Methods with an org's id change only that
org's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from rolecall.errors import Problem, RolecallError
from rolecall.model.audit import AuditPosition, StoredRecord
from rolecall.model.desired import Applied
from rolecall.model.evidence import Confirmation
from rolecall.model.policy import Policy
from rolecall.model.run import Attestation, Opening, PendingWrite, Record, Run, RunKind, RunOutcome, Step, StepOutcome
from rolecall.model.settings import Address, Value
from rolecall.model.sighting import Sighting

LOG_ENTRY = "audit.entry"
"""Name of the note with the id of the audit log's newest entry when the last apply was planned."""

LOCAL_ORG = "org.local"
"""Name of the note with whether the last apply was to a local org. Journals of 0.1.0 do not have it."""


IDP_APP = "idp.app"
"""Name of the note with the app in the IdP that the last apply was about; empty for one that managed nothing there."""


class JournalError(RolecallError):
    """The journal cannot be opened, read or written, or it was changed by something else."""


class LockTaken(JournalError):
    """Another process holds the org's lock and did not release it in time."""


class LockLost(JournalError):
    """The lock is no longer held by this process: nothing more may be sent."""


class Holder(NamedTuple):
    """The holder of a lock, for messages only. ``since`` is when it was acquired."""

    who: str
    host: str = ""
    pid: int = 0
    since: datetime | None = None
    ci_run: str | None = None

    def __str__(self) -> str:
        place = f" on {self.host} (pid {self.pid})" if self.host else ""
        since = f" since {self.since:%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f"{self.who}{place}{since}{f', {self.ci_run}' if self.ci_run else ''}"


Waiting = Callable[[Holder | None], None]
"""Called with the holder (if known) when a lock is held by another process, and again when the holder changes."""


@dataclass(frozen=True, slots=True)
class AppliedState:
    """The state that a closing run remembers.

    ``values`` are the managed addresses that match the configuration; ``forgotten`` addresses are dropped (deleted or
    no longer managed). None means: keep what is remembered. ``group_ids`` and ``ids`` are added to the known ones; keys
    and addresses with None are dropped. ``unmanaged`` are all addresses of the inventory. ``expires`` are the addresses
    with an end, ``ends`` their last days; ``waiting`` has the day since when each pending group has been pending.
    """

    values: Mapping[Address, Value | None] = field(default_factory=dict)
    forgotten: Collection[Address] = ()
    policy: Policy | None = None
    protected: frozenset[Address] | None = None
    group_ids: Mapping[str, str | None] = field(default_factory=dict)
    ids: Mapping[Address, str | None] = field(default_factory=dict)
    unmanaged: frozenset[Address] | None = None
    expires: frozenset[Address] | None = None
    ends: Mapping[Address, date] | None = None
    waiting: Mapping[Address, date] | None = None
    config: str = ""
    commit: str | None = None


class Anchor(NamedTuple):
    """The end of a chain at some time: its number of entries and the hash of the last, kept outside the journal."""

    entries: int
    head: str


class Verified(NamedTuple):
    """The result of verifying the chain: entries checked, entries whose content was pruned, and what is wrong.

    ``head`` is the hash of the last entry. Kept elsewhere, it shows later that nothing was cut off.
    """

    entries: int
    pruned: int
    head: str
    problems: tuple[Problem, ...]


T = TypeVar("T")


def as_it_is(value: Any) -> Any:
    """Return a value unchanged."""
    return value


class OrgLock(Protocol):
    """The org's lock, held by this session."""

    def check(self) -> None:
        """Raise LockLost if this session no longer holds the lock."""

    def intend(self, run: int, intents: Sequence[PendingWrite]) -> None:
        """Record writes about to be sent, all or none; nothing may be sent if this raises. Checks the lock in the same
        transaction.
        """

    def remember(self, run: int, news: AppliedState) -> None:
        """Remember what was read; checks the lock in the same transaction."""


class AuditStore(Protocol):
    """The records of WRITER's audit logs, each log by the ID of its organization at WRITER. Not part of the chain."""

    def position(self, writer: str) -> AuditPosition | None:
        """Return how far a log was read; None if it was never read."""

    def store(self, writer: str, records: Sequence[StoredRecord], position: AuditPosition, received: datetime) -> None:
        """Add the records that are new, then advance the position: both or neither."""

    def records(self, writer: str, since: datetime | None = None, text: str = "") -> tuple[StoredRecord, ...]:
        """Return the records from a moment on that were not blanked, oldest first; only those that have a text of ASCII
        letters in them, whatever their case."""

    def prune(self, writer: str, before: datetime) -> int:
        """Blank the content of records that are older; their keys remain. Returns their number."""


class Journal(Protocol):
    """The record of runs, for any number of orgs."""

    @property
    def id(self) -> str:
        """Return a random UUID created with the journal, which is part of every Idempotency-Key. A copy has the
        same.
        """

    @property
    def place(self) -> str:
        """Return where it is, for messages; never with a password."""

    @property
    def audit(self) -> AuditStore:
        """Return the store of audit logs."""

    def lock(
        self, org_id: str, holder: Holder, timeout: float = 0, waiting: Waiting | None = None
    ) -> AbstractContextManager[OrgLock]:
        """Hold an org's lock. Waits up to ``timeout`` seconds, then raises LockTaken, naming the holder."""

    def holder(self, org_id: str) -> Holder | None:
        """Return who holds an org's lock now, or None."""

    def begin(self, opening: Opening) -> int:
        """Begin a run; its number is unique in this journal."""

    def settle(self, run: int, ended: Iterable[StepOutcome]) -> None:
        """Record how writes ended; also during recovery, in the run of the steps."""

    def attest(self, run: int, attestation: Attestation) -> None:
        """Record that a manual step was reported done."""

    def confirm(self, run: int, confirmation: Confirmation) -> bool:
        """Record that an audit log proves a manual step that was reported done. Return False if it is not unconfirmed,
        so that nothing was recorded.
        """

    def close_run(self, run: int, outcome: RunOutcome, message: str | None = None) -> None:
        """Record the outcome of a run."""

    def sight(self, run: int, sighting: Sighting) -> None:
        """Store who has privileged access."""

    def prune(self, org_id: str, before: datetime) -> int:
        """Blank the content of runs that ended before a moment, except runs with open steps and the last run; the chain
        stays verifiable. Returns the number of runs.
        """

    def applied(self, org_id: str) -> Applied:
        """Return the last apply in the planner's format."""

    def records(self, org_id: str) -> tuple[Record, ...]:
        """Return the remembered values, by address."""

    def runs(
        self,
        org_id: str | None = None,
        limit: int | None = None,
        kinds: Collection[RunKind] | None = None,
        before: int | None = None,
    ) -> tuple[Run, ...]:
        """Return past runs, newest first, with their steps; only these kinds and lower numbers, if given."""

    def orgs(self) -> tuple[str, ...]:
        """Return the ids of all orgs in any table of the journal."""

    def run(self, number: int) -> Run | None:
        """Return one run, or None if it does not exist or its content was pruned."""

    def plan(self, number: int) -> str | None:
        """Return the JSON text of a run's plan."""

    def open_steps(self, org_id: str) -> tuple[Step, ...]:
        """Return steps with an intent and no outcome, or an unknown one, oldest first: what recovery must settle."""

    def unconfirmed(self, org_id: str, since: datetime) -> tuple[Run, ...]:
        """Return the runs with unconfirmed manual steps that were reported done since a moment, newest first."""

    def sightings(
        self, org_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Sighting, ...]:
        """Return access records from ``since`` through ``until``, oldest first."""

    def sighting_at(self, org_id: str, at: datetime) -> tuple[Sighting | None, Sighting | None]:
        """Return the last access record at or before a moment, and the first one after it."""

    def recall(self, org_id: str, key: str, read: Callable[[Any], T] = as_it_is) -> T | None:
        """Return a small JSON value stored under a key, decoded by ``read``, or None. Raises JournalError if it cannot
        be decoded. Not part of the chain.
        """

    def keep(self, org_id: str, key: str, value: Any) -> None:
        """Store a small JSON value under a key; None deletes it. Not part of the chain."""

    def verify(self, org_id: str, anchor: Anchor | None = None) -> Verified:
        """Recompute the chain entry by entry, and compare the remembered values, the list of runs and an anchor with
        it.
        """

    def size(self) -> int:
        """Return the size in bytes: of SQLite's file, or of PostgreSQL's tables with their indexes."""

    def close(self) -> None:
        """Close the connection, which releases its locks."""

    def __enter__(self) -> Self:
        """Enter a ``with`` block, which closes the journal at its end."""

    def __exit__(self, *exc: object) -> None: ...
