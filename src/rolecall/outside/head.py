"""Which commit a folder stands at, as git says; nothing where there is no git or no commit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rolecall.outside.git_command import git


class Head(NamedTuple):
    """A commit: its hash, with ``-dirty`` after it where files differ from it, the branch, who wrote it, and when it
    was committed."""

    commit: str | None = None
    branch: str | None = None
    author: str | None = None
    email: str | None = None
    committed: datetime | None = None


@cache
def head(folder: Path) -> Head:
    """What ``folder`` was checked out at."""
    told = _git(folder, "log", "-1", "--no-show-signature", "--format=%H%n%an%n%ae%n%ct")
    if told is None or told.count("\n") < 3:
        return Head()
    commit, author, email, committed = told.split("\n")[:4]
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    branch = _git(folder, "symbolic-ref", "--short", "-q", "HEAD")
    return Head(f"{commit}-dirty" if changed else commit, branch, author, email, _instant(committed))


def committed_at(folder: Path, commit: str) -> datetime | None:
    """Return when a commit was committed; None if this clone does not have it."""
    if not _COMMIT.fullmatch(commit):
        return None
    seconds = _git(folder, "show", "--no-patch", "--no-show-signature", "--format=%ct", f"{commit}^{{commit}}")
    return _instant(seconds) if seconds else None


_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


@cache
def repository(folder: Path) -> str | None:
    """Where the folder's files come from, the same for every clone: ``example.com/acme/writer//prod/``.

    The host and path of ``origin``, without scheme, user, password or ``.git``, and the folder's place in the work
    tree. None where there is no git or no origin.
    """
    remote, prefix = _git(folder, "config", "--get", "remote.origin.url"), _git(folder, "rev-parse", "--show-prefix")
    if not remote or prefix is None:
        return None
    found = _REMOTE.fullmatch(remote)
    plain = f"{found['host'].lower()}/{found['path'].lstrip('/')}" if found else remote.rpartition("@")[2]
    return f"{plain.rstrip('/').removesuffix('.git')}//{prefix}"


_REMOTE = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?(?P<host>[^/:@]+)(?::\d+(?=/)|:)?(?P<path>/?[^@]+)")


def _git(folder: Path, *args: str) -> str | None:
    said = git(folder, *args).text
    return None if said is None else said.strip()
