"""Test values as a configuration has them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rolecall.report.phrases import inline_yaml


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"role": "member", "teams": ["IT", "Legal"]}, "{role: member, teams: [IT, Legal]}"),
        ({"discoverable": True, "join": "approval"}, "{discoverable: true, join: approval}"),
        (None, "(none)"),
        ([], "[]"),
        (2, "2"),
        ("no", '"no"'),
        ("10", '"10"'),
        ("a: b", '"a: b"'),
        ("It's, odd", '"It\'s, odd"'),
        ("Café 2%", "Café 2%"),
        ("ends ", '"ends "'),
        ('quo"ted', '"quo\\"ted"'),
    ],
)
def test_values_read_as_in_a_config(value: Any, shown: str) -> None:
    assert inline_yaml(value) == shown


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Co", "Cn"))))
def test_no_text_can_be_mistaken_for_another(text: str) -> None:
    assert yaml.safe_load(inline_yaml([text])) == [text]
