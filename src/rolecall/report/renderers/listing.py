"""Render a document that consists of listings: runs, who has which access, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rolecall.report.document import Document, Note, Row, Tone
from rolecall.report.line import Line, Span, Style, line
from rolecall.report.phrases import cells
from rolecall.report.renderers.text import banner_line, next_lines

_STYLES: Mapping[Tone, Style] = {
    "strong": "bold",
    "ok": "ok",
    "error": "error",
    "warn": "warn",
    "more": "more",
    "risk": "less",
    "plain": "plain",
    "dim": "dim",
    "detail": "dim",
}
_STEP = 2
"""Columns that each depth is indented by."""


def listing_lines(document: Document, width: int | None = None) -> Iterator[Line]:
    """Yield the org, the listings, and what to do next."""
    if document.banner.org:
        yield banner_line(document.banner)
    if document.title:
        yield line(document.title, "head", hang=_STEP)
    for listing in document.listings:
        if listing.title:
            yield line()
            yield line(listing.title, "bold")
        yield from (_row_line(row, listing.widths) for row in listing.rows)
    yield from next_lines(document, width)


def _row_line(row: Row, widths: Sequence[int]) -> Line:
    """Return the cells of a row; each but the last is as wide as its column."""
    indent = row.depth * _STEP
    spans = [span for number, cell in enumerate(row.cells) for span in _cell(cell, _width(number, row, widths))]
    hang = indent + (sum(widths) + len(widths) * _STEP if 0 < sum(widths) < _DEEPEST else 2 * _STEP)
    return Line(tuple(spans), indent, hang, (Span(row.place, "dim"),) if row.place else ())


_DEEPEST = 16
"""Columns up to which continuation lines start at the last column."""


def _width(number: int, row: Row, widths: Sequence[int]) -> int | None:
    if number == len(row.cells) - 1:
        return None
    return widths[number] if number < len(widths) else 0


def _cell(cell: Note, width: int | None) -> Iterator[Span]:
    yield Span(cell.text, _STYLES[cell.tone])
    if width is not None:
        yield Span(" " * (max(width - cells(cell.text), 0) + _STEP))
