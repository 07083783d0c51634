"""Which commit a folder stands at, as git says; nothing where there is no git or no commit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rolecall.model.lineage import Relation
from rolecall.outside.git_command import git, is_shallow


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


def relation(folder: Path, commit: str) -> Relation | None:
    """Return how the commit that is checked out relates to another one; None where this clone cannot tell."""
    other, here = commit.removesuffix("-dirty"), (head(folder).commit or "").removesuffix("-dirty")
    if not here or not _COMMIT.fullmatch(other) or committed_at(folder, other) is None:
        return None
    if here == other:
        return "same"
    if _is_ancestor(folder, other, here):
        return "newer"
    if _is_ancestor(folder, here, other):
        return "older"
    return None if is_shallow(folder) else "diverged"


def _is_ancestor(folder: Path, ancestor: str, commit: str) -> bool:
    return git(folder, "merge-base", "--is-ancestor", ancestor, commit).out is not None


_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


class Repository(NamedTuple):
    """The repository that a folder is in. ``folder`` is its place in the work tree at ``top``, with a slash after it,
    empty for the top itself. ``first`` is the first commit, empty in a shallow clone, which does not have it;
    ``remote`` the host and path of ``origin``, without scheme, user, password or ``.git``."""

    top: Path
    folder: str
    first: str = ""
    remote: str = ""


@cache
def repository(folder: Path) -> Repository | None:
    """Return the repository that a folder is in, the same for every clone and without anything secret.

    None where there is no git, and in a repository that has neither a commit nor an origin.
    """
    place = _git(folder, "rev-parse", "--show-toplevel", "--is-shallow-repository", "--show-prefix")
    if place is None:
        return None
    top, shallow, prefix = (*place.split("\n"), "")[:3]
    remote = _plain(_git(folder, "config", "--get", "remote.origin.url"))
    first = _git(folder, "rev-list", "--max-parents=0", "--first-parent", "HEAD") if shallow == "false" else None
    return Repository(Path(top), prefix, first or "", remote) if first or remote else None


def _plain(remote: str | None) -> str:
    """The host and path of an address, without scheme, user, password or ``.git``."""
    if not remote:
        return ""
    found = _REMOTE.fullmatch(remote)
    plain = f"{found['host'].lower()}/{found['path'].lstrip('/')}" if found else remote.rpartition("@")[2]
    return plain.rstrip("/").removesuffix(".git")


_REMOTE = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?(?P<host>[^/:@]+)(?::\d+(?=/)|:)?(?P<path>/?[^@]+)")


def _git(folder: Path, *args: str) -> str | None:
    said = git(folder, *args).text
    return None if said is None else said.strip()
