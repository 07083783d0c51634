"""The law of the short way of `fmt`: what it recognizes as formatted, formatting leaves as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_prop_fmt import texts

from rolecall.desired.edit.conventional import is_formatted
from rolecall.desired.edit.format import formatted, reformatted
from rolecall.errors import ConfigError
from rolecall.source.yaml_file import load_yaml

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.yaml"))
scalars = st.sampled_from(
    [
        *("member", "2030-01-01", "yes", "~", "010", "x y", "x  y", "a.b", "1e3", "50%", "a - b", "-x", "a:b", "null"),
        *('"a: b"', "'#'", '"x, y"', "''", '""', '"a\\tb"', "it's", "a#b", "&a", "*a", "é", "=", "<<", "@a"),
        *("x" * 90, "y" * 140),
        *["org_admin", "Team 1", '"a #b"', "'it is'", "7"] * 8,
    ]
)
oddities = st.sampled_from([*[""] * 40, " ", "  ", "\t"])
remarks = st.sampled_from([*["", "", " # why", " # so be it"] * 8, " #why", "  # two", " # a  b", " #"])


@st.composite
def values(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["scalar", "list", "map", "none"]))
    if kind == "scalar":
        return f" {draw(scalars)}"
    if kind == "list":
        return f" [{draw(oddities)}{', '.join(draw(st.lists(scalars, max_size=3)))}]"
    fields = [f"k{n}:{draw(st.sampled_from([*[' '] * 20, '']))}{draw(scalars)}" for n in range(draw(st.integers(0, 2)))]
    return f" {{{', '.join(fields)}{draw(oddities)}}}" if kind == "map" else ""


@st.composite
def conventional(draw: st.DrawFn) -> str:
    """Maps in block style as people write them, with comments, blank lines, and something odd now and then."""
    lines, depth = [], 0
    for number in range(draw(st.integers(1, 8))):
        indent = "  " * draw(st.integers(0, depth))
        lines += draw(
            st.sampled_from(
                [
                    *[[], [""], [f"{indent}# note"], ["", f"{indent}# note", f"{indent}# more"]] * 6,
                    ["", ""],
                    ["# head"],
                    [f"{indent}#x"],
                ]
            )
        )
        key, value = draw(st.sampled_from([f"k{number}", f'"k {number}"', f"Writer-{number} x"])), draw(values())
        lines.append(f"{indent}{key}:{value}{draw(remarks)}{draw(oddities) if number == 3 else ''}")
        depth = len(indent) // 2 + (value == "")
    return "\n".join([*lines, *draw(st.sampled_from([[""], [""], [""], [], ["", ""], ["# end", ""]]))])


def holds(text: str) -> None:
    try:
        load_yaml(text.encode(), "x.yaml")
    except ConfigError:
        return
    if is_formatted(text):
        assert reformatted(text, "x.yaml") == text
    assert formatted(text, "x.yaml") == reformatted(text, "x.yaml")


@given(conventional())
def test_text_that_is_recognized_is_not_changed(text: str) -> None:
    holds(text)


@given(texts())
def test_other_text_that_is_recognized_is_not_changed(text: str) -> None:
    holds(text.replace("\r\n", "\n").removeprefix("\ufeff"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_formatted_alike_in_both_ways(path: Path) -> None:
    holds(path.read_text(encoding="utf-8"))


def test_a_file_of_mappings_is_recognized() -> None:
    text = (
        "version: 1\n\n# Marketing\nidp_groups:\n  # all of them\n  Writer-A: {role: member, teams: [A, B C]} # why\n"
    )
    assert is_formatted(
        text + '  Writer-B:\n    role: member\n    teams: [A]\n    reason: "SEC: 1"\n  Writer-C: blank\n'
    )
