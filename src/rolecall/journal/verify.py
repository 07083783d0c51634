"""Verifies a whole journal, entry by entry: the chain, then remembered values, the list of runs and an anchor against
it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from rolecall.errors import Problem
from rolecall.journal import chain, memory
from rolecall.journal.chain import LASTING, Entry
from rolecall.journal.content import PREFIX
from rolecall.journal.database import RESTORE, UNREADABLE, Database
from rolecall.journal.port import Anchor, Verified


def verify(database: Database, journal: str, org_id: str, anchor: Anchor | None = None) -> Verified:
    """Verify one org's part of a journal, with one entry in memory at a time. Must be called inside a snapshot."""
    walk = _Walk(database, journal, org_id, anchor)
    with closing(chain.stream(database, org_id)) as entries:
        for entry in entries:
            walk.step(entry)
    return walk.end()


class _Walk:
    """The state while walking from the first entry to the last."""

    def __init__(self, database: Database, journal: str, org_id: str, anchor: Anchor | None) -> None:
        self._database = database
        self._org_id = org_id
        self._anchor = anchor
        self._pruned = frozenset(_pruned(database, org_id))
        self._before, self._expected = journal, 1
        self._entries = self._blank = 0
        self._begun: dict[int, tuple[str, str]] = {}
        self._sightings: set[int] = set()
        self._replay = memory.Replay()
        self._problems: list[Problem] = []

    def step(self, entry: Entry) -> None:
        """Check one entry."""
        self._check(entry)
        if entry.body is not None and entry.kind in ("begin", "sighting", "remember"):
            try:
                self._take(entry, entry.body)
            except UNREADABLE:
                self._fault(entry, "its content cannot be read")
        self._before, self._expected = entry.hash, entry.n + 1
        self._entries += 1
        self._blank += entry.body is None
        if self._anchor is not None and entry.n == self._anchor.entries and entry.hash != self._anchor.head:
            self._fault(entry, "its hash differs from the anchor")

    def _check(self, entry: Entry) -> None:
        if entry.n != self._expected:
            self._fault(entry, f"entries {self._expected} to {entry.n - 1} are missing")
        elif chain.link(self._before, self._org_id, entry.n, entry, entry.body_hash) != entry.hash:
            self._fault(entry, chain.NOT_LINKED)
        if entry.body is not None and chain.sha256(entry.body) != entry.body_hash:
            self._fault(entry, chain.CHANGED)
        if entry.body is None and (entry.run not in self._pruned or entry.kind in LASTING):
            self._fault(entry, "its content was removed, and no pruning recorded it")

    def _take(self, entry: Entry, body: str) -> None:
        """Collect what the other tables are compared with."""
        if entry.kind == "begin":
            self._begun[entry.run] = (str(json.loads(body)["kind"]), entry.at)
        elif entry.kind == "remember":
            self._replay.add(entry, json.loads(body))
        elif not body.startswith(PREFIX):
            self._sightings.add(entry.n)
        elif (number := json.loads(body)["same_as"]) not in self._sightings:
            self._fault(entry, f"it refers to the access record in entry {number}, which is missing")

    def end(self) -> Verified:
        """Return the result, with the other tables compared."""
        head = self._before
        problems = [*self._problems, *self._cut_off()]
        problems += self._replay.faults(self._database, self._org_id)
        problems += self._unlisted()
        return Verified(self._entries, self._blank, head, tuple(problems))

    def _cut_off(self) -> Iterator[Problem]:
        last = self._expected - 1
        if self._anchor is not None and last < self._anchor.entries:
            count = f"{last:,} entries and the anchor has {self._anchor.entries:,}"
            message = f"{self._org_id} has {count}, so the end is missing"
            yield Problem("journal_cut_off", f"the journal {self._database.place}: {message}", None, RESTORE)

    def _unlisted(self) -> Iterator[Problem]:
        sql = "SELECT id, kind, started_at FROM rolecall_runs WHERE org_id = ?"
        with closing(self._database.stream(sql, self._org_id)) as selected:
            listed = {number: (kind, at) for number, kind, at in selected}
        for number in sorted(listed.keys() | self._begun.keys(), key=str):
            if (number in listed) != (number in self._begun):
                message = f"run {number} is only in the list of runs or only in the chain"
                yield Problem("journal_tampered", self._about(message), None, RESTORE)
            elif listed[number] != self._begun[number]:
                message = f"rolecall_runs, run {number}: differs from its first entry"
                yield Problem("journal_tampered", self._about(message), None, RESTORE)

    def _fault(self, entry: Entry, message: str) -> None:
        text = self._about(f"{chain.name(self._org_id, entry)}: {message}")
        self._problems.append(Problem("journal_tampered", text, None, RESTORE))

    def _about(self, message: str) -> str:
        return f"the journal {self._database.place}: {message}"


def _pruned(database: Database, org_id: str) -> Iterator[Any]:
    """Yield the runs named by pruning entries; a damaged one names none and is reported on the way."""
    sql = "SELECT body FROM rolecall_entries WHERE org_id = ? AND kind = 'prune' AND body IS NOT NULL"
    for (body,) in database.select(sql, org_id):
        try:
            yield from frozenset(json.loads(body)["runs"])
        except UNREADABLE:
            continue
