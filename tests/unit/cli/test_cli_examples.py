"""Test that the help of every command ends with examples that are valid command lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from rolecall.cli.program import COMMANDS, Command, LazyGroup


def found() -> Iterator[tuple[str, Command]]:
    root = LazyGroup()
    for name in (name for rows in COMMANDS.values() for name in rows):
        command = root.get_command(click.Context(root), name)
        below = command.commands.items() if isinstance(command, click.Group) else [("", command)]
        for rest, one in below:
            assert isinstance(one, Command)
            yield f"{name} {rest}".strip(), one


ALL = dict(found())


@pytest.mark.parametrize("name", [name for name in ALL if name != "version"])
def test_there_are_examples(name: str) -> None:
    assert ALL[name].examples


@pytest.mark.parametrize("name", ALL)
def test_the_flags_of_examples_are_the_commands_own(name: str) -> None:
    own = {flag for param in ALL[name].params for flag in (*param.opts, *param.secondary_opts)} | {"-h", "--help"}
    for example in ALL[name].examples:
        line = example.partition("  #")[0]
        inner = re.search(r"\$\((rolecall .*?)\)", line)
        words = shlex.split((inner[1] if inner else line).partition(" >")[0].partition(" |")[0])
        assert words[0] == "rolecall", example
        assert {word.partition("=")[0] for word in words if word.startswith("-")} <= own, example
