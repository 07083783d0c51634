"""Styled lines and how they are laid out in a width. No terminal here: whoever prints maps styles to colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from rolecall.report.phrases import cells

Style = Literal["plain", "dim", "bold", "add", "change", "remove", "risk", "warn", "error", "ok", "head"]

WIDEST = 120
"""Columns beyond which the tail of a line is not pushed further to the right: eyes lose the row."""

_GAP = 3
_TOKEN = re.compile(r"\S+|\s+")


class Span(NamedTuple):
    """A piece of text in one style."""

    text: str
    style: Style = "plain"


Row = tuple[Span, ...]


class Line(NamedTuple):
    """One line before layout. Columns count from 0.

    ``indent`` is where it starts, ``hang`` where its continuation starts. ``tail`` stands to the right when there is
    room, and on a line of its own when there is not.
    """

    spans: Row = ()
    indent: int = 0
    hang: int = 0
    tail: Row = ()


def line(text: str = "", style: Style = "plain", *, indent: int = 0, hang: int = 0, tail: str = "") -> Line:
    """A line of one style, its tail dim."""
    return Line((Span(text, style),) if text else (), indent, hang, (Span(tail, "dim"),) if tail else ())


def layout(lines: Iterable[Line], width: int | None = None) -> Iterator[Row]:
    """Lines as rows of at most ``width`` columns; with None nothing is wrapped, as for a file or a pipe."""
    for item in lines:
        yield from _rows(item, width)


def plain(lines: Iterable[Line], width: int | None = None) -> str:
    """Lines as text without any colour, each ended by a line feed."""
    return "".join(f"{''.join(span.text for span in row).rstrip()}\n" for row in layout(lines, width))


def width_of(row: Row) -> int:
    """Columns that a row takes."""
    return sum(cells(span.text) for span in row)


def fits(item: Line, width: int | None) -> bool:
    """Whether a line stands in one row, tail included."""
    return width is None or item.indent + width_of(item.spans) + _GAP + width_of(item.tail) <= width


def _rows(item: Line, width: int | None) -> Iterator[Row]:
    pad = (Span(" " * item.indent),) if item.indent else ()
    if not item.tail:
        yield from _wrap((*pad, *item.spans), item.hang, width)
        return
    if width is None:
        yield (*pad, *item.spans, Span(" " * _GAP), *item.tail)
    elif fits(item, width):
        least = item.indent + width_of(item.spans) + _GAP + width_of(item.tail)
        gap = Span(" " * (_GAP + max(min(width, WIDEST) - least, 0)))
        yield (*pad, *item.spans, gap, *item.tail)
    else:
        yield from _wrap((*pad, *item.spans), item.hang, width)
        yield from _wrap((Span(" " * item.hang), *item.tail), item.hang, width)


def _wrap(row: Row, hang: int, width: int | None) -> Iterator[Row]:
    if width is None or width_of(row) <= width:
        yield row
        return
    hang = min(hang, width // 2)
    out: list[Span] = []
    used = 0
    fresh = True
    for token in _tokens(row, max(width - hang, 1)):
        size = cells(token.text)
        if used + size > width and not fresh:
            yield tuple(out)
            out, used, fresh = [Span(" " * hang)], hang, True
        if fresh and out and token.text.isspace():
            continue
        out.append(token)
        used += size
        fresh = fresh and token.text.isspace()
    if not fresh:
        yield tuple(out)


def _tokens(row: Row, longest: int) -> Iterator[Span]:
    for text, style in row:
        for token in _TOKEN.findall(text):
            yield from (Span(piece, style) for piece in _pieces(token, longest))


def _pieces(token: str, longest: int) -> Iterator[str]:
    """A word longer than a whole row, cut into pieces that fit."""
    while cells(token) > longest:
        cut = longest if token.isascii() else _cut(token, longest)
        yield token[:cut]
        token = token[cut:]
    yield token


def _cut(token: str, longest: int) -> int:
    used = 0
    for place, char in enumerate(token):
        used += cells(char)
        if used > longest:
            return max(place, 1)
    return len(token)
