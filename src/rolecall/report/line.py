"""Lay out styled lines in a width. Styles become colors where they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from rolecall.errors import Problem
from rolecall.report.phrases import cells, hint_suffix, visible

Style = Literal["plain", "dim", "bold", "more", "less", "alert", "warn", "error", "ok", "head"]
"""``more`` is for more rights, ``less`` for access that is lost, ``alert`` for escalations, ``ok`` for what is done."""

WIDEST = 120
"""Columns beyond which the tail of a line is not moved further to the right, so that it can be followed."""

_GAP = 3
_TOKEN = re.compile(r"\S+|\s+")


class Span(NamedTuple):
    """A piece of text in one style."""

    text: str
    style: Style = "plain"


Spans = tuple[Span, ...]


class Line(NamedTuple):
    """One line before layout. Columns count from 0.

    ``indent`` is where it starts, ``hang`` where its continuation starts. ``tail`` is at the right where there is room,
    else on a line of its own. ``whole`` is a line that is never wrapped, such as a command to copy.
    """

    spans: Spans = ()
    indent: int = 0
    hang: int = 0
    tail: Spans = ()
    whole: bool = False


def line(text: str = "", style: Style = "plain", *, indent: int = 0, hang: int = 0, tail: str = "") -> Line:
    """Return a line of one style, its tail dim."""
    return Line((Span(text, style),) if text else (), indent, hang, (Span(tail, "dim"),) if tail else ())


def problem_line(problem: Problem) -> Line:
    """Return ``error: rolecall.yaml:4:7: unknown key `rol`; did you mean `role`?``."""
    style: Style = "error" if problem.severity == "error" else "warn"
    where = f"{visible(str(problem.where))}: " if problem.where else ""
    hint = Span(hint_suffix(problem.message, problem.hint), "dim")
    spans = (Span(f"{problem.severity}: ", style), Span(where, "bold"), Span(visible(problem.message)), hint)
    return Line(tuple(span for span in spans if span.text), hang=2)


def layout(lines: Iterable[Line], width: int | None = None) -> Iterator[Spans]:
    """Yield lines as rows of at most ``width`` columns; None wraps nothing, as for a file or a pipe."""
    for item in lines:
        yield from _lay_out(item, width)


def plain(lines: Iterable[Line], width: int | None = None) -> str:
    """Return lines as text without color, each ended by a line feed."""
    return "".join(f"{''.join(span.text for span in spans).rstrip()}\n" for spans in layout(lines, width))


def width_of(spans: Spans) -> int:
    """Return the columns that the spans of a row take."""
    return sum(cells(span.text) for span in spans)


def fits(item: Line, width: int | None) -> bool:
    """Return whether a line fits in one row, with its tail."""
    return width is None or item.indent + width_of(item.spans) + _GAP + width_of(item.tail) <= width


def _lay_out(item: Line, width: int | None) -> Iterator[Spans]:
    pad = (Span(" " * item.indent),) if item.indent else ()
    if item.whole:
        yield (*pad, *item.spans)
    elif not item.tail:
        yield from _wrap((*pad, *item.spans), item.hang, width)
    elif width is None:
        yield (*pad, *item.spans, Span(" " * _GAP), *item.tail)
    elif fits(item, width):
        least = item.indent + width_of(item.spans) + _GAP + width_of(item.tail)
        gap = Span(" " * (_GAP + max(min(width, WIDEST) - least, 0)))
        yield (*pad, *item.spans, gap, *item.tail)
    else:
        yield from _wrap((*pad, *item.spans), item.hang, width)
        yield from _wrap((Span(" " * item.hang), *item.tail), item.hang, width)


def _wrap(spans: Spans, hang: int, width: int | None) -> Iterator[Spans]:
    if width is None or width_of(spans) <= width:
        yield spans
        return
    hang = min(hang, width // 2)
    out: list[Span] = []
    used = 0
    fresh = True
    for token in _tokens(spans, max(width - hang, 1)):
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


def _tokens(spans: Spans, longest: int) -> Iterator[Span]:
    for text, style in spans:
        for token in _TOKEN.findall(text):
            yield from (Span(piece, style) for piece in _pieces(token, longest))


def _pieces(token: str, longest: int) -> Iterator[str]:
    """Yield a word in pieces that fit, where it is longer than a whole row."""
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
