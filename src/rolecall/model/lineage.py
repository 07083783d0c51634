"""Identifies configurations, and relates a plan to the last apply: by commit, file and audit log."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple
from urllib.parse import unquote


class Blame(NamedTuple):
    """The commit that last changed a line. ``commit`` is the full hash; a line that is not committed yet has none."""

    commit: str
    author: str
    email: str
    at: datetime
    summary: str = ""


Relation = Literal["same", "newer", "older", "diverged"]
"""This commit relative to another one: ``newer`` has the other in its history, ``older`` is in the other's history,
``diverged`` is neither.
"""


class LastRun(NamedTuple):
    """The run that wrote the newest remembered value; ``commit`` is empty if it ran outside git."""

    run: int
    config: str
    commit: str


class Lineage(NamedTuple):
    """The relation of this commit to that of run ``run``; ``relation`` is None if it could not be determined."""

    run: int
    commit: str
    relation: Relation | None


class UnknownApply(NamedTuple):
    """An apply in the org's audit log that is not in this journal.

    ``journal`` is the id of the journal that recorded it, ``run`` its number there, ``at`` the time of its last write.
    """

    journal: str
    run: str
    at: datetime


class LogCheck(NamedTuple):
    """The applies in the org's audit log that the journal does not have.

    ``newest`` is the id of the log's newest entry, ``entries`` how many were read, from there back. ``whole`` is false
    if that was not enough to be certain.
    """

    newest: str
    entries: int
    unknown: UnknownApply | None = None
    whole: bool = True


_DIGITS = 16


class ConfigId(NamedTuple):
    """A configuration, distinguished from others of the same org.

    ``path`` is its main file: relative to the root of the repository if ``git`` is true, else absolute. ``first`` is
    the repository's first commit, empty if unknown (a shallow clone), ``remote`` the host and path of its origin.
    ``beside`` is the main file's path relative to the journal's folder, if that is a file and there is no repository.
    ``absolute`` is the current path of the main file; it is not recorded.
    """

    org: str
    path: str
    git: bool = False
    first: str = ""
    remote: str = ""
    beside: str = ""
    absolute: str = ""

    def __str__(self) -> str:
        """Return ``acme git:1a2b3c4d5e6f7a8b//prod/rolecall.yaml @host/acme/writer``, or ``acme
        /srv/rolecall.yaml``.
        """
        path = _quoted(self.path)
        if self.git:
            return f"{self.org} git:{self.first[:_DIGITS]}//{path}{f' @{self.remote}' if self.remote else ''}"
        return f"{self.org} {path}{f' @journal:{_quoted(self.beside)}' if self.beside else ''}"

    @property
    def words(self) -> str:
        """Return where it is, for readers: ``prod/rolecall.yaml in example.com/acme/writer``."""
        if not self.git:
            return self.path
        return f"{self.path} in {self.remote or f'the repository with first commit {self.first[:8]}'}"


def read_config_id(text: str) -> ConfigId | None:
    """Return what a journal recorded, including rolecall 0.1.0; None for anything else."""
    if match := _GIT.fullmatch(text):
        return ConfigId(match["org"], unquote(match["path"]), True, match["first"], match["remote"] or "")
    if match := _FILE.fullmatch(text):
        return ConfigId(match["org"], unquote(match["path"]), beside=unquote(match["beside"] or ""))
    if match := _OF_0_1_0.fullmatch(text):
        return ConfigId(match["org"], match["path"], True, remote=match["remote"])
    return None


_GIT = re.compile(r"(?P<org>.*?) git:(?P<first>[0-9a-f]*)//(?P<path>[^@]+?)(?: @(?P<remote>.+))?", re.DOTALL)
_FILE = re.compile(r"(?P<org>.*?) (?P<path>/[^@]+?)(?: @journal:(?P<beside>.+))?", re.DOTALL)
_OF_0_1_0 = re.compile(r"(?P<org>.*) (?P<remote>\S+?)//(?P<path>.+)", re.DOTALL)


def _quoted(path: str) -> str:
    """Return a path with ``@`` escaped, because ``@`` ends a path."""
    return path.replace("%", "%25").replace("@", "%40")


def same_config(mine: ConfigId, recorded: ConfigId, exists: Callable[[ConfigId], bool]) -> bool:
    """Return whether a recorded configuration is this one, at this place or before it was moved.

    Both are of one org and one journal. Two configurations of one repository are distinguished by their path, as are
    two outside any repository. ``exists`` says whether the recorded file still exists; if not, it was moved.
    """
    if mine.git and recorded.git:
        related = _one_repository(mine, recorded)
        return related is not False and (mine.path == recorded.path or (related is True and not exists(recorded)))
    if recorded.git:
        return mine.path.endswith(f"/{recorded.path}")
    if not mine.git and mine.beside and mine.beside == recorded.beside:
        return True
    return recorded.path == (mine.absolute or mine.path) or not exists(recorded)


def _one_repository(mine: ConfigId, recorded: ConfigId) -> bool | None:
    """Return whether both are in one repository, by the origin, else by the first commit; None if neither is known."""
    if mine.remote and mine.remote == recorded.remote:
        return True
    if mine.first and recorded.first:
        return mine.first[:_DIGITS] == recorded.first[:_DIGITS]
    return False if mine.remote and recorded.remote else None
