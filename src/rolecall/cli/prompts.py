"""Asking a person, only where one is there to answer: single questions, and a conversation at the terminal.

The questions of a conversation are asked again until they are answered, skipped or left.
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
    """Whether there is somebody to ask: a terminal, and no --no-input."""
    return call.interactive and sys.stdin.isatty()


def ask_or_default(call: Invocation, question: str, default: str) -> str:
    """A person's answer, or the default where nobody is there or nothing is said."""
    if not can_ask(call):
        return default
    sys.stderr.write(f"{question} [{default}]: ")
    sys.stderr.flush()
    return _read_line() or default


def agrees(question: str) -> bool:
    """Whether a person types `yes`, in full. The end of input is a no."""
    sys.stderr.write(f"{question} Type yes: ")
    sys.stderr.flush()
    return _read_line() == "yes"


def _read_line() -> str:
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    return answer.strip()


T = TypeVar("T")


class Left(Exception):
    """The person stopped here: `quit`, the end of input, or Ctrl-C."""


class Skipped(Exception):
    """The person does not want to answer this."""


PASTED = 0.05
"""Seconds within which the rest of a paste is there."""

HELP = "Enter takes what stands in brackets; `skip` leaves it unread; `quit` stops here, to go on later."


def say(text: str = "") -> None:
    """A line for the person; results go to stdout, talk goes to stderr."""
    sys.stderr.write(f"{_folded(text)}\n")
    sys.stderr.flush()


def _folded(text: str) -> str:
    """Folded between words where the terminal would break one."""
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
    """The answer as ``read`` takes it; asked again when it raises ValueError. Raises Skipped or Left."""
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
    """Several lines, up to an empty one behind which nothing waits, or the end of input: a paste may have empty lines
    of its own. Raises Skipped or Left."""
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
        if not line or (not line.strip() and lines and not _waiting()):
            break
        if line.strip().casefold() in ("skip", "quit") and not lines:
            raise Skipped if line.strip().casefold() == "skip" else Left
        if line.strip():
            lines.append(line)


def _waiting() -> bool:
    """Whether more was typed or pasted already."""
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
    """Ctrl-C from the moment a question is on the screen is a wish to stop here."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("\n")  # after the ^C that a terminal shows
        raise Left from None
