"""Test values and places of JSON files, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.errors import ConfigError, Where
from rolecall.source.json_file import load_json, parse_json

TEXT = b"""\
{
  "a": [1, {"b": "x, [y]: {\\"z\\"}"}],
  "c": {"d": null, "e": -1.5e3},
\t"f": true
}
"""


def refused(data: bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_json(data, "f.json")
    return [str(problem) for problem in caught.value.problems]


def test_values_are_what_json_says() -> None:
    assert load_json(TEXT).value == {"a": [1, {"b": 'x, [y]: {"z"}'}], "c": {"d": None, "e": -1500.0}, "f": True}


@pytest.mark.parametrize(
    ("path", "key", "line", "column"),
    [
        ((), False, 1, 1),
        (("a",), True, 2, 3),
        (("a",), False, 2, 8),
        (("a", 1), False, 2, 12),
        (("a", 1, "b"), False, 2, 18),
        (("c", "d"), True, 3, 9),
        (("c", "e"), False, 3, 25),
        (("f",), True, 4, 2),
        (("f",), False, 4, 7),
    ],
)
def test_every_part_knows_its_place(path: tuple[str | int, ...], key: bool, line: int, column: int) -> None:
    assert load_json(TEXT, "f").where(path, key) == Where("f", line, column)


@pytest.mark.parametrize("value", [b"1", b'"x"', b"null", b"[]", b"{}", b" [ ] "])
def test_anything_may_be_a_document(value: bytes) -> None:
    assert load_json(value, "f").where().line == 1


def test_all_duplicate_keys_are_told_with_both_places() -> None:
    assert refused(b'{"a": 1, "b": {"x": 1,\n "x": [{"a": 1}]},\n "\\u0061": 3}') == [
        "f.json:2:2: `x` is defined twice, first at f.json:1:16. Keep one of the two",
        "f.json:3:2: `a` is defined twice, first at f.json:1:2. Keep one of the two",
    ]
    assert len(parse_json(b'{"a": 1, "a": 2}').problems) == 1
    assert parse_json(b'[{"a": 1}, {"a": 2}]').problems == ()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "f.json:1:1: is not valid JSON: expecting value"),
        (b'{"a": 1,\n}', "f.json:2:1: is not valid JSON"),
        (b"{'a': 1}", "f.json:1:2: is not valid JSON"),
        (b'{"a": }', "f.json:1:7: is not valid JSON: expecting value"),
        (b"[1] [2]", "f.json:1:5: is not valid JSON: extra data"),
        (b"[NaN]", "f.json: is not valid JSON: `NaN` is not a JSON number"),
        (b"[-Infinity]", "f.json: is not valid JSON: `-Infinity` is not a JSON number"),
        (b"9" * 5000, "f.json: is not valid JSON: a number is too long"),
        (b'["a\nb"]', "f.json:1:4: is not valid JSON"),
        (b'["\\ud83d"]', "f.json:1:3: is not valid JSON: half of a character"),
        (b"[" * 100_000, "f.json: is nested deeper than 100 levels"),
        (b"[" * 101 + b"]" * 101, "f.json: is nested deeper than 100 levels"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "f.json: is nested deeper than 100 levels"),
        ("{}".encode("utf-16"), "f.json: is UTF-16"),
        (b'["\xff"]', "f.json:1:3: byte 0xff is not UTF-8 text"),
    ],
)
def test_each_fault_is_told_at_its_place(data: bytes, told: str) -> None:
    (problem,) = refused(data)
    assert problem.startswith(told)


def test_what_is_at_the_limit_is_read() -> None:
    assert load_json(b"[" * 100 + b"]" * 100).value is not None
    assert load_json(b'["\\ud83d\\ude00", "\xc3\xa9"]').value == ["\U0001f600", "\u00e9"]
    assert load_json(b"\xef\xbb\xbf{}").value == {}


def test_a_file_has_a_size_limit(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b" " * 200 + b"1")
    with pytest.raises(ConfigError, match="larger than"):
        load_json(tmp_path / "a.json", limit=200)
    assert load_json(tmp_path / "a.json", limit=201).value == 1
