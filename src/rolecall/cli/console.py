"""Write lines to a stream: with colors and within its width on a terminal, as plain text anywhere else."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.style import Style as RichStyle

    from rolecall.report.line import Line, Style

    Layout = Callable[[int | None], Iterable[Line]]

_STYLES: Mapping[Style, tuple[str, str]] = {
    "plain": ("", ""),
    "dim": ("color(244)", "dim"),
    "bold": ("bold", "bold"),
    "more": ("color(166)", "yellow"),
    "less": ("color(160)", "red"),
    "alert": ("bold color(166)", "bold"),
    "warn": ("color(166)", "yellow"),
    "error": ("bold color(160)", "bold red"),
    "ok": ("color(28)", "green"),
    "head": ("bold", "bold"),
}
"""Styles with 256 colors and with 16, readable on a dark and on a light background: neither bright yellow nor white."""


class Console:
    """Writes to one stream. ``width`` is None if it is not a terminal."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str], *, color: bool = True) -> None:
        self._stream = stream
        self.terminal = stream.isatty()
        self.width = _columns(stream, environ) if self.terminal else None
        self.color = color and _wants_color(environ, self.terminal)

    def lines(self, lines: Iterable[Line] | Layout) -> None:
        """Write lines, or those that a function returns for the width."""
        laid_out = lines(self.width) if callable(lines) else lines
        if self.color:
            self._rich(laid_out)
        else:
            from rolecall.report.line import plain

            self._stream.write(plain(laid_out, self.width))

    def text(self, text: str) -> None:
        """Write a document as it is, in UTF-8, ended by a line feed."""
        write_document(text if text.endswith("\n") else f"{text}\n", self._stream)

    def _rich(self, lines: Iterable[Line]) -> None:
        from rich.console import Console as Rich
        from rich.segment import Segment, Segments

        from rolecall.report.line import layout

        rich = Rich(file=self._stream, force_terminal=True, highlight=False, soft_wrap=True, width=self.width)
        styles = _styles(few=rich.color_system == "standard")
        segments: list[Segment] = []
        for spans in layout(lines, self.width):
            segments += [Segment(span.text, styles[span.style]) for span in spans]
            segments.append(Segment.line())
        rich.print(Segments(segments), end="", crop=False)


def write_document(text: str, stream: TextIO | None = None) -> None:
    """Write text for other programs (YAML, JSON, CSV, HTML, scripts), in UTF-8 whatever the locale."""
    out = sys.stdout if stream is None else stream
    if isinstance(out, io.TextIOWrapper) and codecs.lookup(out.encoding).name != "utf-8":
        out.flush()
        out.buffer.write(text.encode("utf-8", "backslashreplace"))
    else:
        out.write(text)


def stdout(environ: Mapping[str, str] | None = None, *, color: bool = True) -> Console:
    """Return the console for results."""
    return Console(sys.stdout, os.environ if environ is None else environ, color=color)


def stderr(environ: Mapping[str, str] | None = None, *, color: bool = True) -> Console:
    """Return the console for errors and progress."""
    return Console(sys.stderr, os.environ if environ is None else environ, color=color)


def _columns(stream: TextIO, environ: Mapping[str, str]) -> int:
    """Return the terminal's width: ``COLUMNS``, or else what the terminal says, or else 80."""
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH


_WIDTH = 80


def _wants_color(environ: Mapping[str, str], terminal: bool) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return terminal and environ.get("TERM") != "dumb"


def _styles(*, few: bool) -> dict[Style, RichStyle]:
    """Return the styles of a terminal; ``few``: it has 16 colors."""
    from rich.style import Style as RichStyle

    return {name: RichStyle.parse(sixteen if few else many) for name, (many, sixteen) in _STYLES.items()}
