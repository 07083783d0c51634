"""Tables for a spreadsheet: RFC 4180, with nothing in them that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from rolecall.report.phrases import visible

_FORMULA = tuple("=+-@＝＋－＠")
"""What a formula begins with; the wide forms are read alike in some languages."""


def table(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A header and rows, each ended by CR LF. A cell that begins like a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([*map(_cell, row)] for row in rows)
    return out.getvalue()


def _cell(text: str) -> str:
    shown = visible(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
