"""Ask the user, if there is a terminal: single questions, and conversations of several questions.

A question of a conversation is asked again until it is answered, skipped or the conversation is ended.
"""

from __future__ import annotations

import select
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rolecall.cli.options import Invocation


def can_ask(call: Invocation) -> bool:
    """Return whether a user can be asked: there is a terminal, and neither --no-input nor JSON logs."""
    return call.interactive and sys.stdin.isatty()


def ask_or_default(call: Invocation, question: str, default: str) -> str:
    """Return the user's answer, or the default if there is no terminal or the answer is empty."""
    if not can_ask(call):
        return default
    return ask_line(f"{question} [{default}]: ") or default


def agrees(question: str) -> bool:
    """Return whether the user enters `yes`, in full. An answer that is nearly that is asked for again."""
    answer = ask_line(f"{question} Enter yes: ")
    while answer != "yes" and answer.casefold().rstrip(".!") in ("y", "ye", "yes"):
        answer = ask_line("To approve, enter yes in full. Anything else cancels: ")
    return answer == "yes"


def ask_line(prompt: str) -> str:
    """Return one line from the user without surrounding spaces; empty at the end of input."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return _read_line()[0]


def continues(prompt: str) -> bool:
    """Wait for Enter. Return False if the user enters anything else, or the input ends."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    answer, complete = _read_line()
    return complete and not answer


def _read_line() -> tuple[str, bool]:
    """Return a line, and whether it was ended by Enter."""
    answer = sys.stdin.readline()
    complete = answer.endswith("\n")
    if not complete:
        sys.stderr.write("\n")
    return answer.strip(), complete


T = TypeVar("T")


class Left(Exception):
    """The user ended the conversation: `quit`, the end of input, or Ctrl-C."""


class Skipped(Exception):
    """The user skipped a question."""


PASTED = 0.05
"""Seconds within which the rest of a paste arrives."""

HELP = "Enter accepts the answer in [brackets], skip leaves a question open, quit stops. You can continue later."


def say(text: str = "") -> None:
    """Write a line of a conversation to stderr, since results go to stdout."""
    sys.stderr.write(f"{_folded(text)}\n")
    sys.stderr.flush()


def _folded(text: str) -> str:
    """Return the text folded between words, if a terminal would fold it."""
    if not sys.stderr.isatty():
        return text
    width = max(shutil.get_terminal_size().columns - 1, 20)
    return "\n".join(piece for line in text.split("\n") for piece in _pieces(line, width))


def _pieces(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def ask(question: str, read: Callable[[str], T], default: str | None = None) -> T:
    """Return the answer as ``read`` converts it; ask again if it raises ValueError. Raises Skipped or Left."""
    while True:
        shown = f" [{default}]" if default else ""
        answer = _line(f"{question}{shown}: ") or default or ""
        if answer.casefold() == "skip":
            raise Skipped
        if answer == "?":
            say(HELP)
            continue
        try:
            return read(answer)
        except ValueError as error:
            reason = str(error)
            say(f"  {reason[:1].upper()}{reason[1:]}{'' if reason.endswith('?') else '.'}")


def block(question: str) -> str:
    """Return several lines, up to an empty line or the end of input. Raises Skipped or Left.

    A paste may contain empty lines: one of them ends the block only if no more input arrives.
    """
    lines: list[str] = []
    with _stopping():
        say(question)
        _read_into(lines)
    if not lines:
        raise Left
    return "".join(lines)


def _read_into(lines: list[str]) -> None:
    while True:
        line = sys.stdin.readline()
        if not line or (not line.strip() and lines and not _has_more()):
            break
        if line.strip().casefold() in ("skip", "quit") and not lines:
            raise Skipped if line.strip().casefold() == "skip" else Left
        if line.strip():
            lines.append(line)


def _has_more() -> bool:
    """Return whether more input was typed or pasted already."""
    try:
        return bool(select.select([sys.stdin], [], [], PASTED)[0])
    except (OSError, ValueError):
        return False


def _line(prompt: str) -> str:
    with _stopping():
        sys.stderr.write(f"{_folded(prompt.rstrip())} ")
        sys.stderr.flush()
        line = sys.stdin.readline()
    if not line or line.strip().casefold() == "quit":
        raise Left
    return line.strip()


@contextmanager
def _stopping() -> Iterator[None]:
    """Treat Ctrl-C at a question as the wish to end the conversation."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("\n")  # after the ^C that a terminal shows
        raise Left from None
