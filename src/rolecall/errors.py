"""Defines errors: problems with a place and a hint, and the exit codes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
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


EXIT_MEANINGS: Mapping[Exit, str] = {
    Exit.OK: "Success, or nothing to do. Changes that are only pending in the IdP do not count.",
    Exit.ERROR: "An error, or a declined prompt. From access, why and test also: users could not be read.",
    Exit.CHANGES: "There are changes, there is drift, or a watched role has a new holder. Only with "
    "--detailed-exitcode.",
    Exit.REFUSED: "A guard blocks, a required approval is missing, or an assertion or an access test fails. From drift "
    "also: the org violates min_org_admins or required_org_admins.",
    Exit.INCOMPLETE: "An apply or a rotation did not complete all its steps.",
    Exit.STALE: "The plan is out of date, expired, edited or for another org, or the digest is another plan's.",
    Exit.HUMAN: "Success, but manual steps are left. Only from apply, done and rotate.",
    Exit.UNSEEN: "Incomplete. From plan and drift, with --detailed-exitcode: no changes found, but not everything "
    "could be read, the org has no API, or drift has no recorded apply to compare with. From validate --online: no "
    "errors found, but not everything could be read. From access, why, test and snapshot --record: users could only be "
    "partially read.",
    Exit.USAGE: "Wrong usage, or an answer is required and there is no terminal to ask.",
    Exit.INTERRUPTED: "Interrupted by Ctrl-C or a signal.",
}
"""The general meaning of each exit code; `rolecall help exit-codes` shows it."""


class Where(NamedTuple):
    """A place in a file. Line and column count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problem(NamedTuple):
    """One problem: a stable code, what is wrong, where, and what to do."""

    code: str
    message: str
    where: Where | None = None
    hint: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        joint = " " if self.message.endswith((".", "?")) else ". "
        return f"{place}{self.message}{f'{joint}{sentence(self.hint)}' if self.hint else ''}"


class RolecallError(Exception):
    """The base of every error that rolecall raises on purpose. Carries all problems found, never a secret."""

    exit: Exit = Exit.ERROR

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems: tuple[Problem, ...] = problems


class ConfigError(RolecallError):
    """The configuration, or a file that it names, cannot be used."""


class OrgError(RolecallError):
    """The org could not be reached, or its response does not follow the API contract."""


class SecretError(RolecallError):
    """A secret is missing, or must not be used for this host."""


class Blocked(RolecallError):
    """A guard, a precondition or an access test blocks the operation."""

    exit = Exit.REFUSED


class Stale(RolecallError):
    """A saved plan can no longer be applied: the org changed, or the plan expired, was edited, or is for another
    org.
    """

    exit = Exit.STALE


class Misuse(RolecallError):
    """The command was called with arguments that cannot work."""

    exit = Exit.USAGE


def did_you_mean(misspelt: str, known: Iterable[str]) -> str | None:
    """Return the hint ``did you mean `X`?`` for the closest known name, or None when none is close."""
    candidates = list(known)
    folded = {name.casefold(): name for name in candidates}
    near = difflib.get_close_matches(misspelt.casefold(), folded, n=1, cutoff=0.7)
    return f"did you mean `{folded[near[0]]}`?" if near else None


def sentence(text: str) -> str:
    """Return a message or a hint with a capital at its start, unless it starts with a name such as `sso.enabled`."""
    first = text.split(" ", 1)[0]
    return f"{text[:1].upper()}{text[1:]}" if first.removesuffix(":").isalpha() else text


def clause(text: str) -> str:
    """Return a sentence in the form of a message or a hint: without a capital at its start or a full stop at its end.

    Acronyms keep their capitals.
    """
    first = text[:1].lower() if text[1:2].islower() else text[:1]
    return f"{first}{text[1:].removesuffix('.')}"
