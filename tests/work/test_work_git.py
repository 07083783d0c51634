"""Git runs once for each file, however many lines of it drifted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.outside import git as outside

LINES = 60


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 60 lines by six commits, with three lines that are not committed."""
    folder = tmp_path_factory.mktemp("repo")
    _git(folder, "init", "-q")
    text = [f"line {number}" for number in range(LINES)]
    for commit in range(6):
        text[commit::7] = [f"{line}, {commit}" for line in text[commit::7]]
        (folder / "rolecall.yaml").write_text("\n".join([*text, ""]))
        _git(folder, "add", ".")
        _git(folder, "commit", "-qm", f"Commit {commit}: boundary\n\nboundary\n")
    text[::20] = ["edited"] * 3
    (folder / "rolecall.yaml").write_text("\n".join([*text, ""]))
    return folder


def _git(folder: Path, *words: str) -> None:
    author = ("-c", "user.name=Ann", "-c", "user.email=ann@acme.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *author, *words], check=True, capture_output=True)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, ...]]]:
    """The runs of git, which still takes place."""
    seen: list[tuple[str, ...]] = []
    real = outside.git

    def counted(folder: Path, *words: str) -> outside.GitOutput:
        seen.append(words)
        return real(folder, *words)

    monkeypatch.setattr(outside, "git", counted)
    return seen


def test_authors_of_many_lines_are_one_run_of_git(repo: Path, runs: list[tuple[str, ...]]):
    by_line = outside.authors(repo, "rolecall.yaml", range(1, LINES + 1))
    assert len(by_line) == LINES - 3
    assert len({author.commit for author in by_line.values()}) == 6
    assert [words[0] for words in runs].count("blame") == 1


@settings(max_examples=10)
@given(st.sets(st.integers(1, LINES), min_size=1, max_size=8))
def test_authors_of_lines_are_those_of_each_line_alone(repo: Path, lines: set[int]):
    alone = {}
    for line in lines:
        alone |= outside.authors(repo, "rolecall.yaml", {line})
    assert outside.authors(repo, "rolecall.yaml", lines) == alone
