"""Stores the last apply: one row per address, the policy, and the ids of groups; each write adds an entry to the chain.

What a command reads is checked, in one snapshot, against the entries that wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar, get_type_hints

from rolecall.codec.settings import decode_settings, encode_value
from rolecall.errors import Problem
from rolecall.journal import chain
from rolecall.journal.chain import Draft, Entry, canonical
from rolecall.journal.content import CODEC
from rolecall.journal.database import RESTORE, Database, Row, damaged, decoding
from rolecall.journal.port import AppliedState
from rolecall.model.desired import Applied
from rolecall.model.kinds import split_address
from rolecall.model.lineage import LastRun
from rolecall.model.policy import Policy
from rolecall.model.run import Record
from rolecall.model.settings import Address

_NOTE = "note:"
T = TypeVar("T")


class RememberedFacts(NamedTuple):
    """Facts that are remembered of an org besides values; None for one that was never recorded."""

    policy: Policy | None = None
    protected: frozenset[Address] | None = None
    group_ids: Mapping[str, str] | None = None
    ids: Mapping[Address, str] | None = None
    unmanaged: frozenset[Address] | None = None
    expires: frozenset[Address] | None = None
    ends: Mapping[Address, date] | None = None
    waiting: Mapping[Address, date] | None = None


def applied(database: Database, org_id: str) -> Applied:
    """Return the last apply in the planner's format."""
    stored_values, stored = _stored_values(database, org_id), _stored_facts(database, org_id)
    _check_values(database, org_id, stored_values)
    _check_facts(database, org_id, stored)
    facts = CODEC.decode(RememberedFacts, stored)
    values = {at: (value, config) for at, value, _, config, _, _ in stored_values}
    return Applied(
        settings=decode_settings(_sections({at: json.loads(value) for at, (value, _) in values.items()})),
        policy=facts.policy,
        protected=facts.protected or frozenset(),
        group_ids=facts.group_ids or {},
        ids=facts.ids or {},
        config={Address(at): config for at, (_, config) in values.items()},
        unmanaged=facts.unmanaged,
        expires=facts.expires,
        ends=facts.ends,
        waiting=facts.waiting or {},
        last=max(
            (LastRun(run, config or "", commit or "") for _, _, run, config, commit, _ in stored_values), default=None
        ),
    )


def records(database: Database, org_id: str) -> tuple[Record, ...]:
    """Return the remembered values, by address. Raises JournalError for one that differs from what was recorded."""
    stored_values = _stored_values(database, org_id)
    _check_values(database, org_id, stored_values)
    return tuple(map(_record, stored_values))


def remember(database: Database, org_id: str, run: int, news: AppliedState, at: str) -> list[Draft]:
    """Write what is new, inside a transaction, and return the entry to add for it; none if everything was known.

    An address keeps the run, commit and moment that set its value; reading it again is not new.
    """
    body = _news(database, org_id, news)
    if not body:
        return []
    for address, entry in body.get("values", {}).items():
        database.change(
            _UPSERT_ROW, org_id, address, canonical(entry["value"]), run, entry["config"], entry["commit"], at
        )
    for address in body.get("forgotten", ()):
        database.change("DELETE FROM rolecall_applied WHERE org_id = ? AND address = ?", org_id, address)
    for name in RememberedFacts._fields:
        if name in body:
            put(database, org_id, name, body[name])
    return [Draft(run, 0, "remember", at, canonical(body))]


def put(database: Database, org_id: str, name: str, value: Any) -> None:
    """Write one named JSON value; None removes it."""
    if value is None:
        database.change("DELETE FROM rolecall_memory WHERE org_id = ? AND name = ?", org_id, name)
    else:
        database.change(_UPSERT_FACT, org_id, name, canonical(value))


def get(database: Database, org_id: str, name: str, read: Callable[[Any], T]) -> T | None:
    """Return one named value, decoded by ``read``. Raises JournalError if it cannot be decoded."""
    selected = database.select("SELECT value FROM rolecall_memory WHERE org_id = ? AND name = ?", org_id, name)
    with decoding(database.place, f"rolecall_memory, org {org_id}, {name}"):
        return read(json.loads(selected[0][0])) if selected else None


def note(key: str) -> str:
    """Return the name of a note that a command keeps, separate from the journal's own names."""
    return _NOTE + key


class Replay:
    """The remembered values, rebuilt from the chain's entries."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[Any, ...]] = {}
        self._facts: dict[str, Any] = {}

    def add(self, entry: Entry, content: dict[str, Any]) -> None:
        """Apply what an entry recorded."""
        for at, remembered in content.get("values", {}).items():
            self._values[at] = (
                canonical(remembered["value"]),
                entry.run,
                remembered["config"],
                remembered["commit"],
                entry.at,
            )
        for at in content.get("forgotten", ()):
            self._values.pop(at, None)
        self._facts |= {name: canonical(content[name]) for name in RememberedFacts._fields if name in content}

    def faults(self, database: Database, org_id: str) -> list[Problem]:
        """Return the differences between the remembered values and what the chain says was written."""
        stored = {columns[0]: columns[1:] for columns in database.select(_ROWS, org_id)}
        wrong = [("rolecall_applied", at) for at in stored.keys() | self._values.keys()]
        wrong = [(table, at) for table, at in wrong if stored.get(at) != self._values.get(at)]
        facts = {name: value for name, value in database.select(_ALL_FACTS, org_id) if not str(name).startswith(_NOTE)}
        named = facts.keys() | self._facts.keys()
        wrong += [("rolecall_memory", name) for name in named if facts.get(name) != self._facts.get(name)]
        return [_differs(database.place, table, at) for table, at in sorted(wrong, key=str)]


def _differs(place: str, table: str, at: str) -> Problem:
    message = f"the journal {place}: {table}: the stored value of {at} does not match the journal entry that wrote it"
    return Problem("journal_tampered", message, None, RESTORE)


_UPSERT_ROW = (
    "INSERT INTO rolecall_applied (org_id, address, value, run, config, commit_id, at) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (org_id, address) DO UPDATE SET value = excluded.value, run = excluded.run, "
    "config = excluded.config, commit_id = excluded.commit_id, at = excluded.at"
)
_UPSERT_FACT = (
    "INSERT INTO rolecall_memory (org_id, name, value) VALUES (?, ?, ?) "
    "ON CONFLICT (org_id, name) DO UPDATE SET value = excluded.value"
)


_ROWS = "SELECT address, value, run, config, commit_id, at FROM rolecall_applied WHERE org_id = ? ORDER BY address"
_ALL_FACTS = "SELECT name, value FROM rolecall_memory WHERE org_id = ?"


def _stored_values(database: Database, org_id: str) -> list[Row]:
    """Return the rows of remembered values. Raises JournalError for one that rolecall does not write."""
    selected = database.select(_ROWS, org_id)
    for columns in selected:
        with decoding(database.place, f"rolecall_applied, org {org_id}, {columns[0]}"):
            _record(columns)
    return selected


def _record(stored: Row) -> Record:
    """Return a row as a record. Raises ValueError for one that rolecall does not write."""
    columns = dict(zip(Record._fields, stored, strict=True))
    return CODEC.decode(Record, {**columns, "value": json.loads(columns["value"])})


def _stored_facts(database: Database, org_id: str) -> dict[str, Any]:
    """Return the stored facts. Raises JournalError for one with the wrong type."""
    facts, hints = {}, get_type_hints(RememberedFacts)
    for name, value in database.select(_ALL_FACTS, org_id):
        with decoding(database.place, f"rolecall_memory, org {org_id}, {name}"):
            if not name.startswith(_NOTE):
                facts[name] = json.loads(value)
                CODEC.decode(hints.get(name, Mapping[str, str]), facts[name])
    return facts


def _sections(values: Mapping[str, Any]) -> dict[str, Any]:
    sections: dict[str, Any] = {}
    for at, value in values.items():
        section, key = split_address(at)
        if key is None:
            sections[section] = value
        else:
            sections.setdefault(section, {})[key] = value
    return sections


def _news(database: Database, org_id: str, leaving: AppliedState) -> dict[str, Any]:
    """Return what differs from the remembered values; empty if nothing does."""
    remembered = {at: (value, config) for at, value, _, config, _, _ in _stored_values(database, org_id)}
    stored = _stored_facts(database, org_id)
    values = {at: encode_value(split_address(at)[0], value) for at, value in leaving.values.items()}
    news: dict[str, Any] = {
        "values": {
            at: {"value": value, "config": leaving.config, "commit": leaving.commit}
            for at, value in values.items()
            if remembered.get(at) != (canonical(value), leaving.config)
        },
        "forgotten": sorted(at for at in set(leaving.forgotten) - values.keys() if at in remembered),
    }
    facts = RememberedFacts(
        policy=leaving.policy,
        protected=leaving.protected,
        group_ids=_merged(stored.get("group_ids", {}), leaving.group_ids),
        ids=_merged(stored.get("ids", {}), leaving.ids),
        unmanaged=leaving.unmanaged,
        expires=leaving.expires,
        ends=leaving.ends,
        waiting=leaving.waiting,
    )
    encoded = CODEC.encode(facts)
    news |= {name: fact for name, fact in encoded.items() if fact is not None and fact != stored.get(name)}
    return {name: part for name, part in news.items() if part or name in RememberedFacts._fields}


def _merged(stored: Mapping[Any, str], current: Mapping[Any, str | None]) -> dict[Any, str] | None:
    """Return the known ids, updated with the current ones; None if there are no current ones."""
    return {name: known for name, known in {**stored, **current}.items() if known is not None} if current else None


_DIFFERS = "it does not match the journal entry that wrote it"


def _check_values(database: Database, org_id: str, stored_values: Sequence[Row]) -> None:
    """Check rows of rolecall_applied. Raises JournalError for the first that its run did not write."""
    by_run: dict[int, list[Row]] = {}
    for columns in stored_values:
        by_run.setdefault(columns[2], []).append(columns)
    for run, written in by_run.items():
        recorded = set(_recorded(database, org_id, run))
        for address, value, _, config, commit, at in written:
            if (address, value, config, commit, at) not in recorded:
                raise damaged(database.place, f"rolecall_applied, org {org_id}, {address}", _DIFFERS)


def _check_facts(database: Database, org_id: str, facts: Mapping[str, Any]) -> None:
    """Check rows of rolecall_memory. Raises JournalError for the first that differs from its last write."""
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
    """Yield the remember entries with their content, newest first; of one run, or of all."""
    numbers = database.select(_NUMBERS, org_id) if run is None else database.select(_OF_RUN, org_id, run)
    with decoding(database.place, f"rolecall_entries, org {org_id}"):
        numbers.sort(reverse=True)  # with ORDER BY, SQLite would scan all entries
    for (number,) in numbers:
        for columns in database.select(_ENTRY, org_id, number):
            entry = chain.entry_of(database.place, org_id, columns)
            if entry.body is None or chain.sha256(entry.body) != entry.body_hash:
                raise damaged(database.place, chain.name(org_id, entry), chain.CHANGED)
            with decoding(database.place, chain.name(org_id, entry)):
                content = dict(json.loads(entry.body))
            yield entry, content


def _recorded(database: Database, org_id: str, run: int) -> Iterator[tuple[str, str, str, str | None, str]]:
    """Yield the values that a run wrote, as in rows of rolecall_applied."""
    for entry, content in _entries(database, org_id, run):
        for address, remembered in content.get("values", {}).items():
            yield address, canonical(remembered["value"]), remembered["config"], remembered["commit"], entry.at


_NUMBERS = "SELECT n FROM rolecall_entries WHERE org_id = ? AND kind = 'remember'"
_OF_RUN = "SELECT n FROM rolecall_entries WHERE org_id = ? AND kind || '' = 'remember' AND run = ?"
_ENTRY = f"SELECT {chain.FIELDS} FROM rolecall_entries WHERE org_id = ? AND n = ?"
