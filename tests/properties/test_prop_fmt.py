"""The laws of `fmt`: what is valid can be formatted, values and comments stay, and a second time changes nothing."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from rolecall.desired.edit.format import comments, formatted
from rolecall.errors import ConfigError
from rolecall.source.yaml_file import load_yaml

spaces = st.sampled_from([" ", "  ", "\t", " \t"])
remarks = st.sampled_from(["", "", "  # why", "\t# tab", "   #odd\t one", " \t # both", "\t"])
values = st.sampled_from(
    [
        "blank", "", "~", "yes", "2030-01-01", "x y", "&a z", "'it''s'", '"\\u202ea"', '"a\\tb"', '"\\/"', '"\\xFC"',
        '"Büro"', "'\u202e'", '"a\u00a0b"', "[X, Y]", "[ X ,Y ]", '{a: "x\\u200b"}', "{role: member, teams: [A,B]}",
        "[\n      a,\n      b, # c\n    ]", "|\n      text\n      more", ">-\n      fold\n      ed", '"q # no"',
    ]
)  # fmt: skip
indents = st.sampled_from(["  ", "    "])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """YAML as people write it, of which most is valid."""
    lines = draw(st.sampled_from([[], [], ["---"], ["%YAML 1.2", "---"]]))
    lines = [*lines, f"version: 1{draw(remarks)}"]
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["field", "map", "list", "blank"]))
        if kind == "field":
            lines.append(f"k{number}:{draw(spaces)}{draw(values)}{draw(remarks)}")
        elif kind == "blank":
            lines.append(draw(st.sampled_from(["# head", "   # in", "", "\t", "  "])))
        else:
            lines.append(f"n{number}:{draw(remarks)}")
            indent = draw(indents)
            for item in range(draw(st.integers(1, 3))):
                head = f'"s{item}":' if kind == "map" else "-"
                lines.append(f"{indent}{head}{draw(spaces)}{draw(values)}{draw(remarks)}")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return mark + "\n".join([*lines, *draw(st.sampled_from([[], [""], ["", ""]]))]).replace("\n", end)


@given(texts())
def test_what_is_valid_can_be_formatted_and_keeps_values_comments_and_line_ends(text: str) -> None:
    try:
        value = load_yaml(text.encode(), "x.yaml").value
    except ConfigError:
        assume(False)
    once = formatted(text, "x.yaml")
    assert load_yaml(once.encode(), "x.yaml").value == value
    assert [one.split() for one in comments(once.replace("\r\n", "\n"))] == [
        one.split() for one in comments(text.replace("\r\n", "\n"))
    ]
    assert once.startswith("\ufeff") == text.startswith("\ufeff")
    assert ("\r\n" in once) == ("\r\n" in text)
    assert once.replace("\r\n", "").count("\n") in (0, once.count("\n") - once.count("\r\n"))
    assert formatted(once, "x.yaml") == once
