"""Report the records of an audit log: as lines, as JSON, as a table, and their form without values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rolecall.codec.audit_table import is_documented
from rolecall.codec.shapes import forms_of, shape_of
from rolecall.codec.snapshot import moment_text
from rolecall.model.audit import USERS, AuditLog, AuditRecord
from rolecall.model.live import State
from rolecall.plan.dates import moment_words
from rolecall.plan.saved.privacy import Veil
from rolecall.report.document import Document, Listing, Note, Row, Table, Tone
from rolecall.report.phrases import count, visible

COLUMNS = ("at", "actor", "result", "area", "action", "object", "addresses", "source", "unrecognized", "key", "role")

SILENCE = (
    "Changes of SCIM settings and IdP groups are not in WRITER's documentation of this log. Without a record, nothing "
    "is known about them."
)
"""The limit of the log, wherever a reader could take silence as proof."""

WIDTHS = (23, 24)
"""The columns of time and actor in a listing."""


def hidden(record: AuditRecord, veil: Veil | None) -> AuditRecord:
    """Return a record with its users as they may be shown."""
    if veil is None:
        return record
    shown = veil.redacted(record)
    shown = shown if record.actor else shown._replace(actor="")
    return shown._replace(object=veil.label(record.object)) if USERS in record.sections and record.object else shown


def audit_document(title: str, records: Sequence[AuditRecord], state: State, notes: Iterable[str] = ()) -> Document:
    """Return the records, oldest first, with their number and how much of the log was read; ``notes`` follow."""
    closing = (Row((Note(text, "dim"),)) for text in notes)
    lines = (*map(record_row, records), Row((_number(len(records), state),)), *closing)
    return Document("audit", title=visible(title), listings=(Listing(lines, WIDTHS),))


def _number(records: int, state: State) -> Note:
    """Return the number of records, so that none of an unread log do not look like none in the log."""
    if state == "unread":
        return Note(f"{count(records, 'stored record')}; the audit log was not read.", "warn")
    if state == "partial":
        return Note(f"{count(records, 'record')}; the audit log was partially read.", "warn")
    return Note(f"{count(records, 'record')}.", "strong")


def record_row(record: AuditRecord) -> Row:
    """Return a record as a line: time, actor, what was done, and why it does not count if so."""
    parts = (": ".join(filter(None, (record.area, record.action))), record.object, record.role)
    text = visible(" · ".join(filter(None, parts))) or "(not recognized)"
    reason = record.unrecognized or ("failed" if record.result == "failure" else "")
    tone: Tone = "warn" if record.unrecognized else "dim" if reason else "plain"
    moment = moment_words(record.at) if record.at else "no time"
    cells = (Note(moment, "dim"), Note(visible(record.actor) or "–", "strong"), Note(text, tone))
    marks = (Note(f"({reason})", tone),) if reason else ()
    return Row((*cells, *marks), ", ".join(map(visible, record.addresses)))


def events_listing(log: AuditLog) -> Listing:
    """Return the records about a user, and how much of the log was read if not all of it."""
    unread = log.unread
    unread_lines = [] if unread is None else [Row((Note(visible(unread[0].upper() + unread[1:]), "warn"),), depth=1)]
    record_lines = [line._replace(depth=1) for line in map(record_row, log.records)]
    no_records = [] if record_lines else [Row((Note("No records about this user.", "dim"),), depth=1)]
    return Listing((*unread_lines, *record_lines, *no_records), WIDTHS, "Audit log")


def events_json(log: AuditLog) -> dict[str, Any]:
    """Return the records about a user as JSON, and how much of the log was read."""
    coverage = {"state": log.coverage.state, "problem": log.coverage.problem}
    return {"coverage": coverage, "records": [*map(record_json, log.records)]}


def audit_json(head: dict[str, Any], log: AuditLog, records: Iterable[AuditRecord]) -> str:
    """Return the log as one JSON object: how much of it was read, and the records."""
    position = log.position
    body = {
        **head,
        "coverage": {"state": log.coverage.state, "problem": log.coverage.problem},
        "since": moment_text(position.since) if position else None,
        "read_at": moment_text(position.read_at) if position else None,
        "gaps": [
            {"from": moment_text(gap.start), "to": moment_text(gap.end)} for gap in (position.gaps if position else ())
        ],
        "records": [*map(record_json, records)],
    }
    return json.dumps(body, ensure_ascii=False, indent=2)


def record_json(record: AuditRecord) -> dict[str, Any]:
    """Return the recognized parts of a record; null for those that were not found."""
    return {
        "at": None if record.at is None else moment_text(record.at),
        "actor": record.actor or None,
        "result": record.result,
        "area": record.area or None,
        "action": record.action or None,
        "object": record.object or None,
        "addresses": list(record.addresses),
        "source": record.source or None,
        "unrecognized": record.unrecognized or None,
        "key": record.key,
        "role": record.role or None,
    }


def audit_table(records: Iterable[AuditRecord]) -> Table:
    """Return a row for each record."""
    return Table(COLUMNS, map(_columns, records))


def raw_lines(records: Iterable[AuditRecord]) -> Iterator[str]:
    """Yield each record as it was received, as JSON on one line."""
    yield from (json.dumps(record.raw, ensure_ascii=False) for record in records)


def shape_lines(records: Iterable[AuditRecord]) -> Iterator[str]:
    """Yield each form of a record once, as JSON on one line, with the number of its records."""
    for number, shape in forms_of(record.raw for record in records):
        yield json.dumps({"records": number, "shape": shape}, ensure_ascii=False)


def page_shape_line(body: Any) -> str:
    """Return the form of a page that could not be decoded, as JSON on one line."""
    return json.dumps({"page": shape_of(body)}, ensure_ascii=False)


def unmapped_words(records: Iterable[AuditRecord]) -> Iterator[str]:
    """Yield how many records have an action that is not in the table of documented ones; nothing for none."""
    number = sum(record.counts and not is_documented(record.area, record.action) for record in records)
    if number:
        actions = "has an action that is" if number == 1 else "have actions that are"
        yield f"{count(number, 'record')} {actions} not documented by WRITER, so it is unknown what changed."


def _columns(record: AuditRecord) -> tuple[str, ...]:
    return (
        "" if record.at is None else moment_text(record.at),
        record.actor,
        record.result,
        record.area,
        record.action,
        record.object,
        " ".join(record.addresses),
        record.source,
        record.unrecognized,
        record.key,
        record.role,
    )
