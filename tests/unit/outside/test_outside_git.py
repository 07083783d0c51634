"""What git says of a config, and what happens where there is no git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rolecall.errors import ConfigError
from rolecall.outside.git import at_ref, blame, head


def git(folder: Path, *args: str) -> None:
    who = ["-c", "user.name=Ann Lee", "-c", "user.email=ann@acme.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *args], check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    config = tmp_path / "conf"
    config.mkdir()
    (config / "rolecall.yaml").write_text("a: 1\nb: 2\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Begin with a and b")
    (config / "rolecall.yaml").write_text("a: 1\nb: 3\n")
    git(tmp_path, "commit", "-qam", "Let b be 3")
    return config


def test_blame_names_commit_author_and_summary(repo: Path):
    first, second = blame(repo, "rolecall.yaml", 1), blame(repo, "rolecall.yaml", 2)
    assert first is not None
    assert second is not None
    assert (first.author, first.email, first.summary) == ("Ann Lee", "ann@acme.com", "Begin with a and b")
    assert second.summary == "Let b be 3"
    assert second.commit == head(repo) != first.commit


def test_a_line_that_is_not_committed_has_no_author(repo: Path):
    (repo / "rolecall.yaml").write_text("a: 1\nb: 4\n")
    assert blame(repo, "rolecall.yaml", 2) is None
    assert blame(repo, "rolecall.yaml", 99) is None
    assert blame(repo, "--help", 1) is None


def test_outside_git_nobody_is_blamed(tmp_path: Path):
    (tmp_path / "rolecall.yaml").write_text("a: 1\n")
    assert blame(tmp_path, "rolecall.yaml", 1) is None
    assert head(tmp_path) is None


def test_the_config_as_it_was_at_a_ref(repo: Path):
    with at_ref(repo, "HEAD~1") as (folder, at):
        assert (folder / "rolecall.yaml").read_text() == "a: 1\nb: 2\n"
        assert at.tzinfo is not None
    assert not folder.exists()


@pytest.mark.parametrize("ref", ["no-such-branch", "--output=x", "HEAD~9", ""])
def test_a_ref_that_there_is_not(repo: Path, ref: str):
    with pytest.raises(ConfigError, match="git knows no commit"), at_ref(repo, ref):
        pass
