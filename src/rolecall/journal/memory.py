"""What was last applied: a row an address, the policy, the ids of groups; each write with an entry of the chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from rolecall.codec.policy import decode_policy, encode_policy
from rolecall.codec.settings import decode_settings
from rolecall.errors import Problem
from rolecall.journal import recorded
from rolecall.journal.chain import Draft, Entry, canonical
from rolecall.journal.database import Database, decoding
from rolecall.journal.encode import moment, value_json, value_of
from rolecall.journal.port import Seen
from rolecall.model.desired import Applied
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.lineage import LastRun
from rolecall.model.run import Record
from rolecall.model.settings import Address

_FACTS = ("policy", "protected", "group_ids", "ids", "unmanaged", "expires", "ends", "waiting")
_NOTE = "note:"
T = TypeVar("T")


def applied(database: Database, org_id: str) -> Applied:
    """What was last applied, as the planner takes it."""
    rows, facts = _rows(database, org_id), _facts(database, org_id)
    recorded.check_values(database, org_id, rows)
    recorded.check_facts(database, org_id, facts)
    values = {at: (value, config) for at, value, _, config, _, _ in rows}
    return Applied(
        settings=decode_settings(_sections({at: json.loads(value) for at, (value, _) in values.items()})),
        policy=decode_policy(facts["policy"]) if "policy" in facts else None,
        protected=frozenset(map(Address, facts.get("protected", ()))),
        group_ids=facts.get("group_ids", {}),
        ids={Address(at): known for at, known in facts.get("ids", {}).items()},
        config={Address(at): config for at, (_, config) in values.items()},
        unmanaged=frozenset(map(Address, facts["unmanaged"])) if "unmanaged" in facts else None,
        expires=frozenset(map(Address, facts["expires"])) if "expires" in facts else None,
        ends=_days(facts["ends"]) if "ends" in facts else None,
        waiting=_days(facts.get("waiting", {})),
        last=max((LastRun(run, config or "", commit or "") for _, _, run, config, commit, _ in rows), default=None),
    )


def records(database: Database, org_id: str) -> tuple[Record, ...]:
    """The remembered values, by address. Raises JournalError for one that is not what was recorded."""
    rows = _rows(database, org_id)
    recorded.check_values(database, org_id, rows)
    return tuple(
        Record(Address(at), value_of(at, json.loads(value)), run, config, commit, moment(when))
        for at, value, run, config, commit, when in rows
    )


def remember(database: Database, org_id: str, run: int, seen: Seen, at: str) -> list[Draft]:
    """Write what is news, inside a transaction, and answer the entry to add for it; none when all was known.

    An address keeps the run, commit and moment that brought its value; seeing it again is not news.
    """
    body = _news(database, org_id, seen)
    if not body:
        return []
    for address, row in body.get("values", {}).items():
        database.change(_UPSERT_ROW, org_id, address, canonical(row["value"]), run, row["config"], row["commit"], at)
    for address in body.get("forgotten", ()):
        database.change("DELETE FROM rolecall_applied WHERE org_id = ? AND address = ?", org_id, address)
    for name in _FACTS:
        if name in body:
            put(database, org_id, name, body[name])
    return [Draft(run, 0, "remember", at, canonical(body))]


def put(database: Database, org_id: str, name: str, value: Any) -> None:
    """Write one named JSON value; None takes it away."""
    if value is None:
        database.change("DELETE FROM rolecall_memory WHERE org_id = ? AND name = ?", org_id, name)
    else:
        database.change(_UPSERT_FACT, org_id, name, canonical(value))


def get(database: Database, org_id: str, name: str, read: Callable[[Any], T]) -> T | None:
    """Return one named value as ``read`` decodes it. Raises JournalError where it cannot."""
    found = database.rows("SELECT value FROM rolecall_memory WHERE org_id = ? AND name = ?", org_id, name)
    with decoding(database.place, f"rolecall_memory, org {org_id}, {name}"):
        return read(json.loads(found[0][0])) if found else None


def note(key: str) -> str:
    """The name under which a command's own small memory is kept, apart from the journal's."""
    return _NOTE + key


class Replay:
    """The memory that the chain's entries add up to."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[Any, ...]] = {}
        self._facts: dict[str, Any] = {}

    def add(self, entry: Entry, content: dict[str, Any]) -> None:
        """Take what an entry wrote to the memory."""
        for at, row in content.get("values", {}).items():
            self._values[at] = (canonical(row["value"]), entry.run, row["config"], row["commit"], entry.at)
        for at in content.get("forgotten", ()):
            self._values.pop(at, None)
        self._facts |= {name: canonical(content[name]) for name in _FACTS if name in content}

    def faults(self, database: Database, org_id: str) -> list[Problem]:
        """Return where the memory differs from what the chain says was written to it."""
        stored = {row[0]: row[1:] for row in database.rows(_ROWS, org_id)}
        wrong = [("rolecall_applied", at) for at in stored.keys() | self._values.keys()]
        wrong = [(table, at) for table, at in wrong if stored.get(at) != self._values.get(at)]
        facts = {name: value for name, value in database.rows(_ALL_FACTS, org_id) if not str(name).startswith(_NOTE)}
        named = facts.keys() | self._facts.keys()
        wrong += [("rolecall_memory", name) for name in named if facts.get(name) != self._facts.get(name)]
        return [_differs(database.place, table, at) for table, at in sorted(wrong, key=str)]


def _differs(place: str, table: str, at: str) -> Problem:
    message = f"the journal {place}: {table}: the memory of {at} is not what was recorded"
    hint = "Compare with a backup; `rolecall drift` may be wrong about it until it is applied again."
    return Problem("journal_tampered", message, None, hint)


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
_LISTS = ("protected", "unmanaged", "expires")


def _rows(database: Database, org_id: str) -> list[tuple[Any, ...]]:
    """Return the rows of remembered values. Raises JournalError for one that is not as rolecall writes it."""
    rows = database.rows(_ROWS, org_id)
    for row in rows:
        with decoding(database.place, f"rolecall_applied, org {org_id}, {row[0]}"):
            _check_row(*row)
    return rows


def _check_row(address: str, value: str, run: int, config: str, commit: str | None, at: str) -> None:
    """Raises ValueError, TypeError or KeyError for what rolecall does not write."""
    content = json.loads(value)
    types = {field.name: field.is_set for field in BY_SECTION[split_address(address)[0]].fields}
    sound = isinstance(run, int) and isinstance(config, str) and isinstance(commit, str | None)
    for name, part in () if content is None else content.items():
        listed = isinstance(part, list) and all(isinstance(item, str) for item in part)
        sound = sound and (listed if types.get(name) else isinstance(part, str | bool | None))
    if not sound:
        raise ValueError(address)
    moment(at)
    value_of(address, content)


def _facts(database: Database, org_id: str) -> dict[str, Any]:
    facts = {}
    for name, value in database.rows(_ALL_FACTS, org_id):
        with decoding(database.place, f"rolecall_memory, org {org_id}, {name}"):
            if not name.startswith(_NOTE):
                facts[name] = _fact(name, json.loads(value))
    return facts


def _fact(name: str, content: Any) -> Any:
    """Return a fact as it is. Raises ValueError for one that is not of its form."""
    if name == "policy":
        sound = bool(encode_policy(decode_policy(content)))
    elif name in _LISTS:
        sound = isinstance(content, list) and all(isinstance(item, str) for item in content)
    else:
        sound = isinstance(content, dict) and all(isinstance(item, str) for item in content.values())
    if not sound:
        raise ValueError(name)
    if name in ("ends", "waiting"):
        _days(content)
    return content


def _sections(values: Mapping[str, Any]) -> dict[str, Any]:
    sections: dict[str, Any] = {}
    for at, value in values.items():
        section, key = split_address(at)
        if key is None:
            sections[section] = value
        else:
            sections.setdefault(section, {})[key] = value
    return sections


def _news(database: Database, org_id: str, seen: Seen) -> dict[str, Any]:
    """What differs from the memory; empty when nothing does."""
    held = {at: (value, config) for at, value, _, config, _, _ in _rows(database, org_id)}
    told = _facts(database, org_id)
    wanted = {at: value_json(at, value) for at, value in seen.values.items()}
    news: dict[str, Any] = {
        "values": {
            at: {"value": value, "config": seen.config, "commit": seen.commit}
            for at, value in wanted.items()
            if held.get(at) != (canonical(value), seen.config)
        },
        "forgotten": sorted(at for at in set(seen.forgotten) - wanted.keys() if at in held),
    }
    facts = {
        "policy": encode_policy(seen.policy) if seen.policy is not None else None,
        "protected": sorted(seen.protected) if seen.protected is not None else None,
        "group_ids": _merged(told.get("group_ids", {}), seen.group_ids),
        "ids": _merged(told.get("ids", {}), seen.ids),
        "unmanaged": sorted(seen.unmanaged) if seen.unmanaged is not None else None,
        "expires": sorted(seen.expires) if seen.expires is not None else None,
        "ends": _iso(seen.ends),
        "waiting": _iso(seen.waiting),
    }
    news |= {name: fact for name, fact in facts.items() if fact is not None and fact != told.get(name)}
    return {name: said for name, said in news.items() if said or name in _FACTS}


def _iso(days: Mapping[Address, date] | None) -> dict[str, str] | None:
    return None if days is None else {at: day.isoformat() for at, day in sorted(days.items())}


def _days(told: Mapping[str, str]) -> dict[Address, date]:
    return {Address(at): date.fromisoformat(day) for at, day in told.items()}


def _merged(told: Mapping[str, str], seen: Mapping[Any, str | None]) -> dict[str, str] | None:
    """The ids known, with those seen; None where none was seen."""
    return {name: known for name, known in {**told, **seen}.items() if known is not None} if seen else None
