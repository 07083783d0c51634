"""Access records in the chain: one that equals the one before it is stored as a reference to it."""

from __future__ import annotations

import json

from rolecall.journal import chain, encode
from rolecall.journal.chain import Entry, canonical
from rolecall.journal.database import Database, damaged, decoding
from rolecall.model.sighting import Sighting

PREFIX = '{"same_as":'
"""How the content of a reference begins; no whole record begins like that."""


def body(database: Database, org_id: str, content: str) -> str:
    """Return what to store for an access record: its content, or a reference where the last one has the same.

    Call it inside the transaction that adds the entry.
    """
    last = database.rows(_LAST, org_id)
    if not last:
        return content
    number, reference, body_hash = last[0]
    if reference is not None:
        number = reference_of(database.place, number, reference)
        whole = database.rows(_WHOLE, org_id, number)
        body_hash = whole[0][0] if whole else None
    return canonical({"same_as": number}) if body_hash == chain.sha256(content) else content


def reference_of(place: str, number: int, text: str) -> int:
    """Return the number of the entry that entry ``number`` refers to. Raises JournalError if it cannot be read."""
    with decoding(place, f"rolecall_entries, entry {number} (sighting)"):
        return int(json.loads(text)["same_as"])


def read(database: Database, journal: str, org_id: str, entry: Entry) -> Sighting:
    """Return the access record of an entry that was checked. Raises JournalError where it cannot be read."""
    content = entry.body or ""
    if content.startswith(PREFIX):
        number = reference_of(database.place, entry.n, content)
        whole = chain.checked(database, journal, org_id, "e.n = ? AND e.kind = 'sighting'", number)
        if not whole or whole[0].body is None:
            missing = f"entry {number}, which it repeats, is missing"
            raise damaged(database.place, chain.name(org_id, entry), missing)
        content = whole[0].body
    with decoding(database.place, chain.name(org_id, entry)):
        return encode.sighting_of(entry.run, entry.at, content, entry.hash)


_LAST = (
    f"SELECT n, CASE WHEN substr(body, 1, {len(PREFIX)}) = '{PREFIX}' THEN body END, body_hash FROM rolecall_entries "
    "WHERE org_id = ? AND kind = 'sighting' AND body IS NOT NULL ORDER BY at DESC, n DESC LIMIT 1"
)
_WHOLE = "SELECT body_hash FROM rolecall_entries WHERE org_id = ? AND n = ? AND kind = 'sighting' AND body IS NOT NULL"
