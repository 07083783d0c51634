"""The chain: entries that are only ever added, each bound by a hash to everything before it in its org.

An entry's hash covers its place, its kind and the hash of its content, not the content itself; so old content can be
blanked when its time is up and the chain still proves that nothing else was taken away, changed or put in between.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from rolecall.errors import Problem
from rolecall.journal.database import Database

Kind = Literal["begin", "plan", "intent", "ended", "unknown", "attested", "sighting", "remember", "close", "prune"]
LASTING = frozenset({"remember", "prune"})
"""Kinds whose content is never blanked: the memory is checked against them."""


class Draft(NamedTuple):
    """An entry to be added. ``body`` is JSON text; ``step`` is 0 where it is about no step."""

    run: int
    step: int
    kind: Kind
    at: str
    body: str


class Entry(NamedTuple):
    """An entry as it stands; ``body`` is None when it was pruned."""

    n: int
    run: int
    step: int
    kind: Kind
    at: str
    body: str | None
    body_hash: str
    hash: str


def canonical(value: Any) -> str:
    """JSON text that is always the same for equal values: keys sorted, ASCII only, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def append(database: Database, journal: str, org_id: str, drafts: Sequence[Draft]) -> None:
    """Add entries at the end of an org's chain. Call it inside a transaction."""
    if not drafts:
        return
    database.serialise(order(journal, org_id))
    head = database.rows("SELECT n, hash FROM rolecall_entries WHERE org_id = ? ORDER BY n DESC LIMIT 1", org_id)
    last, before = head[0] if head else (0, journal)
    rows = []
    for n, draft in enumerate(drafts, last + 1):
        content = _sha256(draft.body)
        before = link(before, org_id, n, draft, content)
        rows.append((org_id, n, *draft, content, before))
    database.insert(
        "INSERT INTO rolecall_entries (org_id, n, run, step, kind, at, body, body_hash, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def order(journal: str, org_id: str) -> str:
    """The name under which writers of one chain take turns."""
    return f"{journal}/{org_id}"


def link(before: str, org_id: str, n: int, entry: Draft | Entry, body_hash: str) -> str:
    """The hash of entry ``n``: SHA-256 over the hash before it, its place, its head and its content's hash."""
    return _sha256(canonical([before, org_id, n, entry.run, entry.step, entry.kind, entry.at, body_hash]))


def entries(database: Database, org_id: str) -> list[Entry]:
    """All entries of an org, oldest first."""
    found = database.rows(
        "SELECT n, run, step, kind, at, body, body_hash, hash FROM rolecall_entries WHERE org_id = ? ORDER BY n", org_id
    )
    return [Entry(*row) for row in found]


def faults(journal: str, org_id: str, chain: Sequence[Entry]) -> list[Problem]:
    """What is wrong with a chain: gaps, broken links, changed content, content blanked without a word."""
    problems = []
    before, expected = journal, 1
    pruned = {run for entry in chain if entry.kind == "prune" and entry.body for run in json.loads(entry.body)["runs"]}
    for entry in chain:
        if entry.n != expected:
            problems.append(_fault(entry, f"entries {expected} to {entry.n - 1} are missing"))
        elif link(before, org_id, entry.n, entry, entry.body_hash) != entry.hash:
            problems.append(_fault(entry, "its hash does not follow from the entry before it"))
        if entry.body is not None and _sha256(entry.body) != entry.body_hash:
            problems.append(_fault(entry, "its content was changed"))
        if entry.body is None and (entry.run not in pruned or entry.kind in LASTING):
            problems.append(_fault(entry, "its content was taken away, and no pruning says so"))
        before, expected = entry.hash, entry.n + 1
    return problems


def _fault(entry: Entry, said: str) -> Problem:
    about = f"run {entry.run}, " if entry.run else ""
    hint = "Compare with a backup; what this entry says cannot be relied on."
    return Problem("journal_tampered", f"entry {entry.n} ({about}{entry.kind}): {said}", None, hint)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
