"""Checks the memory that a command reads against the entries of the chain that wrote it.

Call these inside a snapshot: the memory and the chain have to be of one moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rolecall.journal import chain
from rolecall.journal.chain import Entry, canonical
from rolecall.journal.database import Database, Row, damaged, decoding

_DIFFERS = "it is not what was recorded"


def check_values(database: Database, org_id: str, rows: Sequence[Row]) -> None:
    """Check rows of rolecall_applied. Raises JournalError for the first that its run did not write."""
    by_run: dict[int, list[Row]] = {}
    for row in rows:
        by_run.setdefault(row[2], []).append(row)
    for run, written in by_run.items():
        recorded = set(_recorded(database, org_id, run))
        for address, value, _, config, commit, at in written:
            if (address, value, config, commit, at) not in recorded:
                raise damaged(database.place, f"rolecall_applied, org {org_id}, {address}", _DIFFERS)


def check_facts(database: Database, org_id: str, facts: Mapping[str, Any]) -> None:
    """Check rows of rolecall_memory. Raises JournalError for the first that is not as it was last written."""
    remaining = dict(facts)
    entries = _entries(database, org_id)
    while remaining and (newest := next(entries, None)) is not None:
        _, content = newest
        for name in content.keys() & remaining.keys():
            if content[name] != remaining.pop(name):
                raise damaged(database.place, f"rolecall_memory, org {org_id}, {name}", _DIFFERS)
    for name in remaining:
        raise damaged(database.place, f"rolecall_memory, org {org_id}, {name}", _DIFFERS)


def _entries(database: Database, org_id: str, run: int | None = None) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """Yield the entries about the memory with their content, newest first; of one run, or of all."""
    numbers = database.rows(_NUMBERS, org_id) if run is None else database.rows(_OF_RUN, org_id, run)
    with decoding(database.place, f"rolecall_entries, org {org_id}"):
        numbers.sort(reverse=True)  # in SQL, SQLite would walk through all entries for the order
    for (number,) in numbers:
        for row in database.rows(_ENTRY, org_id, number):
            entry = chain.entry_of(database.place, org_id, row)
            if entry.body is None or chain.sha256(entry.body) != entry.body_hash:
                raise damaged(database.place, chain.name(org_id, entry), chain.CHANGED)
            with decoding(database.place, chain.name(org_id, entry)):
                content = dict(json.loads(entry.body))
            yield entry, content


def _recorded(database: Database, org_id: str, run: int) -> Iterator[tuple[str, str, str, str | None, str]]:
    """Yield the values that a run wrote, as rows of rolecall_applied have them."""
    for entry, content in _entries(database, org_id, run):
        for address, row in content.get("values", {}).items():
            yield address, canonical(row["value"]), row["config"], row["commit"], entry.at


_NUMBERS = "SELECT n FROM rolecall_entries WHERE org_id = ? AND kind = 'remember'"
_OF_RUN = "SELECT n FROM rolecall_entries WHERE org_id = ? AND kind || '' = 'remember' AND run = ?"
_ENTRY = f"SELECT {chain.FIELDS} FROM rolecall_entries WHERE org_id = ? AND n = ?"
