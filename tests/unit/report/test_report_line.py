"""Test that lines keep their width, lose no word, and align their end to the right if there is room."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.report.line import WIDEST, Line, Span, layout, line, plain, width_of


def test_without_a_width_nothing_is_wrapped() -> None:
    words = "word " * 100
    assert plain([line(words)]) == words.rstrip() + "\n"


def test_the_tail_stands_to_the_right() -> None:
    assert plain([line("left", tail="right")], 20) == "left           right\n"


def test_the_tail_goes_below_when_there_is_no_room() -> None:
    assert plain([line("quite some text", hang=4, tail="right")], 20) == "quite some text\n    right\n"


def test_on_a_very_wide_terminal_the_tail_stays_in_sight() -> None:
    (row,) = layout([line("left", tail="right")], 400)
    assert width_of(row) == WIDEST


def test_a_long_line_still_takes_its_tail_where_the_terminal_is_wide() -> None:
    (row,) = layout([line("x" * 110, tail="right" * 4)], 140)
    assert width_of(row) == 133


def test_continuations_hang() -> None:
    assert plain([line("one two three four", indent=2, hang=4)], 12) == "  one two\n    three\n    four\n"


def test_a_word_longer_than_the_row_is_cut() -> None:
    assert plain([line("x" * 25, hang=2)], 10) == "xxxxxxxx\n  xxxxxxxx\n  xxxxxxxx\n  x\n"


def test_wide_characters_count_twice() -> None:
    rows = list(layout([line("会" * 12)], 10))
    assert all(width_of(row) <= 10 for row in rows)
    assert "".join(span.text for row in rows for span in row) == "会" * 12


def test_styles_survive_wrapping() -> None:
    item = Line((Span("one two ", "add"), Span("three four", "remove")))
    styles = {span.text: span.style for row in layout([item], 9) for span in row if span.text.strip()}
    assert styles == {"one": "add", "two": "add", "three": "remove", "four": "remove"}


@settings(max_examples=100)
@given(
    st.text(alphabet="ab 会é", max_size=80),
    st.integers(0, 8),
    st.integers(0, 8),
    st.integers(12, 40),
    st.text("xy", max_size=9),
)
def test_every_row_fits_and_every_character_stays(text: str, indent: int, hang: int, width: int, tail: str) -> None:
    rows = list(layout([line(text, indent=indent, hang=hang, tail=tail)], width))
    assert all(width_of(row) <= width for row in rows)
    told = "".join(span.text for row in rows for span in row).replace(" ", "")
    assert told == (text + tail).replace(" ", "")
