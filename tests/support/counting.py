"""Counts what is done instead of how long it takes: the same on every machine, however busy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple


class Work(NamedTuple):
    """Calls of Python functions, generators resumed included, and of functions written in C."""

    python: int
    native: int

    @property
    def calls(self) -> int:
        return self.python + self.native


def count(action: Callable[[], object]) -> Work:
    """The calls that an action makes in this thread, after one run that fills what is filled once."""
    action()
    seen = {"call": 0, "c_call": 0}

    def note(_frame: object, event: str, _argument: object) -> None:
        if event in seen:
            seen[event] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(before)
    return Work(seen["call"], seen["c_call"])


def each(work: Callable[[int], Callable[[], object]], small: int, large: int) -> float:
    """Calls per thing: the difference between two sizes, so that what is done once does not count."""
    return (count(work(large)).calls - count(work(small)).calls) / (large - small)
