"""Implements the journal over a database: the chain is authoritative for runs, other tables hold remembered values.

Also blanks old runs in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar

from rolecall.errors import Problem
from rolecall.journal import chain, content, memory, verify
from rolecall.journal.chain import Draft, Entry, canonical
from rolecall.journal.content import PREFIX, reference_of
from rolecall.journal.database import Database, damaged
from rolecall.journal.lock import Lock
from rolecall.journal.port import (
    IDP_APP,
    LOCAL_ORG,
    LOG_ENTRY,
    Anchor,
    AppliedState,
    AuditStore,
    Holder,
    JournalError,
    OrgLock,
    Verified,
    Waiting,
    as_it_is,
)
from rolecall.model.desired import Applied
from rolecall.model.evidence import Confirmation
from rolecall.model.run import (
    Attestation,
    Closing,
    Opening,
    PendingWrite,
    Record,
    Run,
    RunKind,
    RunOutcome,
    Step,
    StepOutcome,
)
from rolecall.model.sighting import Sighting

Clock = Callable[[], datetime]
T = TypeVar("T")


class SqlJournal:
    """See ``journal.port.Journal``. ``clock`` provides the moments of entries; no decision depends on it."""

    def __init__(self, database: Database, journal: str, clock: Clock) -> None:
        self.id = journal
        self._database = database
        self._clock = clock

    @property
    def place(self) -> str:
        return self._database.place

    @property
    def audit(self) -> AuditStore:
        from rolecall.journal.audit import SqlAuditStore

        return SqlAuditStore(self._database)

    def size(self) -> int:
        return self._database.size()

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def lock(
        self, org_id: str, holder: Holder, timeout: float = 0, waiting: Waiting | None = None
    ) -> Iterator[OrgLock]:
        """Hold an org's lock, by the journal's clock. Raises LockTaken."""
        lock = Lock(self._database, self.id, org_id)
        lock.take(holder._replace(since=self._clock()), timeout, waiting)
        try:
            yield _SqlOrgLock(self, lock, org_id)
        finally:
            lock.release()

    def holder(self, org_id: str) -> Holder | None:
        return Lock(self._database, self.id, org_id).holder()

    def begin(self, opening: Opening) -> int:
        """Record the beginning of a run, with its plan if it has one; return its number."""
        at = self._now()
        with self._database.transaction():
            run = int(
                self._database.select(
                    "INSERT INTO rolecall_runs (org_id, kind, started_at) VALUES (?, ?, ?) RETURNING id",
                    opening.org_id,
                    opening.kind,
                    at,
                )[0][0]
            )
            drafts = [Draft(run, 0, "begin", at, content.body(opening))]
            drafts += [Draft(run, 0, "plan", at, opening.plan)] if opening.plan else []
            self._append(opening.org_id, drafts)
        return run

    def settle(self, run: int, ended: Iterable[StepOutcome]) -> None:
        at = self._now()
        drafts = [
            Draft(run, end.number, "unknown" if end.state == "unknown" else "ended", at, content.body(end))
            for end in ended
        ]
        self._record(run, drafts)

    def attest(self, run: int, attestation: Attestation) -> None:
        self._record(run, [Draft(run, attestation.number, "attested", self._now(), content.body(attestation))])

    def confirm(self, run: int, confirmation: Confirmation) -> bool:
        """Record a confirmation; return False if the step is not unconfirmed."""
        org_id = self._known(run)
        with self._database.transaction():
            self._database.serialise(chain.order(self.id, org_id))
            steps = [step for each in self._folded(org_id, run) for step in each.steps]
            if not any(step.number == confirmation.number and step.unconfirmed for step in steps):
                return False
            body = content.body(confirmation)
            self._append(org_id, [Draft(run, confirmation.number, "confirmed", self._now(), body)])
        return True

    def close_run(self, run: int, outcome: RunOutcome, message: str | None = None) -> None:
        self._record(run, [Draft(run, 0, "close", self._now(), content.body(Closing(outcome, message)))])

    def sight(self, run: int, sighting: Sighting) -> None:
        org_id, at = self._known(run), content.stamp(sighting.at)
        with self._database.transaction():
            self._database.serialise(chain.order(self.id, org_id))
            body = content.sighting_body(self._database, org_id, sighting)
            self._append(org_id, [Draft(run, 0, "sighting", at, body)])

    def applied(self, org_id: str) -> Applied:
        with self._database.snapshot():
            entry = memory.get(self._database, org_id, memory.note(LOG_ENTRY), str) or ""
            local = memory.get(self._database, org_id, memory.note(LOCAL_ORG), _flag)
            app = memory.get(self._database, org_id, memory.note(IDP_APP), str) or ""
            applied = memory.applied(self._database, org_id)
            return replace(applied, journal=self.id, log_entry=entry, local=local, idp_app=app)

    def records(self, org_id: str) -> tuple[Record, ...]:
        with self._database.snapshot():
            return memory.records(self._database, org_id)

    def runs(
        self,
        org_id: str | None = None,
        limit: int | None = None,
        kinds: Collection[RunKind] | None = None,
        before: int | None = None,
    ) -> tuple[Run, ...]:
        """Return runs with their steps, newest first; of all orgs without ``org_id``."""
        of_org, kind_names = "" if org_id is None else "AND org_id = ?", sorted(kinds or ())
        of_kind = f"AND kind IN ({', '.join('?' * len(kind_names))})" if kinds is not None else ""
        cut = f"LIMIT {int(limit)}" if limit is not None else ""
        older = f"AND id < {int(before)}" if before is not None else ""
        sql = f"SELECT id, org_id FROM rolecall_runs WHERE 1 = 1 {of_org} {of_kind} {older} ORDER BY id DESC {cut}"
        listed = self._database.select(sql, *(() if org_id is None else (org_id,)), *kind_names)
        return tuple(run for number, org in listed for run in self._folded(org, number))

    def run(self, number: int) -> Run | None:
        org_id = self._org(number)
        if org_id is None:
            return None
        return next(iter(self._folded(org_id, number)), None)

    def orgs(self) -> tuple[str, ...]:
        tables = ("runs", "entries", "applied", "memory")
        selected = self._database.select(
            " UNION ".join(f"SELECT DISTINCT org_id FROM rolecall_{table}" for table in tables)
        )
        if not all(isinstance(org_id, str) for (org_id,) in selected):
            raise damaged(self.place, "a row whose org_id is not text")
        return tuple(sorted(org_id for (org_id,) in selected))

    def plan(self, number: int) -> str | None:
        org_id = self._org(number)
        entries = [] if org_id is None else self._checked(org_id, "e.run = ? AND e.kind || '' = 'plan'", number)
        return entries[0].body if entries else None

    def open_steps(self, org_id: str) -> tuple[Step, ...]:
        selected = self._database.select(_OPEN, org_id)
        folded = [run for (number,) in selected for run in self._folded(org_id, number)]
        return tuple(step for run in folded for step in run.steps if step.state in ("open", "unknown"))

    def unconfirmed(self, org_id: str, since: datetime) -> tuple[Run, ...]:
        selected = self._database.select(_REPORTED, org_id, content.stamp(since))
        folded = [run for (number,) in selected for run in self._folded(org_id, number)]
        return tuple(run for run in folded if any(step.unconfirmed for step in run.steps))

    def sightings(
        self, org_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Sighting, ...]:
        since_text = content.stamp(since) if since else ""
        until_text = content.stamp(until) if until else "~"
        return self._sightings(org_id, "e.at >= ? AND e.at <= ? ORDER BY e.at, e.n", since_text, until_text)

    def sighting_at(self, org_id: str, at: datetime) -> tuple[Sighting | None, Sighting | None]:
        moment = content.stamp(at)
        before = self._sightings(org_id, "e.at <= ? ORDER BY e.at DESC, e.n DESC LIMIT 1", moment)
        after = self._sightings(org_id, "e.at > ? ORDER BY e.at, e.n LIMIT 1", moment)
        return next(iter(before), None), next(iter(after), None)

    def recall(self, org_id: str, key: str, read: Callable[[Any], T] = as_it_is) -> T | None:
        return memory.get(self._database, org_id, memory.note(key), read)

    def keep(self, org_id: str, key: str, value: Any) -> None:
        with self._database.transaction():
            memory.put(self._database, org_id, memory.note(key), value)

    def verify(self, org_id: str, anchor: Anchor | None = None) -> Verified:
        with self._database.snapshot():
            return verify.verify(self._database, self.id, org_id, anchor)

    def prune(self, org_id: str, before: datetime) -> int:
        return _prune_runs(self._database, self.id, org_id, content.stamp(before), self._now())

    def _now(self) -> str:
        return content.stamp(self._clock())

    def _append(self, org_id: str, drafts: Sequence[Draft]) -> None:
        chain.append(self._database, self.id, org_id, drafts)

    def _record(self, run: int, drafts: Sequence[Draft]) -> None:
        org_id = self._known(run)
        if drafts:
            with self._database.transaction():
                self._append(org_id, drafts)

    def _known(self, run: int) -> str:
        org_id = self._org(run)
        if org_id is None:
            raise JournalError(
                Problem("run_unknown", f"{self.place} has no run {run}", None, "to list runs: rolecall history")
            )
        return org_id

    def _org(self, run: int) -> str | None:
        selected = self._database.select("SELECT org_id FROM rolecall_runs WHERE id = ?", run)
        if selected and not isinstance(selected[0][0], str):
            raise damaged(self.place, f"rolecall_runs, run {run}")
        return selected[0][0] if selected else None

    def _checked(self, org_id: str, where: str, *params: Any, light: bool = False) -> list[Entry]:
        return chain.checked(self._database, self.id, org_id, where, *params, light=light)

    def _folded(self, org_id: str, number: int) -> list[Run]:
        """Return the run of a number, built from its entries; none if its content was pruned."""
        entries = self._checked(org_id, "e.run = ?", number, light=True)
        if not entries:
            raise damaged(self.place, f"rolecall_runs, run {number}", "the chain does not have this run")
        return content.runs(self.place, org_id, entries)

    def _sightings(self, org_id: str, where: str, *params: Any) -> tuple[Sighting, ...]:
        entries = self._checked(org_id, f"{_SIGHTING} AND {where}", *params)
        return tuple(content.read_sighting(self._database, self.id, org_id, entry) for entry in entries)


def _flag(value: Any) -> bool:
    """Return a truth value. Raises ValueError for anything else."""
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


class _SqlOrgLock:
    """See ``journal.port.OrgLock``."""

    def __init__(self, journal: SqlJournal, lock: Lock, org_id: str) -> None:
        self._journal = journal
        self._lock = lock
        self._org_id = org_id

    def check(self) -> None:
        self._lock.check()

    def intend(self, run: int, intents: Sequence[PendingWrite]) -> None:
        journal, at = self._journal, self._journal._now()
        with self._lock.transaction():
            journal._append(self._org_id, [Draft(run, i.number, "intent", at, content.body(i)) for i in intents])

    def remember(self, run: int, news: AppliedState) -> None:
        journal, at = self._journal, self._journal._now()
        with self._lock.transaction():
            journal._append(self._org_id, memory.remember(journal._database, self._org_id, run, news, at))


_OPEN = (
    "SELECT DISTINCT i.run FROM rolecall_entries i WHERE i.org_id = ? AND i.kind = 'intent' AND NOT EXISTS ("
    "SELECT 1 FROM rolecall_entries e WHERE e.org_id = i.org_id AND e.run = i.run AND e.step = i.step "
    "AND e.kind = 'ended' AND e.n > i.n) ORDER BY i.run"
)
_REPORTED = (
    "SELECT DISTINCT run FROM rolecall_entries WHERE org_id = ? AND kind = 'attested' AND at >= ? "
    "AND body IS NOT NULL ORDER BY run DESC"
)
_SIGHTING = "e.kind = 'sighting' AND e.body IS NOT NULL AND e.run IN (SELECT id FROM rolecall_runs)"


BATCH = 500
"""Maximum number of runs blanked in one transaction, so that others can write between transactions."""


def _prune_runs(database: Database, journal: str, org_id: str, before: str, now: str) -> int:
    """Blank runs that ended before a moment; see ``port``. Returns the number of runs. Both moments are stamps.

    Entries about remembered values stay, because these are checked against them, as do access records that a later one
    refers to.
    """
    old = [number for (number,) in database.select(_OLD, org_id, before, org_id, before)]
    for start in range(0, len(old), BATCH):
        batch = old[start : start + BATCH]
        with database.transaction():
            database.serialise(chain.order(journal, org_id))
            content = canonical({"runs": batch, "before": before})
            chain.append(database, journal, org_id, [Draft(0, 0, "prune", now, content)])
            for number in batch:
                database.change(_BLANK, org_id, number)
                database.change("DELETE FROM rolecall_runs WHERE org_id = ? AND id = ?", org_id, number)
    if old:
        with database.transaction():
            database.serialise(chain.order(journal, org_id))
            for number in _unused(database, org_id):
                database.change(_BLANK_ENTRY, org_id, number)
        database.give_back()
    return len(old)


def _unused(database: Database, org_id: str) -> Sequence[int]:
    """Return the access records of blanked runs to which no later one refers."""
    used = frozenset(_referred(database, org_id))
    return [number for (number,) in database.select(_LEFT, org_id) if number not in used]


def _referred(database: Database, org_id: str) -> Iterator[int]:
    for number, body in database.select(_REFERENCES, org_id):
        yield reference_of(database.place, number, body)


# `kind || ''` makes SQLite use the index by run instead of scanning all entries of a kind for each run.
_OLD = (
    "SELECT b.run FROM rolecall_entries b WHERE b.org_id = ? AND b.kind = 'begin' AND b.at < ? AND b.body IS NOT NULL "
    "AND b.run < (SELECT max(id) FROM rolecall_runs WHERE org_id = ?) "
    "AND NOT EXISTS (SELECT 1 FROM rolecall_entries c WHERE c.org_id = b.org_id AND c.run = b.run "
    "AND c.kind || '' = 'close' AND c.at >= ?) "
    "AND NOT EXISTS (SELECT 1 FROM rolecall_entries i WHERE i.org_id = b.org_id AND i.run = b.run "
    "AND i.kind || '' = 'intent' AND NOT EXISTS (SELECT 1 FROM rolecall_entries e WHERE e.org_id = i.org_id "
    "AND e.run = i.run AND e.step = i.step AND e.kind IN ('ended', 'attested') AND e.n > i.n)) "
    "ORDER BY b.run"
)
_BLANK = (
    "UPDATE rolecall_entries SET body = NULL WHERE org_id = ? AND run = ? "
    "AND kind NOT IN ('remember', 'prune', 'sighting')"
)
_BLANK_ENTRY = "UPDATE rolecall_entries SET body = NULL WHERE org_id = ? AND n = ?"
_LEFT = (
    "SELECT n FROM rolecall_entries WHERE org_id = ? AND kind = 'sighting' AND body IS NOT NULL "
    "AND run NOT IN (SELECT id FROM rolecall_runs)"
)
_REFERENCES = (
    "SELECT n, body FROM rolecall_entries WHERE org_id = ? AND kind = 'sighting' "
    f"AND substr(body, 1, {len(PREFIX)}) = '{PREFIX}' AND run IN (SELECT id FROM rolecall_runs)"
)
