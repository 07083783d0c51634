"""Test that `docs/commands.md` has every command and every flag, and no others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rolecall.cli.program import COMMANDS, LazyGroup
from rolecall.errors import Exit

DOC = (Path(__file__).resolve().parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
NAMES = [name for rows in COMMANDS.values() for name in rows]


def commands() -> Iterator[click.Command]:
    root = LazyGroup()
    yield root
    for name in NAMES:
        found = root.get_command(click.Context(root), name)
        assert found is not None
        yield found
        if isinstance(found, click.Group):
            yield from found.commands.values()


def flags() -> set[str]:
    return {
        flag
        for found in commands()
        for param in found.params
        if isinstance(param, click.Option)
        for flag in param.opts
        if flag.startswith("-")
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_its_part(name: str) -> None:
    assert f"\n### `{name}`\n" in DOC


@pytest.mark.parametrize("flag", sorted(flags()))
def test_every_flag_is_named(flag: str) -> None:
    assert re.search(rf"`[^`]*(?<![\w-]){re.escape(flag)}(?![\w-])[^`]*`", DOC)


def test_no_flag_is_named_that_is_not_there() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", DOC))
    assert named - flags() <= {"--help", "--version", "--ignore"}


def test_every_exit_code_is_explained() -> None:
    told = {int(number) for number in re.findall(r"^\| (\d+) \|", DOC, re.MULTILINE)}
    assert told == {int(code) for code in Exit}


def test_every_part_is_a_command() -> None:
    assert set(re.findall(r"^### `(.+)`$", DOC, re.MULTILINE)) == set(NAMES)
