"""What `doctor` and `validate` report about what they looked at."""

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


class PeopleCount(NamedTuple):
    """What the people files of a config hold. ``unknown`` are groups that neither the org nor the configuration has;
    None where the org was not read."""

    files: tuple[str, ...]
    users: int
    active: int
    memberships: int
    groups: int
    unknown: tuple[str, ...] | None = None
