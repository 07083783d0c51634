"""Test formatting YAML: spaces change, values and comments do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.desired.edit.format import comments, formatted, renamed
from rolecall.desired.edit.nodes import flow, scalar
from rolecall.errors import ConfigError
from rolecall.source.yaml_file import load_yaml

UGLY = """\
# head
version:   1
sso: {name: "\U0001f469\u200d\U0001f4bb devs", idp: 日本}   # the IdP


defaults:
    teams:
    - Everyone   # all
    - "no"
idp_groups:
    010: blank
    # about B
    B:
        role: member
        teams: [X,Y]
# tail
"""

TIDY = """\
# head
version: 1
sso: {name: "\U0001f469\u200d\U0001f4bb devs", idp: 日本}   # the IdP

defaults:
  teams:
    - Everyone   # all
    - "no"
idp_groups:
  010: blank
  # about B
  B:
    role: member
    teams: [X, Y]
# tail
"""


def test_indents_spaces_and_blank_lines_come_into_one_form() -> None:
    assert formatted(UGLY, "x.yaml") == TIDY


def test_what_is_in_form_stays() -> None:
    assert formatted(TIDY, "x.yaml") == TIDY


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  # no comment\n  text  \nb: 1\n",
        "a: '# no comment'  # one\n",
        "a: &x {k: v} # anchor\nb: *x\n",
        "{a: 1, b: [x, 'y']}\n",
        "a: 0o17\nb: 1e3\nc: yes\nd: ~\n",
        "a:\n# at the margin\n    b: 1\n",
    ],
)
def test_values_and_comments_survive(text: str) -> None:
    after = formatted(text, "x.yaml")
    assert load_yaml(after.encode()).value == load_yaml(text.encode()).value
    assert comments(after) == comments(text)
    assert formatted(after, "x.yaml") == after


def test_what_is_no_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        formatted("a: [1\n", "x.yaml")
    assert caught.value.problems[0].where is not None
    assert caught.value.problems[0].where.file == "x.yaml"


def test_a_rename_changes_the_key_alone() -> None:
    text = "idp_groups:\n  'Old': blank # why\n  Other: blank\nteams: [Old]\n"
    after = 'idp_groups:\n  "no": blank # why\n  Other: blank\nteams: [Old]\n'
    assert renamed(text, {"Old": "no"}) == after


values = st.recursive(
    st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(values)
def test_flow_style_reads_back_as_the_same_value(value) -> None:
    assert load_yaml(f"v: {flow(value)}\n".encode()).value == {"v": value}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_scalar_is_a_key_and_stands_on_one_line(text: str) -> None:
    said = scalar(text)
    assert len(f"{said}: 1".splitlines()) == 1
    assert load_yaml(f"{said}: 1\n".encode()).value == {text: 1}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: blank\t# why\n", "a: blank # why\n"),
        ("a:\tblank\n", "a: blank\n"),
        ("a:\n  - x\t# y\tz\n", "a:\n  - x # y\tz\n"),
        ('a:   "\\u202ex"\n', 'a: "\\u202ex"\n'),
        ('"\\xFC":   [ "\\u200b" ]\n', '"\\xFC": ["\\u200b"]\n'),
        ("a:   1\r\n# c\r\nb: 2 # d\r\n", "a: 1\r\n# c\r\nb: 2 # d\r\n"),
        ("\ufeffa:   1\n", "\ufeffa: 1\n"),
        ("a: &x 1\nb: &x 2\nc:   *x\n", "a: &x 1\nb: &x 2\nc: *x\n"),
    ],
)
def test_tabs_escapes_line_ends_and_marks(before: str, after: str) -> None:
    assert formatted(before, "x.yaml") == after
    assert formatted(after, "x.yaml") == after


def test_a_rename_in_a_file_with_a_byte_order_mark_changes_the_key_alone() -> None:
    text = "\ufeffidp_groups:\r\n  Old: blank # x\r\n"
    assert renamed(text, {"Old": "New"}) == text.replace("Old", "New")
