"""Run git on a folder, whatever repository a hook is running for, and say why git does not answer."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

from rolecall.errors import Problem

_SECONDS = 30
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""Variables that git sets for a hook: with them it would look at the hook's repository, not at the folder's."""
_OPTIONS = ("--no-pager", "--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false")
_DUBIOUS = "dubious ownership"


class Said(NamedTuple):
    """What git answered: the bytes of stdout, None where it failed; and its complaint."""

    out: bytes | None
    complaint: str = ""

    @property
    def text(self) -> str | None:
        return None if self.out is None else self.out.decode("utf-8", "replace")


def git(folder: Path, *args: str) -> Said:
    """Return what git says in a folder. It is never let near a terminal or a pager."""
    command = [*_without_hook_variables(), "git", "-C", str(folder), *_OPTIONS, *args]
    try:
        ended = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return Said(None, str(error))
    complaint = ended.stderr.decode("utf-8", "replace")
    return Said(ended.stdout if ended.returncode == 0 else None, complaint)


@cache
def refusal(folder: Path) -> Problem | None:
    """Return why git refuses to read a folder that has a repository; None where it reads it, or there is none."""
    answer = git(folder, "rev-parse", "--show-toplevel")
    if answer.out is not None or _DUBIOUS not in answer.complaint:
        return None
    message = f"git does not read {folder}: its repository belongs to another user, so commits and authors are unknown"
    return Problem("git_ownership", message, None, f"{_safe(answer.complaint, folder)}", "warning")


@cache
def is_shallow(folder: Path) -> bool:
    """Return whether the clone has only a part of the history."""
    return (git(folder, "rev-parse", "--is-shallow-repository").text or "").strip() == "true"


UNSHALLOW = "fetch all of it: `git fetch --unshallow`; in a pipeline `fetch-depth: 0`"


def _safe(complaint: str, folder: Path) -> str:
    """The command that git itself suggests."""
    lines = (line.strip() for line in complaint.splitlines())
    said = next((line for line in lines if line.startswith("git config ")), None)
    return f"run `{said or f'git config --global --add safe.directory {folder}'}`"


@cache
def _without_hook_variables() -> tuple[str, ...]:
    unset = shutil.which("env")
    return () if unset is None else (unset, *(word for name in _OF_A_HOOK for word in ("-u", name)))
