"""Test users as JSON lines, in batches."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.codec.people import decode_people, encode_people
from rolecall.codec.people_lines import BATCH, LONGEST_LINE, MOST_PROBLEMS, decode_lines, encode_lines
from rolecall.errors import ConfigError, Problem
from rolecall.model import normalise

ROWS = [{"email": f"person{number}@acme.com", "groups": ["Writers", "Légal"]} for number in range(20)]
TEXT = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode()


def problems(text: bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(ConfigError) as caught:
        decode_lines([text], file="p.jsonl")
    return [_placed(problem) for problem in caught.value.problems]


def _placed(problem: Problem) -> tuple[int, int, str]:
    assert problem.where is not None
    assert problem.where.file == "p.jsonl"
    assert problem.hint
    return problem.where.line, problem.where.column, problem.message


@pytest.mark.parametrize("size", [1, 7, 100, BATCH])
def test_it_does_not_matter_where_the_bytes_are_cut(size: int) -> None:
    chunks = [TEXT[start : start + size] for start in range(0, len(TEXT), size)]
    assert decode_lines(chunks) == decode_people(ROWS)


@pytest.mark.parametrize(
    "text", [TEXT + b"\n", b"\xef\xbb\xbf" + TEXT, TEXT.replace(b"\n", b"\r\n"), TEXT + b"\n\n \n"]
)
def test_line_ends_a_byte_order_mark_and_blank_lines_are_no_matter(text: bytes) -> None:
    assert decode_lines([text]) == decode_people(ROWS)


def test_an_empty_file_is_an_empty_directory() -> None:
    assert decode_lines([]) == decode_lines([b""])
    assert len(decode_lines([])) == 0


def test_every_bad_line_is_told_with_its_number() -> None:
    text = b'{"email": "a@x.io"}\n{"email": \n\n{"groups": []}\n\xff\n{"email": "b@x.io"} {}\n'
    assert problems(text) == [
        (2, 11, "is not JSON: Expecting value"),
        (4, 1, "has no `email`"),
        (5, 1, "is not UTF-8 text"),
        (6, 21, "is not JSON: Extra data"),
    ]


def test_line_numbers_run_on_from_chunk_to_chunk() -> None:
    with pytest.raises(ConfigError) as caught:
        decode_lines([b'{"email": "a@x.io"}\n{"email": "b@', b'x.io"}\n7\n'])
    assert [str(problem.where) for problem in caught.value.problems] == ["people.jsonl:3:1"]


def test_two_objects_on_one_line_are_refused() -> None:
    assert problems(b'{"email": "a@x.io"}, {"email": "b@x.io"}\n')[0][0] == 1


def test_an_object_over_two_lines_is_refused() -> None:
    assert [line for line, *_ in problems(b'{"email": "a@x.io"\n"id": "7"}\n')] == [1, 2]


def test_deep_nesting_is_refused() -> None:
    assert problems(b"[" * 100_000) == [(1, 1, "is nested too deeply")]


def test_one_address_twice_is_refused_across_batches() -> None:
    with pytest.raises(ConfigError, match=r"several users have the email address a@x\.io"):
        decode_lines([b'{"email": "a@x.io"}\n', b'{"email": "A@X.io"}\n'])


def test_a_line_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="longer than 16 MiB"):
        decode_lines(b" " * BATCH for _ in range(LONGEST_LINE // BATCH + 2))


def test_problems_have_an_end() -> None:
    assert len(problems(b"7\n" * 1000)) == MOST_PROBLEMS


def test_what_was_encoded_is_decoded_again_in_batches_of_whole_lines() -> None:
    directory = decode_people(
        {"email": f"person{number}@acme.com", "groups": ["Writers"] * 9} for number in range(9_000)
    )
    batches = list(encode_lines(directory))
    assert len(batches) > 1
    assert all(batch.endswith(b"\n") and len(batch) < 2 * BATCH for batch in batches)
    assert decode_lines(batches) == directory


texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6).map(normalise.name).filter(bool)


@given(st.lists(st.tuples(texts, st.none() | texts, st.lists(texts, max_size=3), st.booleans()), max_size=5))
def test_a_line_is_the_users_object(drawn: list[tuple[str, str | None, list[str], bool]]) -> None:
    directory = decode_people(
        {"email": f"{number}{email}", "id": own_id, "groups": groups, "active": active}
        for number, (email, own_id, groups, active) in enumerate(drawn)
    )
    lines = "".join(
        json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in encode_people(directory)
    )
    assert b"".join(encode_lines(directory)).decode() == lines
