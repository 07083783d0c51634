"""Test what git reports about a configuration, and the behavior without git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rolecall.errors import ConfigError
from rolecall.outside.git import at_ref, authors, head, is_shallow, refusal


def git(folder: Path, *args: str) -> None:
    who = ["-c", "user.name=Ann Lee", "-c", "user.email=ann@acme.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *args], check=True, capture_output=True)


def checked_out(folder: Path) -> str | None:
    head.cache_clear()
    return head(folder).commit


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
    by_line = authors(repo, "rolecall.yaml", {1, 2})
    first, second = by_line[1], by_line[2]
    assert (first.author, first.email, first.summary) == ("Ann Lee", "ann@acme.com", "Begin with a and b")
    assert second.summary == "Let b be 3"
    assert second.commit == checked_out(repo) != first.commit


def test_a_line_that_is_not_committed_has_no_author(repo: Path):
    (repo / "rolecall.yaml").write_text("a: 1\nb: 4\n")
    assert authors(repo, "rolecall.yaml", {2}) == {}
    assert authors(repo, "rolecall.yaml", {99}) == {}
    assert authors(repo, "--help", {1}) == {}


def test_outside_git_nobody_is_blamed(tmp_path: Path):
    (tmp_path / "rolecall.yaml").write_text("a: 1\n")
    assert authors(tmp_path, "rolecall.yaml", {1}) == {}
    assert checked_out(tmp_path) is None


def test_the_config_as_it_was_at_a_ref(repo: Path):
    with at_ref(repo, "HEAD~1") as (folder, at):
        assert (folder / "rolecall.yaml").read_text() == "a: 1\nb: 2\n"
        assert at.tzinfo is not None
    assert not folder.exists()


@pytest.mark.parametrize("ref", ["no-such-branch", "--output=x", "HEAD~9", ""])
def test_a_ref_that_there_is_not(repo: Path, ref: str):
    with pytest.raises(ConfigError, match="git has no commit"), at_ref(repo, ref):
        pass


@pytest.fixture
def shallow(repo: Path, tmp_path: Path) -> Path:
    """A clone with the last commit alone."""
    clone = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{tmp_path}", str(clone)], check=True, capture_output=True
    )
    return clone / "conf"


def test_the_oldest_commit_of_a_shallow_clone_is_not_the_author_of_what_came_before(repo: Path, shallow: Path):
    assert is_shallow(shallow)
    assert not is_shallow(repo)
    assert authors(shallow, "rolecall.yaml", {1}) == {}
    assert authors(repo, "rolecall.yaml", {1})[1].summary == "Begin with a and b"


def test_a_line_written_after_a_shallow_clone_has_its_author(shallow: Path):
    (shallow / "rolecall.yaml").write_text("a: 5\nb: 3\n")
    git(shallow, "commit", "-qam", "Let a be 5")
    assert authors(shallow, "rolecall.yaml", {1})[1].summary == "Let a be 5"
    assert authors(shallow, "rolecall.yaml", {2}) == {}


def test_a_commit_that_a_shallow_clone_does_not_have_says_how_to_get_it(repo: Path, shallow: Path):
    first = authors(repo, "rolecall.yaml", {1})[1].commit
    with pytest.raises(ConfigError, match="shallow") as refused, at_ref(shallow, first):
        pass
    assert "--unshallow" in str(refused.value)


def test_a_repository_of_another_user_is_reported_with_the_command(repo: Path, monkeypatch: pytest.MonkeyPatch):
    assert refusal(repo) is None
    refusal.cache_clear()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "true")
    problem = refusal(repo)
    refusal.cache_clear()
    assert problem.code == "git_ownership"
    assert "safe.directory" in problem.hint
    assert str(repo.parent) in problem.hint
    with pytest.raises(ConfigError, match="another user"), at_ref(repo, "HEAD"):
        pass
    refusal.cache_clear()


def test_the_variables_of_a_hook_lead_to_no_other_repository(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A hook of one repository that runs rolecall on another; and of the same one, where GIT_DIR is `.git`."""
    expected = checked_out(repo)
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    for value in (str(other / ".git"), ".git"):
        monkeypatch.setenv("GIT_DIR", value)
        monkeypatch.setenv("GIT_INDEX_FILE", f"{value}/index")
        assert checked_out(repo) == expected
        assert authors(repo, "rolecall.yaml", {1})[1].summary == "Begin with a and b"
