"""Stores the records of audit logs, and how far each log was read; both in one transaction.

A log is known by the ID of its organization at WRITER. The records are not part of the chain; each is checked against
its key, which is the hash of its content, when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from rolecall.codec.audit import record_key
from rolecall.journal import content
from rolecall.journal.database import Database, Row, damaged, decoding, has_table
from rolecall.model.audit import AuditPosition, StoredRecord


class SqlAuditStore:
    """See ``journal.port.AuditStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def position(self, writer: str) -> AuditPosition | None:
        """Return how far a log was read; None if it was never read."""
        if not has_table(self._database, _POSITIONS):
            return None
        selected = self._database.select(f"SELECT position FROM {_POSITIONS} WHERE writer = ?", writer)
        if not selected:
            return None
        with decoding(self._database.place, f"{_POSITIONS}, {writer}"):
            return content.read(AuditPosition, selected[0][0])

    def store(self, writer: str, records: Sequence[StoredRecord], position: AuditPosition, received: datetime) -> None:
        """Add the records that are new, then advance the position: both or neither."""
        at = content.stamp(received)
        with self._database.transaction():
            self._database.serialise(f"audit/{writer}")
            for record in records:
                add = _ADD_AGAIN if record.at >= position.since else _ADD
                self._database.change(add, writer, record.key, content.stamp(record.at), at, record.body)
            self._database.change(_ADVANCE, writer, content.body(position))

    def records(self, writer: str, since: datetime | None = None, text: str = "") -> tuple[StoredRecord, ...]:
        """Return the records from a moment on that were not blanked, oldest first, as the port says."""
        if not has_table(self._database, _RECORDS):
            return ()
        start, pattern = content.stamp(since) if since else "", f"%{text.lower()}%"
        selected = self._database.select(_SELECT, writer, start, pattern)
        return tuple(self._record(writer, columns) for columns in selected)

    def prune(self, writer: str, before: datetime) -> int:
        """Blank the content of records that are older; their keys remain. Returns their number.

        What was read then begins at this moment, so that a longer period is read again.
        """
        moment = content.stamp(before)
        with self._database.transaction():
            self._database.serialise(f"audit/{writer}")
            position = self.position(writer)
            if position is not None and position.since < before:
                self._database.change(_ADVANCE, writer, content.body(position._replace(since=before)))
            number = self._database.change(_BLANK, writer, moment, moment)
        if number:
            self._database.give_back()
        return number

    def _record(self, writer: str, columns: Row) -> StoredRecord:
        key, at, body = columns
        where = f"{_RECORDS}, {writer}, {str(key)[:16]}"
        with decoding(self._database.place, where):
            record = StoredRecord(key, content.moment(at), body)
            intact = record_key(json.loads(body)) == key
        if not intact:
            raise damaged(self._database.place, where, "its content was changed")
        return record


_RECORDS = "rolecall_audit"
_POSITIONS = "rolecall_audit_position"
_INSERT = f"INSERT INTO {_RECORDS} (writer, id, at, received, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (writer, id)"
_ADD = f"{_INSERT} DO NOTHING"
_ADD_AGAIN = (
    f"{_INSERT} DO UPDATE SET at = excluded.at, received = excluded.received, body = excluded.body "
    f"WHERE {_RECORDS}.body IS NULL"
)
"""Adds a record of a period that was blanked before and is read again."""
_ADVANCE = (
    f"INSERT INTO {_POSITIONS} (writer, position) VALUES (?, ?) "
    "ON CONFLICT (writer) DO UPDATE SET position = excluded.position"
)
_SELECT = f"SELECT id, at, body FROM {_RECORDS} WHERE writer = ? AND at >= ? AND lower(body) LIKE ? ORDER BY at, id"
_BLANK = f"UPDATE {_RECORDS} SET body = NULL WHERE writer = ? AND at < ? AND received < ? AND body IS NOT NULL"
