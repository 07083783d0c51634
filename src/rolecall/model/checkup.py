"""What `doctor` found at one of the things it looks at."""

from __future__ import annotations

from typing import Literal, NamedTuple

from rolecall.errors import Problem

State = Literal["ok", "warning", "wrong", "skipped"]


class Check(NamedTuple):
    """One thing that was looked at. ``said`` is what is right about it, or why it could not be looked at."""

    name: str
    said: str = ""
    problems: tuple[Problem, ...] = ()
    skipped: bool = False

    @property
    def state(self) -> State:
        """``wrong`` where it keeps rolecall from working; ``warning`` where it works for now."""
        if self.skipped:
            return "skipped"
        if any(problem.severity == "error" for problem in self.problems):
            return "wrong"
        return "warning" if self.problems else "ok"
