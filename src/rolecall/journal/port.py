"""What a journal is to the rest of the house, as Protocols: memory, the lock, and the record of every run.

Every method may raise JournalError: the place cannot be read or written. Methods that take an org's id touch that
org's rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from rolecall.errors import Problem, RolecallError
from rolecall.model.desired import Applied
from rolecall.model.policy import Policy
from rolecall.model.run import Attestation, Opening, PendingWrite, Record, Run, RunKind, RunOutcome, Step, StepOutcome
from rolecall.model.settings import Address, Value
from rolecall.model.sighting import Sighting

LOG_ENTRY = "audit.entry"
"""The key of the note with the id of the entry of the org's audit log that the last apply took account of."""


class JournalError(RolecallError):
    """The journal cannot be opened, read or written, or it was tampered with."""


class LockTaken(JournalError):
    """Somebody else holds the org's lock and did not let go in time."""


class LockLost(JournalError):
    """The lock is no longer ours: nothing more may be sent."""


class Holder(NamedTuple):
    """Who holds a lock, for messages alone. ``since`` is when they got it."""

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
"""Called when a lock is taken, and again whenever its holder changes, with the holder if one is known."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run that closes leaves in memory.

    ``values`` are the managed addresses seen live as desired; ``forgotten`` addresses leave the memory (deleted,
    released). None means: leave what is remembered. ``group_ids`` and ``ids`` are added to those known, keys and
    addresses with None are taken out. ``unmanaged`` are all addresses of the inventory. ``expires`` are the addresses
    that have an end, ``ends`` their last days; ``waiting`` says since which day a group has been waited for.
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
    """How far a chain reached at some time: its entries and the hash of the last, kept outside the journal."""

    entries: int
    head: str


class Verified(NamedTuple):
    """What checking the chain found: entries looked at, entries whose content was pruned, and what is wrong.

    ``head`` is the hash of the last entry: whoever keeps it elsewhere can tell later that nothing was cut off.
    """

    entries: int
    pruned: int
    head: str
    problems: tuple[Problem, ...]


T = TypeVar("T")


def as_it_is(value: Any) -> Any:
    """Return a value as it is."""
    return value


class OrgLock(Protocol):
    """The org's lock, held by this very session."""

    def check(self) -> None:
        """Raises LockLost when the lock is no longer ours."""

    def intend(self, run: int, intents: Sequence[PendingWrite]) -> None:
        """Record writes about to be sent, all or none; nothing may be sent when this raises. Checks the lock in the
        same transaction."""

    def remember(self, run: int, news: Seen) -> None:
        """Put what was seen into the memory; checks the lock in the same transaction."""


class Journal(Protocol):
    """The memory of runs, for any number of orgs."""

    @property
    def id(self) -> str:
        """A random UUID made with the journal; part of every Idempotency-Key. A copy of the journal has the same."""

    @property
    def place(self) -> str:
        """Where it is, for messages; never with a password."""

    def lock(
        self, org_id: str, holder: Holder, timeout: float = 0, waiting: Waiting | None = None
    ) -> AbstractContextManager[OrgLock]:
        """Hold an org's lock. Waits up to ``timeout`` seconds, then raises LockTaken, naming the holder."""

    def holder(self, org_id: str) -> Holder | None:
        """Who holds an org's lock now; None when nobody does."""

    def begin(self, opening: Opening) -> int:
        """Begin a run; its number is unique in this journal."""

    def settle(self, run: int, ended: Iterable[StepOutcome]) -> None:
        """Record how writes ended; for recovery too, in the run that the steps belong to."""

    def attest(self, run: int, attestation: Attestation) -> None:
        """Record a person's word about a human step."""

    def close_run(self, run: int, outcome: RunOutcome, message: str | None = None) -> None:
        """End a run. A later entry may still settle or attest its steps."""

    def sight(self, run: int, sighting: Sighting) -> None:
        """Store who was seen to hold privileged access."""

    def prune(self, org_id: str, before: datetime) -> int:
        """Blank the content of runs that ended before a moment, but never of one with open steps, nor of the
        last; the chain stays verifiable. Answers how many runs went."""

    def applied(self, org_id: str) -> Applied:
        """What was last applied, as the planner takes it."""

    def records(self, org_id: str) -> tuple[Record, ...]:
        """The remembered values, by address."""

    def runs(
        self,
        org_id: str | None = None,
        limit: int | None = None,
        kinds: Collection[RunKind] | None = None,
        before: int | None = None,
    ) -> tuple[Run, ...]:
        """Past runs, newest first, with their steps; only of these kinds and with lower numbers, where given."""

    def orgs(self) -> tuple[str, ...]:
        """The ids of all orgs that any table of the journal has."""

    def run(self, number: int) -> Run | None:
        """One run, or None when there is none, or its content was pruned."""

    def plan(self, number: int) -> str | None:
        """The JSON text of a run's plan."""

    def open_steps(self, org_id: str) -> tuple[Step, ...]:
        """Steps with an intent and no outcome, or an unknown one, oldest first: what recovery must settle."""

    def sightings(
        self, org_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Sighting, ...]:
        """Sightings from ``since`` through ``until``, oldest first."""

    def sighting_at(self, org_id: str, at: datetime) -> tuple[Sighting | None, Sighting | None]:
        """The last sighting at or before a moment, and the first one after it."""

    def recall(self, org_id: str, key: str, read: Callable[[Any], T] = as_it_is) -> T | None:
        """A small JSON value kept under a key, as ``read`` decodes it; None when there is none. What ``read`` cannot
        decode raises JournalError. Not part of the chain."""

    def keep(self, org_id: str, key: str, value: Any) -> None:
        """Keep a small JSON value under a key; None forgets it. Not part of the chain."""

    def verify(self, org_id: str, anchor: Anchor | None = None) -> Verified:
        """Recompute the chain entry by entry, and compare the memory, the list of runs and an anchor with it."""

    def size(self) -> int:
        """Return the bytes that the journal takes: SQLite's file, or PostgreSQL's tables with their indexes."""

    def close(self) -> None:
        """Let go of the connection, and with it of any lock."""

    def __enter__(self) -> Self:
        """A journal closes itself at the end of a ``with``."""

    def __exit__(self, *exc: object) -> None: ...
