"""Blanks old runs in batches, and returns unused space to the system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rolecall.journal import chain
from rolecall.journal.chain import Draft, canonical
from rolecall.journal.content import PREFIX, reference_of
from rolecall.journal.database import Database

BATCH = 500
"""Maximum number of runs blanked in one transaction, so that others can write between transactions."""


def prune(database: Database, journal: str, org_id: str, before: str, now: str) -> int:
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
