"""Defines the results of `doctor` and `validate`."""

from __future__ import annotations

from typing import Literal, NamedTuple

from rolecall.errors import Problem

State = Literal["ok", "warning", "wrong", "skipped"]

NOT_CHECKED = frozenset({"not_read", "precondition_unread", "not_linted"})
"""The codes of warnings that something could not be checked because it was not read."""


class Check(NamedTuple):
    """One check. ``said`` describes the result if it is good, or why the check was skipped."""

    name: str
    said: str = ""
    problems: tuple[Problem, ...] = ()
    skipped: bool = False

    @property
    def state(self) -> State:
        """Return ``wrong`` if it keeps rolecall from working, ``warning`` if rolecall still works."""
        if self.skipped:
            return "skipped"
        if any(problem.severity == "error" for problem in self.problems):
            return "wrong"
        return "warning" if self.problems else "ok"


class PeopleCount(NamedTuple):
    """The content of a configuration's people files. ``unknown`` are groups that neither the org nor the configuration
    has; None if the org was not read.
    """

    files: tuple[str, ...]
    users: int
    active: int
    memberships: int
    groups: int
    unknown: tuple[str, ...] | None = None
