"""Test what the body of a response may contain."""

from __future__ import annotations

import pytest

from rolecall.live.http.transport import Answer


@pytest.mark.parametrize("body", [b'{"name": "a\\ud83d"}', b'{"\\uDE00": 1}', b"[" * 100_000, b"{", b"\xff"])
def test_what_is_no_json_or_no_text_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError):
        Answer(200, {}, body).json()


@pytest.mark.parametrize(("body", "said"), [(b'"\\ud83d\\ude00"', "\U0001f600"), (b'"\\\\ud83d"', "\\ud83d")])
def test_two_halves_side_by_side_are_one_character(body: bytes, said: str) -> None:
    assert Answer(200, {}, body).json() == said
