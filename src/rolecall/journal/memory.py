"""What was last applied: a row an address, the policy, the ids of groups; each write with an entry of the chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from rolecall.codec.policy import decode_policy, encode_policy
from rolecall.codec.settings import decode_settings
from rolecall.errors import Problem
from rolecall.journal.chain import Draft, Entry, canonical
from rolecall.journal.database import Database
from rolecall.journal.encode import moment, value_json, value_of
from rolecall.journal.port import Seen
from rolecall.model.desired import Applied
from rolecall.model.kinds import split_address
from rolecall.model.lineage import LastRun
from rolecall.model.run import Record
from rolecall.model.settings import Address

_FACTS = ("policy", "protected", "group_ids", "ids", "unmanaged", "expires", "ends", "waiting")
_NOTE = "note:"


def applied(database: Database, org_id: str) -> Applied:
    """What was last applied, as the planner takes it."""
    rows = _rows(database, org_id)
    values = {at: (value, config) for at, value, _, config, _, _ in rows}
    facts = _facts(database, org_id)
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
    """The remembered values, by address."""
    return tuple(
        Record(Address(at), value_of(at, json.loads(value)), run, config, commit, moment(when))
        for at, value, run, config, commit, when in _rows(database, org_id)
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


def get(database: Database, org_id: str, name: str) -> Any:
    found = database.rows("SELECT value FROM rolecall_memory WHERE org_id = ? AND name = ?", org_id, name)
    return json.loads(found[0][0]) if found else None


def note(key: str) -> str:
    """The name under which a command's own small memory is kept, apart from the journal's."""
    return _NOTE + key


def faults(database: Database, org_id: str, chain: list[Entry]) -> list[Problem]:
    """Where the memory differs from what the chain says was written to it."""
    values, facts = _replayed(chain)
    held = {row[0]: row[1:] for row in _rows(database, org_id)}
    wrong = sorted(at for at in values.keys() | held.keys() if values.get(at) != held.get(at))
    told = _facts(database, org_id)
    wrong += [name for name in _FACTS if facts.get(name) != told.get(name)]
    hint = "Compare with a backup; `rolecall drift` may be wrong about it until it is applied again."
    return [Problem("journal_tampered", f"the memory of {at} is not what was recorded", None, hint) for at in wrong]


_UPSERT_ROW = (
    "INSERT INTO rolecall_applied (org_id, address, value, run, config, commit_id, at) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (org_id, address) DO UPDATE SET value = excluded.value, run = excluded.run, "
    "config = excluded.config, commit_id = excluded.commit_id, at = excluded.at"
)
_UPSERT_FACT = (
    "INSERT INTO rolecall_memory (org_id, name, value) VALUES (?, ?, ?) "
    "ON CONFLICT (org_id, name) DO UPDATE SET value = excluded.value"
)


def _rows(database: Database, org_id: str) -> list[tuple[Any, ...]]:
    sql = "SELECT address, value, run, config, commit_id, at FROM rolecall_applied WHERE org_id = ? ORDER BY address"
    return database.rows(sql, org_id)


def _facts(database: Database, org_id: str) -> dict[str, Any]:
    found = database.rows("SELECT name, value FROM rolecall_memory WHERE org_id = ?", org_id)
    return {name: json.loads(value) for name, value in found if not name.startswith(_NOTE)}


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


def _replayed(chain: list[Entry]) -> tuple[dict[str, tuple[Any, ...]], dict[str, Any]]:
    """The rows and facts that the chain's entries add up to."""
    values: dict[str, tuple[Any, ...]] = {}
    facts: dict[str, Any] = {}
    for entry in chain:
        if entry.kind == "remember" and entry.body:
            said = json.loads(entry.body)
            for at, row in said.get("values", {}).items():
                values[at] = (canonical(row["value"]), entry.run, row["config"], row["commit"], entry.at)
            for at in said.get("forgotten", ()):
                values.pop(at, None)
            facts |= {name: said[name] for name in _FACTS if name in said}
    return values, facts
