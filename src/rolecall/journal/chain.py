"""Stores the chain: append-only entries, each linked by a hash to everything before it in its org.

An entry's hash covers its place, its kind and the hash of its content, not the content itself. Old content can
therefore be blanked, and the chain still proves that nothing else was removed, changed or inserted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Sequence
from contextlib import closing
from json.encoder import encode_basestring_ascii
from typing import Any, Literal, NamedTuple

from rolecall.journal.database import Database, Row, damaged

Kind = Literal[
    "begin", "plan", "intent", "ended", "unknown", "attested", "confirmed", "sighting", "remember", "close", "prune"
]
LASTING = frozenset({"remember", "prune"})
"""Kinds whose content is never blanked, because the remembered values are checked against them."""
FIELDS = "n, run, step, kind, at, body, body_hash, hash"


class Draft(NamedTuple):
    """An entry to be added. ``body`` is JSON text; ``step`` is 0 if it is not about a step."""

    run: int
    step: int
    kind: Kind
    at: str
    body: str


class Entry(NamedTuple):
    """A stored entry; ``body`` is None when it was pruned."""

    n: int
    run: int
    step: int
    kind: Kind
    at: str
    body: str | None
    body_hash: str
    hash: str


def canonical(value: Any) -> str:
    """Return JSON text that is the same for equal values: keys sorted, ASCII only, no spaces."""
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def append(database: Database, journal: str, org_id: str, drafts: Sequence[Draft]) -> None:
    """Add entries at the end of an org's chain. Must be called inside a transaction."""
    if not drafts:
        return
    database.serialise(order(journal, org_id))
    head = database.select("SELECT n, hash FROM rolecall_entries WHERE org_id = ? ORDER BY n DESC LIMIT 1", org_id)
    last, before = head[0] if head else (0, journal)
    if not (isinstance(last, int) and isinstance(before, str)):
        raise damaged(database.place, f"the last entry of {org_id}")
    appended = []
    for n, draft in enumerate(drafts, last + 1):
        content = sha256(draft.body)
        before = link(before, org_id, n, draft, content)
        appended.append((org_id, n, *draft, content, before))
    database.insert(
        "INSERT INTO rolecall_entries (org_id, n, run, step, kind, at, body, body_hash, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        appended,
    )


def order(journal: str, org_id: str) -> str:
    """Return the name of the lock that serializes writers of one chain."""
    return f"{journal}/{org_id}"


def link(before: str, org_id: str, n: int, entry: Draft | Entry, body_hash: str) -> str:
    """Return the hash of entry ``n``: SHA-256 over the previous hash, its place, its head and its content's hash.

    They are hashed as a list in ``canonical`` form, which is built here because a journal is checked entry by entry.
    """
    kind, at = encode_basestring_ascii(entry.kind), encode_basestring_ascii(entry.at)
    start = f"[{encode_basestring_ascii(before)},{encode_basestring_ascii(org_id)},{n}"
    return sha256(f"{start},{entry.run},{entry.step},{kind},{at},{encode_basestring_ascii(body_hash)}]")


def checked(
    database: Database, journal: str, org_id: str, where: str, *params: Any, light: bool = False
) -> list[Entry]:
    """Return the entries of an org that match a condition over ``e``, in the order at its end.

    Each is checked: its content against its hash, and its hash against the previous entry. Raises JournalError for the
    first mismatch, naming the entry. ``light``: without the content that no run is built from.
    """
    body = _LIGHT_BODY if light else "e.body"
    selected = database.select(f"SELECT {_CHECKED.format(body=body)} WHERE e.org_id = ? AND {where}", org_id, *params)
    return [_checked(database.place, journal, org_id, columns) for columns in selected]


def _checked(place: str, journal: str, org_id: str, columns: Row) -> Entry:
    entry = entry_of(place, org_id, columns[:-1])
    before = journal if entry.n == 1 else columns[-1]
    if not isinstance(before, str):
        raise damaged(place, name(org_id, entry), "the entry before it is missing")
    if link(before, org_id, entry.n, entry, entry.body_hash) != entry.hash:
        raise damaged(place, name(org_id, entry), NOT_LINKED)
    if entry.body is not None and sha256(entry.body) != entry.body_hash:
        raise damaged(place, name(org_id, entry), CHANGED)
    return entry


def entry_of(place: str, org_id: str, columns: Row) -> Entry:
    """Return a row as an entry. Raises JournalError if a column has the wrong type."""
    whole = all(isinstance(value, int) for value in columns[:3]) and isinstance(columns[5], str | None)
    if not whole or not all(isinstance(value, str) for value in (*columns[3:5], *columns[6:])):
        raise damaged(place, f"rolecall_entries, org {org_id}, entry {columns[0]!r}")
    return Entry(*columns)


def stream(database: Database, org_id: str) -> Generator[Entry]:
    """Yield all entries of an org, oldest first, unchecked. Must be called inside a snapshot."""
    sql = f"SELECT {FIELDS} FROM rolecall_entries WHERE org_id = ? ORDER BY n"
    with closing(database.stream(sql, org_id)) as selected:
        for columns in selected:
            yield entry_of(database.place, org_id, columns)


def name(org_id: str, entry: Entry) -> str:
    """Return the name of an entry in messages."""
    about = f"run {entry.run}, " if entry.run else ""
    return f"rolecall_entries, org {org_id}, entry {entry.n} ({about}{entry.kind})"


def sha256(text: str) -> str:
    """Return the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


NOT_LINKED = "its hash does not match the entry before it"
CHANGED = "its content was changed"
_LIGHT_BODY = "CASE WHEN e.kind IN ('plan', 'sighting', 'remember') THEN NULL ELSE e.body END"
_CHECKED = (
    "e.n, e.run, e.step, e.kind, e.at, {body}, e.body_hash, e.hash, p.hash FROM rolecall_entries e "
    "LEFT JOIN rolecall_entries p ON p.org_id = e.org_id AND p.n = e.n - 1"
)
