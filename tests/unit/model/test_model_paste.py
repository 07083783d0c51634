"""Test that suggested commands are the same after they are pasted into a shell."""

from __future__ import annotations

import subprocess
import unicodedata
from fnmatch import fnmatchcase

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rolecall.model.paste import HIDDEN, literal, shell_pattern, shell_word, yaml_pattern

NAMES = [
    "A*",
    "A?",
    "A[b]",
    "it's",
    "a b",
    "$HOME",
    "`x`",
    "a\u200bb",
    "\u202ea'\\",
    "x\ty",
    "\U000e0041",
    "Büro",
    "!x",
    "{a: b}",
    "# c",
]
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@pytest.mark.parametrize("name", NAMES)
def test_a_word_pasted_into_bash_is_the_name(name: str) -> None:
    line = f"printf %s {shell_word(name)}"
    assert all(char.isprintable() for char in line)
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert done.stdout.decode() == name


@given(names, names)
def test_a_literal_matches_its_own_address_alone(name: str, other: str) -> None:
    assert fnmatchcase(name, literal(name))
    assert fnmatchcase(other, literal(name)) == (other == name)


def test_an_exclude_of_a_star_matches_no_other_group() -> None:
    assert shell_pattern("idp_groups/A*") == "'idp_groups/A[*]'"
    assert shell_pattern("idp_groups/Writer-Legal") == "idp_groups/Writer-Legal"


@given(names)
def test_an_address_in_yaml_reads_back(name: str) -> None:
    text = yaml_pattern(f"idp_groups/{name}")
    assert not any(unicodedata.category(char) in HIDDEN for char in text)
    assert yaml.safe_load(f"[{{address: {text}}}]")[0]["address"] == literal(f"idp_groups/{name}")
