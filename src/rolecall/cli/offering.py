"""A shell asks what may follow: answered from the words on its line and from files, and never with an error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

import click
from click.shell_completion import CompletionItem, ShellComplete

from rolecall.cli.complete import VARIABLE
from rolecall.cli.console import write_document
from rolecall.cli.group import LazyGroup
from rolecall.cli.shells import in_bash, typed
from rolecall.errors import Exit

Item = CompletionItem[str]


def offer(shell: str, args: Sequence[str]) -> int:
    """Write what a shell may offer, a line each: `plain VALUE`, `file` or `dir`; zsh and fish get `VALUE⇥help`.

    ``args`` are the words after the program's name and the one to complete; from bash they are the line up to the
    cursor and the characters at which it breaks words.
    """
    sys.excepthook = lambda *_: None  # in the middle of a line that somebody types, a bug is told to nobody
    if shell == "bash" and len(args) == 2:
        line = typed(*args)
        _write([*line.words[1:], line.word], lambda item: in_bash(item.value, line))
    elif shell in ("zsh", "fish"):
        _write(args, lambda item: f"{item.value}\t{item.help}" if item.help else item.value)
    return Exit.OK


def _write(args: Sequence[str], form: Callable[[Item], str]) -> None:
    lines = (f"plain {form(item)}" if item.type == "plain" else item.type for item in offers(args))
    write_document("".join(f"{line}\n" for line in dict.fromkeys(lines)))


def offers(args: Sequence[str]) -> Iterator[Item]:
    """What the last of some words may become, as the whole word; nothing where the words cannot be read."""
    word = args[-1] if args else ""
    lead = f"{word.partition('=')[0]}=" if word.startswith("-") and "=" in word else ""
    try:
        found = ShellComplete(LazyGroup(), {}, "rolecall", VARIABLE).get_completions([*args[:-1]], word)
    except (click.ClickException, OSError):
        return
    for item in found:
        value = f"{lead}{item.value}"
        if value.isprintable():
            yield CompletionItem(value, item.type, item.help)
