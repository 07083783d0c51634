"""Reads git: commits, who wrote a line, files at a ref, and why git refuses.

Read-only.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rolecall.errors import ConfigError, Problem
from rolecall.model.lineage import Blame, Relation

_SECONDS = 30
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""Variables that git sets for a hook. With them, git would read the hook's repository instead of the folder's."""
_OPTIONS = ("--no-pager", "--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false")
_DUBIOUS = "dubious ownership"


class GitOutput(NamedTuple):
    """The output of git: the bytes of stdout, None if it failed; and its error text."""

    out: bytes | None
    complaint: str = ""

    @property
    def text(self) -> str | None:
        return None if self.out is None else self.out.decode("utf-8", "replace")


def git(folder: Path, *args: str) -> GitOutput:
    """Return the function that runs git in a folder, without a terminal or a pager."""
    command = [*_without_hook_variables(), "git", "-C", str(folder), *_OPTIONS, *args]
    try:
        ended = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return GitOutput(None, str(error))
    complaint = ended.stderr.decode("utf-8", "replace")
    return GitOutput(ended.stdout if ended.returncode == 0 else None, complaint)


@cache
def refusal(folder: Path) -> Problem | None:
    """Return why git refuses to read a folder with a repository; None if it reads it, or there is none."""
    answer = git(folder, "rev-parse", "--show-toplevel")
    if answer.out is not None or _DUBIOUS not in answer.complaint:
        return None
    message = (
        f"git refuses to read {folder}: its repository belongs to another user, so commits and authors are unknown"
    )
    return Problem("git_ownership", message, None, f"{_safe(answer.complaint, folder)}", "warning")


@cache
def is_shallow(folder: Path) -> bool:
    """Return whether the clone has only part of the history."""
    return (git(folder, "rev-parse", "--is-shallow-repository").text or "").strip() == "true"


UNSHALLOW = "fetch the full history: git fetch --unshallow (in a pipeline: `fetch-depth: 0`)"


def _safe(complaint: str, folder: Path) -> str:
    """Return the command that git suggests."""
    lines = (line.strip() for line in complaint.splitlines())
    suggestion = next((line for line in lines if line.startswith("git config ")), None)
    return f"run `{suggestion or f'git config --global --add safe.directory {folder}'}`"


@cache
def _without_hook_variables() -> tuple[str, ...]:
    unset = shutil.which("env")
    return () if unset is None else (unset, *(argument for name in _OF_A_HOOK for argument in ("-u", name)))


_NOBODY = "0" * 40


def authors(root: Path, file: str, lines: Collection[int]) -> dict[int, Blame]:
    """Return who last changed lines of ``root/file``, counted from 1, by line; git runs once for all of them.

    A line is missing if git is missing or does not know, if it is changed and not committed, and if it is older than
    the history of a shallow clone, where git would name the oldest commit.
    """
    span = f"{min(lines)},{max(lines)}"
    porcelain = git(root, "blame", "--porcelain", "-L", span, "--", file).text
    if not porcelain:
        return {}
    older = porcelain.count("\nboundary\n") > 0 and is_shallow(root)
    return {line: author for line, author in _blamed(porcelain, without_boundary=older) if line in lines}


def origin(root: Path) -> str | None:
    """Return the URL of `origin`; None if there is none."""
    return _git(root, "config", "--get", "remote.origin.url") or None


def tracked(root: Path, directory: str) -> list[str] | None:
    """Return the tracked files below a folder; None if there is no repository."""
    listing = git(root, "ls-files", "-z", "--", directory).text
    return None if listing is None else [name for name in listing.split("\0") if name]


@contextmanager
def at_ref(root: Path, ref: str) -> Iterator[tuple[Path, datetime]]:
    """Provide the configuration directory as of a ref, in a temporary directory, and when it was committed.

    Raises ConfigError without git, or without this ref.
    """
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not commit:
        if (refused := refusal(root)) is not None:
            raise ConfigError(refused._replace(severity="error"))
        message = f"git has no commit `{ref}` in {root}"
        hint = "use git:REF with a branch, a tag or a commit"
        hint = f"this clone is shallow; {UNSHALLOW}" if is_shallow(root) else hint
        raise ConfigError(Problem("git_ref", message, None, hint))
    prefix = _git(root, "rev-parse", "--show-prefix") or ""
    when = int(_git(root, "show", "-s", "--format=%ct", commit) or "0")
    top = Path(_git(root, "rev-parse", "--show-toplevel") or root)
    packed = git(top, "archive", "--format=tar", f"{commit}:{prefix.rstrip('/')}").out
    if packed is None:
        raise ConfigError(
            Problem("git_ref", f"the configuration is not in git at `{ref}`", None, "use a ref that has it")
        )
    import io
    import tarfile

    with TemporaryDirectory(prefix="rolecall-") as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder), datetime.fromtimestamp(when, UTC)


def _blamed(porcelain: str, *, without_boundary: bool) -> Iterator[tuple[int, Blame]]:
    """Yield each committed line with its author. Git describes a commit at the first of its lines only."""
    commits: dict[str, Blame | None] = {}
    lines = iter(porcelain.split("\n"))
    for head_line in lines:
        if not head_line:
            continue
        commit, _, line = head_line.split(" ")[:3]
        values = dict(map(_pair, takewhile(lambda text: not text.startswith("\t"), lines)))
        if commit not in commits:
            unknown = commit == _NOBODY or (without_boundary and "boundary" in values)
            commits[commit] = None if unknown else _commit(commit, values)
        if (author := commits[commit]) is not None:
            yield int(line), author


def _commit(commit: str, values: Mapping[str, str]) -> Blame:
    at = datetime.fromtimestamp(int(values.get("author-time", "0")), UTC)
    return Blame(
        commit, values.get("author", ""), values.get("author-mail", "").strip("<>"), at, values.get("summary", "")
    )


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(" ")
    return key, value


class Head(NamedTuple):
    """A commit: its hash, with ``-dirty`` if files differ from it, the branch, the author, and the commit time."""

    commit: str | None = None
    branch: str | None = None
    author: str | None = None
    email: str | None = None
    committed: datetime | None = None


@cache
def head(folder: Path) -> Head:
    """Return the commit that is checked out in ``folder``."""
    fields = _git(folder, "log", "-1", "--no-show-signature", "--format=%H%n%an%n%ae%n%ct")
    if fields is None or fields.count("\n") < 3:
        return Head()
    commit, author, email, committed = fields.split("\n")[:4]
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
    """Return the relation of the checked-out commit to another one; None if this clone cannot determine it."""
    compared, current = commit.removesuffix("-dirty"), (head(folder).commit or "").removesuffix("-dirty")
    if not current or not _COMMIT.fullmatch(compared) or committed_at(folder, compared) is None:
        return None
    if current == compared:
        return "same"
    if _is_ancestor(folder, compared, current):
        return "newer"
    if _is_ancestor(folder, current, compared):
        return "older"
    return None if is_shallow(folder) else "diverged"


def _is_ancestor(folder: Path, ancestor: str, commit: str) -> bool:
    return git(folder, "merge-base", "--is-ancestor", ancestor, commit).out is not None


_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


class Repository(NamedTuple):
    """The repository of a folder. ``folder`` is its place in the work tree at ``top``, with a trailing slash, empty for
    the top itself. ``first`` is the first commit, empty in a shallow clone, which does not have it; ``remote`` the host
    and path of ``origin``, without scheme, user, password or ``.git``.
    """

    top: Path
    folder: str
    first: str = ""
    remote: str = ""


@cache
def repository(folder: Path) -> Repository | None:
    """Return the repository of a folder, the same for every clone and without secrets.

    None without git, and for a repository that has neither a commit nor an origin.
    """
    place = _git(folder, "rev-parse", "--show-toplevel", "--is-shallow-repository", "--show-prefix")
    if place is None:
        return None
    top, shallow, prefix = (*place.split("\n"), "")[:3]
    remote = _plain(_git(folder, "config", "--get", "remote.origin.url"))
    first = _git(folder, "rev-list", "--max-parents=0", "--first-parent", "HEAD") if shallow == "false" else None
    return Repository(Path(top), prefix, first or "", remote) if first or remote else None


def _plain(remote: str | None) -> str:
    """Return the host and path of a URL, without scheme, user, password or ``.git``."""
    if not remote:
        return ""
    match = _REMOTE.fullmatch(remote)
    plain = f"{match['host'].lower()}/{match['path'].lstrip('/')}" if match else remote.rpartition("@")[2]
    return plain.rstrip("/").removesuffix(".git")


_REMOTE = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?(?P<host>[^/:@]+)(?::\d+(?=/)|:)?(?P<path>/?[^@]+)")


def _git(folder: Path, *args: str) -> str | None:
    output = git(folder, *args).text
    return None if output is None else output.strip()
