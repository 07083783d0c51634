"""Test how two commits are related, as far as the clone can determine it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rolecall.outside.git import head, relation


def git(folder: Path, *args: str) -> str:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@acme.com", "-c", "commit.gpgsign=false"]
    command = ["git", *who, "-C", str(folder), *args]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def history(tmp_path: Path) -> tuple[Path, list[str], str]:
    """A repository at the second of three commits, and a commit on another branch."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commits = []
    for name in ("one", "two", "three"):
        git(folder, "commit", "-q", "--allow-empty", "-m", name)
        commits.append(git(folder, "rev-parse", "HEAD"))
    git(folder, "switch", "-q", "-c", "side", commits[0])
    git(folder, "commit", "-q", "--allow-empty", "-m", "side")
    side = git(folder, "rev-parse", "HEAD")
    git(folder, "checkout", "-q", commits[1])
    head.cache_clear()
    return folder, commits, side


def test_a_commit_is_newer_older_the_same_or_neither(history: tuple[Path, list[str], str]) -> None:
    folder, (one, two, three), side = history
    assert [relation(folder, commit) for commit in (one, two, three, side)] == ["newer", "same", "older", "diverged"]
    assert relation(folder, f"{three}-dirty") == "older"


@pytest.mark.parametrize("commit", ["", "f" * 40, "HEAD", "--all", "main", "zzzzzzz"])
def test_what_is_no_commit_of_this_clone_is_not_known(history: tuple[Path, list[str], str], commit: str) -> None:
    assert relation(history[0], commit) is None


def test_a_shallow_clone_tells_only_what_it_has(history: tuple[Path, list[str], str], tmp_path: Path) -> None:
    folder, (one, two, three), _ = history
    git(folder, "switch", "-q", "main")
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{folder}", str(shallow))
    assert [relation(shallow, commit) for commit in (one, two, three)] == [None, None, "same"]


def test_outside_of_git_nothing_is_known(tmp_path: Path) -> None:
    assert relation(tmp_path, "f" * 40) is None
