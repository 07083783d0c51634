"""Test that the pages about the rules match the tests."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RULES = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
READINGS = (ROOT / "docs" / "readings.md").read_text(encoding="utf-8")
TESTS = Path(__file__).with_name("test_access_rules.py").read_text(encoding="utf-8")

ELSEWHERE = {1, 30, 34, 35}
"""Rules about permissions of a caller, seats, or about what an IdP sends; they do not show in a user's access."""


def test_every_rule_has_its_number_and_an_example() -> None:
    sections = re.split(r"^### R(\d+) ", RULES, flags=re.MULTILINE)[1:]
    rules = dict(zip(map(int, sections[::2]), sections[1::2], strict=True))
    assert list(rules) == list(range(1, 37))
    assert [number for number, text in rules.items() if "*Example:*" not in text] == []


def test_every_rule_that_access_shows_has_a_test_of_its_number() -> None:
    shown = {int(number) for number in re.findall(r"^def test_r(\d\d)_", TESTS, flags=re.MULTILINE)}
    assert shown == set(range(2, 37)) - ELSEWHERE


def test_every_rule_with_an_assumption_is_in_the_list_of_assumptions() -> None:
    assumed = {number for number, text in _sections(RULES).items() if "*assumption*" in text}
    listed = set(re.findall(r"^\| R(\d+) \|", READINGS, flags=re.MULTILINE))
    assert assumed - listed == set()


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^### R(\d+) ", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))
