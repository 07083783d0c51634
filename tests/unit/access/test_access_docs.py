"""The pages about the rules keep step with the tests."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RULES = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
READINGS = (ROOT / "docs" / "readings.md").read_text(encoding="utf-8")
TESTS = Path(__file__).with_name("test_access_rules.py").read_text(encoding="utf-8")

ELSEWHERE = {1, 30, 34}
"""Rules about what the org lets a caller do, or what an IdP sends: no person's access shows them."""


def test_every_rule_has_its_number_its_words_and_an_example() -> None:
    sections = re.split(r"^### R(\d+) ", RULES, flags=re.MULTILINE)[1:]
    told = dict(zip(map(int, sections[::2]), sections[1::2], strict=True))
    assert list(told) == list(range(1, 35))
    assert [number for number, text in told.items() if "*Example:*" not in text] == []


def test_every_rule_that_access_shows_has_a_test_of_its_number() -> None:
    shown = {int(number) for number in re.findall(r"^def test_r(\d\d)_", TESTS, flags=re.MULTILINE)}
    assert shown == set(range(2, 35)) - ELSEWHERE


def test_every_rule_that_rests_on_a_reading_is_among_the_readings() -> None:
    resting = {number for number, text in _sections(RULES).items() if "*reading*" in text}
    listed = set(re.findall(r"^\| R(\d+) \|", READINGS, flags=re.MULTILINE))
    assert resting - listed == set()


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^### R(\d+) ", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))
