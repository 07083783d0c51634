"""Test color and width on a terminal, and plain text without rich elsewhere."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest

from rolecall.cli.console import Console
from rolecall.report.line import Line, Span, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


LINES = [Line((Span("+ ", "more"), Span("idp_groups/G"))), line("words " * 30)]


def test_a_pipe_gets_plain_text() -> None:
    stream = io.StringIO()
    Console(stream, {}).lines(LINES)
    assert stream.getvalue() == "+ idp_groups/G\n" + ("words " * 30).rstrip() + "\n"


def test_a_terminal_gets_colour_within_its_width() -> None:
    stream = Terminal()
    Console(stream, {"COLUMNS": "50", "TERM": "xterm-256color"}).lines(LINES)
    first, *rest = stream.getvalue().splitlines()
    assert first.startswith("\x1b[")
    assert "idp_groups/G" in first
    assert max(map(len, rest)) <= 50


def test_sixteen_colors_are_neither_bright_yellow_nor_white(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    stream = Terminal()
    styles = ("dim", "bold", "more", "less", "alert", "warn", "error", "ok", "head")
    Console(stream, {"COLUMNS": "50", "TERM": "xterm"}).lines([Line(tuple(Span(name, name) for name in styles))])
    codes = set(re.findall(r"\x1b\[([\d;]+)m", stream.getvalue())) - {"0"}
    assert codes <= {"2", "1", "33", "31", "1;31", "32"}


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}])
def test_colour_is_left_out_where_nobody_wants_it(environ: dict[str, str]) -> None:
    stream = Terminal()
    Console(stream, {**environ, "COLUMNS": "50"}).lines(LINES)
    assert "\x1b" not in stream.getvalue()
    assert max(map(len, stream.getvalue().splitlines())) <= 50


def test_the_flag_says_no_colour_too() -> None:
    stream = Terminal()
    Console(stream, {}, color=False).lines(LINES)
    assert "\x1b" not in stream.getvalue()


def test_force_color_paints_a_pipe_without_wrapping() -> None:
    stream = io.StringIO()
    Console(stream, {"FORCE_COLOR": "1"}).lines(LINES)
    assert "\x1b[" in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 2


def test_lines_may_depend_on_the_width() -> None:
    stream = Terminal()
    Console(stream, {"NO_COLOR": "1", "COLUMNS": "50"}).lines(lambda width: [line(f"{width} columns")])
    assert stream.getvalue() == "50 columns\n"


@pytest.mark.parametrize("said", ["", "0", "wide", "-3", "²"])
def test_a_width_that_is_none_is_eighty_columns(said: str) -> None:
    assert Console(Terminal(), {"COLUMNS": said}).width == 80


def test_text_ends_with_one_line_feed() -> None:
    stream = io.StringIO()
    console = Console(stream, {})
    console.text("a")
    console.text("b\n")
    assert stream.getvalue() == "a\nb\n"


def test_plain_output_needs_no_rich() -> None:
    code = (
        "import sys\n"
        "from rolecall.cli.console import stdout\n"
        "from rolecall.report.line import line\n"
        "stdout({}).lines([line('x')])\n"
        "assert 'rich' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "x\n"
