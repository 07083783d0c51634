"""What git knows of a config: who wrote a line, and the files as they were at a ref. Reads only."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rolecall.errors import ConfigError, Problem
from rolecall.model.authorship import Blame
from rolecall.outside.git_command import UNSHALLOW, git, is_shallow, refusal

_NOBODY = "0" * 40


def blame(root: Path, file: str, line: int) -> Blame | None:
    """Return who last touched a line of ``root/file``, counted from 1; None where git does not know it, or is absent.

    A line that was changed in the work tree and not committed has no commit either: None. Nor has one that goes back
    beyond the history of a shallow clone, whose oldest commit git would name.
    """
    said = _git(root, "blame", "--porcelain", "-L", f"{line},{line}", "--", file)
    if said and "\nboundary\n" in said and is_shallow(root):
        return None
    return _parse(said) if said else None


def head(root: Path) -> str | None:
    """The commit that is checked out; None where there is none."""
    said = _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return said.strip() if said else None


def origin(root: Path) -> str | None:
    """The address that is fetched from; None where there is none."""
    said = _git(root, "config", "--get", "remote.origin.url")
    return said.strip() if said else None


def tracked(root: Path, below: str) -> list[str] | None:
    """The files below a folder that git has; None where there is no repository."""
    said = _git(root, "ls-files", "-z", "--", below)
    return None if said is None else [name for name in said.split("\0") if name]


@contextmanager
def at_ref(root: Path, ref: str) -> Iterator[tuple[Path, datetime]]:
    """The config's directory as it was at a ref, in a directory for the time being, and when that was committed.

    Raises ConfigError where there is no git, or no such ref.
    """
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not commit:
        if (refused := refusal(root)) is not None:
            raise ConfigError(refused._replace(severity="error"))
        message = f"git knows no commit `{ref}` for {root}"
        hint = "write git:REF with a branch, a tag or a commit"
        hint = f"this clone is shallow; {UNSHALLOW}" if is_shallow(root) else hint
        raise ConfigError(Problem("git_ref", message, None, hint))
    prefix = (_git(root, "rev-parse", "--show-prefix") or "").strip()
    when = int((_git(root, "show", "-s", "--format=%ct", commit.strip()) or "0").strip())
    top = Path((_git(root, "rev-parse", "--show-toplevel") or str(root)).strip())
    packed = git(top, "archive", "--format=tar", f"{commit.strip()}:{prefix.rstrip('/')}").out
    if packed is None:
        raise ConfigError(Problem("git_ref", f"the config is not in git at `{ref}`", None, "name a ref that has it"))
    with TemporaryDirectory(prefix="rolecall-") as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder), datetime.fromtimestamp(when, UTC)


def _parse(porcelain: str) -> Blame | None:
    lines = porcelain.splitlines()
    commit = lines[0].split(" ", 1)[0]
    if commit == _NOBODY:
        return None
    said = dict(_pair(line) for line in lines[1:] if not line.startswith("\t"))
    at = datetime.fromtimestamp(int(said.get("author-time", "0")), UTC)
    return Blame(commit, said.get("author", ""), said.get("author-mail", "").strip("<>"), at, said.get("summary", ""))


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(" ")
    return key, value


def _git(root: Path, *args: str) -> str | None:
    return git(root, *args).text
