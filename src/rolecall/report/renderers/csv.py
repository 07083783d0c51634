"""Tables for a spreadsheet: RFC 4180, with nothing in them that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv as rfc4180
import io

from rolecall.report.document import Document, Table
from rolecall.report.phrases import visible

_FORMULA = tuple("=+-@＝＋－＠")
"""The first characters of a formula; the wide forms are equivalent in some languages."""


def csv(document: Document) -> str:
    """Return the table of a report that has one; else nothing."""
    return csv_text(document.table()) if document.table else ""


def csv_text(table: Table) -> str:
    """Return a header and rows, each ended by CR LF. A cell that begins like a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = rfc4180.writer(out, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([*map(_cell, row)] for row in table.rows)
    return out.getvalue()


def _cell(text: str) -> str:
    shown = visible(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
