"""The journal over a database: the chain is the truth about runs, the tables beside it are memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from rolecall.errors import Problem
from rolecall.journal import chain, encode, fold, memory
from rolecall.journal.chain import Draft, Entry, canonical
from rolecall.journal.database import Database
from rolecall.journal.lock import Lock
from rolecall.journal.port import Held, Holder, JournalError, Seen, Verified, Waiting
from rolecall.model.desired import Applied
from rolecall.model.run import Attestation, Ended, Intent, Opening, Record, Run, RunKind, RunOutcome, Step
from rolecall.model.sighting import Sighting

Clock = Callable[[], datetime]


class SqlJournal:
    """See ``journal.port.Journal``. ``clock`` gives the moments that entries carry; it decides nothing."""

    def __init__(self, database: Database, journal: str, clock: Clock) -> None:
        self.id = journal
        self._database = database
        self._clock = clock

    @property
    def place(self) -> str:
        return self._database.place

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def lock(self, org_id: str, holder: Holder, timeout: float = 0, waiting: Waiting | None = None) -> Iterator[Held]:
        lock = Lock(self._database, self.id, org_id)
        lock.take(holder._replace(since=self._clock()), timeout, waiting)
        try:
            yield _Held(self, lock, org_id)
        finally:
            lock.release()

    def holder(self, org_id: str) -> Holder | None:
        return Lock(self._database, self.id, org_id).holder()

    def begin(self, opening: Opening) -> int:
        at = self._now()
        with self._database.transaction():
            run = int(
                self._database.rows(
                    "INSERT INTO rolecall_runs (org_id, kind, started_at) VALUES (?, ?, ?) RETURNING id",
                    opening.org_id,
                    opening.kind,
                    at,
                )[0][0]
            )
            drafts = [Draft(run, 0, "begin", at, encode.opening_body(opening))]
            drafts += [Draft(run, 0, "plan", at, opening.plan)] if opening.plan else []
            self._append(opening.org_id, drafts)
        return run

    def settle(self, run: int, ended: Iterable[Ended]) -> None:
        at = self._now()
        drafts = [
            Draft(run, end.number, "unknown" if end.state == "unknown" else "ended", at, encode.ended_body(end))
            for end in ended
        ]
        self._record(run, drafts)

    def attest(self, run: int, word: Attestation) -> None:
        self._record(run, [Draft(run, word.number, "attested", self._now(), encode.attestation_body(word))])

    def close_run(self, run: int, outcome: RunOutcome, message: str | None = None) -> None:
        body = canonical({"outcome": outcome, "message": message})
        self._record(run, [Draft(run, 0, "close", self._now(), body)])

    def sight(self, run: int, sighting: Sighting) -> None:
        body = encode.sighting_body(sighting)
        self._record(run, [Draft(run, 0, "sighting", encode.stamp(sighting.at), body)])

    def applied(self, org_id: str) -> Applied:
        return memory.applied(self._database, org_id)

    def records(self, org_id: str) -> tuple[Record, ...]:
        return memory.records(self._database, org_id)

    def runs(
        self, org_id: str | None = None, limit: int | None = None, kinds: Collection[RunKind] | None = None
    ) -> tuple[Run, ...]:
        of_org, wanted = "" if org_id is None else "AND org_id = ?", sorted(kinds or ())
        of_kind = f"AND kind IN ({', '.join('?' * len(wanted))})" if kinds is not None else ""
        cut = f"LIMIT {int(limit)}" if limit is not None else ""
        sql = f"SELECT id, org_id FROM rolecall_runs WHERE 1 = 1 {of_org} {of_kind} ORDER BY id DESC {cut}"
        found: dict[int, str] = dict(self._database.rows(sql, *(() if org_id is None else (org_id,)), *wanted))
        first = min(found, default=0)
        if kinds is None:
            folded = [run for org in set(found.values()) for run in fold.runs(org, self._light(org, first))]
        else:
            folded = [run for number, org in found.items() for run in fold.runs(org, self._light(org, number, number))]
        return tuple(sorted(folded, key=lambda run: -run.id))

    def run(self, number: int) -> Run | None:
        org_id = self._org(number)
        if org_id is None:
            return None
        return next(iter(fold.runs(org_id, self._light(org_id, number, number))), None)

    def plan(self, number: int) -> str | None:
        sql = "SELECT body FROM rolecall_entries WHERE org_id = ? AND run = ? AND kind = 'plan'"
        found = self._database.rows(sql, self._org(number), number)
        return found[0][0] if found else None

    def open_steps(self, org_id: str) -> tuple[Step, ...]:
        found = self._database.rows(_OPEN, org_id)
        folded = [run for (number,) in found for run in fold.runs(org_id, self._light(org_id, number, number))]
        return tuple(step for run in folded for step in run.steps if step.state in ("open", "unknown"))

    def sightings(
        self, org_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Sighting, ...]:
        since_text = encode.stamp(since) if since else ""
        until_text = encode.stamp(until) if until else "~"
        return self._sightings(f"{_SIGHTING} AND at >= ? AND at <= ? ORDER BY at, n", org_id, since_text, until_text)

    def sighting_at(self, org_id: str, at: datetime) -> tuple[Sighting | None, Sighting | None]:
        moment = encode.stamp(at)
        before = self._sightings(f"{_SIGHTING} AND at <= ? ORDER BY at DESC, n DESC LIMIT 1", org_id, moment)
        after = self._sightings(f"{_SIGHTING} AND at > ? ORDER BY at, n LIMIT 1", org_id, moment)
        return next(iter(before), None), next(iter(after), None)

    def recall(self, org_id: str, key: str) -> Any:
        return memory.get(self._database, org_id, memory.note(key))

    def keep(self, org_id: str, key: str, value: Any) -> None:
        with self._database.transaction():
            memory.put(self._database, org_id, memory.note(key), value)

    def verify(self, org_id: str) -> Verified:
        with self._database.snapshot():
            entries = chain.entries(self._database, org_id)
            problems = chain.faults(self.id, org_id, entries)
            problems += memory.faults(self._database, org_id, entries)
            problems += self._unlisted(org_id, entries)
        head = entries[-1].hash if entries else self.id
        return Verified(len(entries), sum(entry.body is None for entry in entries), head, tuple(problems))

    def prune(self, org_id: str, before: datetime) -> int:
        """Blank what is old; see ``port``. The memory's own entries stay, for the memory is checked against them."""
        limit, at = encode.stamp(before), self._now()
        begun = [number for (number,) in self._database.rows(_BEGUN_BEFORE, org_id, limit, org_id)]
        unsettled = {step.run for step in self.open_steps(org_id)} if begun else set()
        old = [
            run.id
            for number in begun
            for run in fold.runs(org_id, self._light(org_id, number, number))
            if encode.stamp(run.ended_at or run.started_at) < limit and run.id not in unsettled
        ]
        if old:
            with self._database.transaction():
                self._append(org_id, [Draft(0, 0, "prune", at, canonical({"runs": old, "before": limit}))])
                for number in old:
                    self._database.change(_BLANK, org_id, number)
                    self._database.change("DELETE FROM rolecall_runs WHERE id = ?", number)
        return len(old)

    def _now(self) -> str:
        return encode.stamp(self._clock())

    def _append(self, org_id: str, drafts: Sequence[Draft]) -> None:
        chain.append(self._database, self.id, org_id, drafts)

    def _record(self, run: int, drafts: Sequence[Draft]) -> None:
        org_id = self._org(run)
        if org_id is None:
            raise JournalError(
                Problem("run_unknown", f"{self.place} has no run {run}", None, "See `rolecall history`.")
            )
        if drafts:
            with self._database.transaction():
                self._append(org_id, drafts)

    def _org(self, run: int) -> str | None:
        found = self._database.rows("SELECT org_id FROM rolecall_runs WHERE id = ?", run)
        return found[0][0] if found else None

    def _light(self, org_id: str, first: int, last: int | None = None) -> list[Entry]:
        """The entries of runs from ``first`` on, without the content that no run is folded from."""
        until = "" if last is None else f" AND run <= {int(last)}"
        return [Entry(*row) for row in self._database.rows(f"{_LIGHT}{until} ORDER BY n", org_id, first)]

    def _sightings(self, sql: str, *params: Any) -> tuple[Sighting, ...]:
        return tuple(encode.sighting_of(*row) for row in self._database.rows(sql, *params))

    def _unlisted(self, org_id: str, entries: Sequence[Entry]) -> list[Problem]:
        listed = {number for (number,) in self._database.rows("SELECT id FROM rolecall_runs WHERE org_id = ?", org_id)}
        begun = {entry.run for entry in entries if entry.kind == "begin" and entry.body is not None}
        hint = "Compare with a backup."
        return [
            Problem("journal_tampered", f"run {number} is in the list of runs or in the chain, not in both", None, hint)
            for number in sorted(listed ^ begun)
        ]


class _Held:
    """See ``journal.port.Held``."""

    def __init__(self, journal: SqlJournal, lock: Lock, org_id: str) -> None:
        self._journal = journal
        self._lock = lock
        self._org_id = org_id

    def check(self) -> None:
        self._lock.check()

    def intend(self, run: int, intents: Sequence[Intent]) -> None:
        journal, at = self._journal, self._journal._now()
        with self._lock.transaction():
            journal._append(self._org_id, [Draft(run, i.number, "intent", at, encode.intent_body(i)) for i in intents])

    def remember(self, run: int, seen: Seen) -> None:
        journal, at = self._journal, self._journal._now()
        with self._lock.transaction():
            journal._append(self._org_id, memory.remember(journal._database, self._org_id, run, seen, at))


_LIGHT = (
    "SELECT n, run, step, kind, at, CASE WHEN kind IN ('plan', 'sighting', 'remember') THEN NULL ELSE body END, "
    "body_hash, hash FROM rolecall_entries WHERE org_id = ? AND run >= ?"
)
_BEGUN_BEFORE = (
    "SELECT run FROM rolecall_entries WHERE org_id = ? AND kind = 'begin' AND at < ? AND body IS NOT NULL "
    "AND run < (SELECT max(id) FROM rolecall_runs WHERE org_id = ?) ORDER BY run DESC"
)
_OPEN = (
    "SELECT DISTINCT i.run FROM rolecall_entries i WHERE i.org_id = ? AND i.kind = 'intent' AND NOT EXISTS ("
    "SELECT 1 FROM rolecall_entries e WHERE e.org_id = i.org_id AND e.run = i.run AND e.step = i.step "
    "AND e.kind = 'ended' AND e.n > i.n) ORDER BY i.run"
)
_SIGHTING = (
    "SELECT run, at, body, hash FROM rolecall_entries WHERE org_id = ? AND kind = 'sighting' AND body IS NOT NULL"
)
_BLANK = "UPDATE rolecall_entries SET body = NULL WHERE org_id = ? AND run = ? AND kind NOT IN ('remember', 'prune')"
