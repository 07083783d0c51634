"""Test that invisible characters are shown as escapes and visible ones unchanged."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.report.phrases import cells, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Writer-Admins", "Writer-Admins"),
        ("Käse 会议 😀 é", "Käse 会议 😀 é"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\tand\r", "two\\nlines\\tand\\r"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half\ud800", "half\\ud800"),
        ("\u2028\u2029\x85", "\\u2028\\u2029\\x85"),
    ],
)
def test_invisible_characters_appear_as_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


@settings(max_examples=100)
@given(st.text(alphabet=st.characters()))
def test_nothing_hidden_is_left_and_showing_twice_changes_nothing(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp") for char in shown)
    assert visible(shown) == shown


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("会议", 4), ("e\u0301", 1), ("😀", 2), ("", 0)])
def test_cells_are_terminal_columns(text: str, columns: int) -> None:
    assert cells(text) == columns
