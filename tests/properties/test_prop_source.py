"""Laws of reading: what agrees with PyYAML's own safe loader, and that every place points at what it names.

The documents on which the two agree: anything that PyYAML's safe dumper writes for maps with text keys, lists, text,
whole numbers, floats, booleans and null. They differ, on purpose, where YAML 1.1 and 1.2 do (`yes`, `010`, `1_000`,
`1:30`, dates), in keys, which are text here, and in what is refused here (duplicate keys, tags, merge keys).
"""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.source.document import Document
from rolecall.source.json_file import load_json
from rolecall.source.marks import unpack
from rolecall.source.yaml_file import load_yaml

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff"))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)


def paths(value: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path in a value, in document order."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for step, held in steps for path in paths(held, (*here, step)))]


def in_order(document: Document) -> bool:
    """Whether later parts stand at later places; a container may share the place of its first part."""
    places = [document.where(path) for path in paths(document.value)]
    return places == sorted(places)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from([True, False, None]))
def test_yaml_agrees_with_the_safe_loader(value: Any, flow: bool | None) -> None:
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, default_flow_style=flow, allow_unicode=True).encode()
    document = load_yaml(text)
    assert document.value == yaml.load(text, Loader=yaml.CSafeLoader) == value
    assert in_order(document)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from([None, 2, "\t"]))
def test_json_agrees_with_the_standard_library(value: Any, indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    document = load_json(text.encode())
    assert document.value == value
    assert in_order(document)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.sampled_from([None, 2]))
def test_json_and_yaml_find_the_same_places(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent).encode()
    if b"\\ud" in text:  # libyaml does not join the two halves of an escaped character
        text = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    by_json, by_yaml = load_json(text, "f"), load_yaml(text, "f")
    assert by_yaml.value == by_json.value
    for path in paths(value):
        assert by_json.where(path) == by_yaml.where(path)
        assert by_json.where(path, key=True) == by_yaml.where(path, key=True)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXT, st.integers(), min_size=1, max_size=6))
def test_a_place_points_at_the_text_of_its_value(entries: dict[str, int]) -> None:
    text = yaml.dump(entries, Dumper=yaml.CSafeDumper, allow_unicode=True, width=10_000)
    document = load_yaml(text.encode())
    lines = text.split("\n")
    for key, value in entries.items():
        where = document.where((key,))
        assert lines[where.line - 1][where.column - 1 :] == str(value)
        assert unpack(document.entries()[key]) == document.where((key,), key=True)[1:]
