"""Where a configuration comes from, and how a plan relates to the last apply: by commit, file and audit log."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple
from urllib.parse import unquote


class Blame(NamedTuple):
    """The commit that last touched a line. ``commit`` is the whole hash; a line that is not committed yet has none."""

    commit: str
    author: str
    email: str
    at: datetime
    summary: str = ""


Relation = Literal["same", "newer", "older", "diverged"]
"""Of this commit to another one: ``newer`` has the other in its history, ``older`` is in the other's history,
``diverged`` is neither."""


class LastRun(NamedTuple):
    """The run that wrote the newest of what is remembered; ``commit`` is empty where it was run outside of git."""

    run: int
    config: str
    commit: str


class Lineage(NamedTuple):
    """What is known of this commit and that of run ``run``; ``relation`` is None where it could not be determined."""

    run: int
    commit: str
    relation: Relation | None


class UnknownApply(NamedTuple):
    """An apply that the org's audit log shows and the journal at hand does not have.

    ``journal`` is the id of the journal that it was recorded in, ``run`` its number there, ``at`` the moment of its
    last write.
    """

    journal: str
    run: str
    at: datetime


class LogCheck(NamedTuple):
    """What the org's audit log shows of applies that the journal does not have.

    ``newest`` is the id of the log's newest entry, ``entries`` how many were read, from there back. ``whole`` is false
    if that was not far enough to tell.
    """

    newest: str
    entries: int
    unknown: UnknownApply | None = None
    whole: bool = True


_DIGITS = 16


class ConfigId(NamedTuple):
    """A configuration, told apart from the others of the same org.

    ``path`` is its main file: from the root of the repository where ``git`` is true, else absolute. ``first`` is the
    repository's first commit, empty where it is not known (a shallow clone), ``remote`` the host and path of its
    origin. ``beside`` is the main file's path from the folder of the journal, where that is a file and there is no
    repository. ``absolute`` is where the main file is now; it is not recorded.
    """

    org: str
    path: str
    git: bool = False
    first: str = ""
    remote: str = ""
    beside: str = ""
    absolute: str = ""

    def __str__(self) -> str:
        """``acme git:1a2b3c4d5e6f7a8b//prod/rolecall.yaml @host/acme/writer``, or ``acme /srv/rolecall.yaml``."""
        path = _quoted(self.path)
        if self.git:
            return f"{self.org} git:{self.first[:_DIGITS]}//{path}{f' @{self.remote}' if self.remote else ''}"
        return f"{self.org} {path}{f' @journal:{_quoted(self.beside)}' if self.beside else ''}"

    @property
    def words(self) -> str:
        """Return where it is, for a reader: ``prod/rolecall.yaml in example.com/acme/writer``."""
        if not self.git:
            return self.path
        return f"{self.path} in {self.remote or f'the repository with first commit {self.first[:8]}'}"


def read_config_id(text: str) -> ConfigId | None:
    """Return what a journal recorded, also by rolecall 0.1.0; None for anything else."""
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
    """A path in which no ``@`` is left, since one ends it."""
    return path.replace("%", "%25").replace("@", "%40")


def same_config(mine: ConfigId, recorded: ConfigId, exists: Callable[[ConfigId], bool]) -> bool:
    """Return whether what is recorded is this configuration, here or where it was before it moved.

    Both are of one org, and of one journal. Two configurations of one repository are told apart by their path, and so
    are two outside of any. ``exists`` says whether the recorded file is still there; if not, it was moved.
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
    """By the origin, else by the first commit; None where neither is known of both."""
    if mine.remote and mine.remote == recorded.remote:
        return True
    if mine.first and recorded.first:
        return mine.first[:_DIGITS] == recorded.first[:_DIGITS]
    return False if mine.remote and recorded.remote else None
