"""What can go wrong, said so that a person can act: problems with a place and a way out, and exit codes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum
from typing import Literal, NamedTuple


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    REFUSED = 3
    INCOMPLETE = 4
    STALE = 5
    HUMAN = 6
    UNSEEN = 7
    USAGE = 64
    INTERRUPTED = 130


class Where(NamedTuple):
    """A place in a file. Line and column count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problem(NamedTuple):
    """One thing that is wrong: a stable code, what it is, where, and what to do now."""

    code: str
    message: str
    where: Where | None = None
    hint: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}{f'. {self.hint}' if self.hint else ''}"


class RolecallError(Exception):
    """Base of everything rolecall raises on purpose. Carries all problems found, never a secret."""

    exit: Exit = Exit.ERROR

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems: tuple[Problem, ...] = problems


class ConfigError(RolecallError):
    """The config, or a file it names, cannot be used as it stands."""


class OrgError(RolecallError):
    """The org could not be reached, or answered what the contract does not allow."""


class SecretError(RolecallError):
    """A secret is missing, or may not be used here."""


class Blocked(RolecallError):
    """A guard, an assertion or an access test says no."""

    exit = Exit.REFUSED


class Stale(RolecallError):
    """A saved plan no longer fits: the org moved, it lapsed, it was edited, or it is another org's."""

    exit = Exit.STALE


class Misuse(RolecallError):
    """The command was called in a way that cannot work."""

    exit = Exit.USAGE


def did_you_mean(misspelt: str, known: Iterable[str]) -> str | None:
    """The hint ``did you mean `X`?`` for the nearest of the known words, or None when none is near."""
    candidates = list(known)
    folded = {name.casefold(): name for name in candidates}
    near = difflib.get_close_matches(misspelt.casefold(), folded, n=1, cutoff=0.7)
    return f"did you mean `{folded[near[0]]}`?" if near else None
