"""Asking a person: only where one is there to answer."""

from __future__ import annotations

import sys

from rolecall.cli.options import Invocation


def can_ask(call: Invocation) -> bool:
    """Whether there is somebody to ask: a terminal, and no --no-input."""
    return call.interactive and sys.stdin.isatty()


def ask(call: Invocation, question: str, default: str) -> str:
    """A person's answer, or the default where nobody is there or nothing is said."""
    if not can_ask(call):
        return default
    sys.stderr.write(f"{question} [{default}]: ")
    sys.stderr.flush()
    return _line() or default


def agrees(question: str) -> bool:
    """Whether a person types `yes`, in full. The end of input is a no."""
    sys.stderr.write(f"{question} Type yes: ")
    sys.stderr.flush()
    return _line() == "yes"


def _line() -> str:
    said = sys.stdin.readline()
    if not said.endswith("\n"):
        sys.stderr.write("\n")
    return said.strip()
