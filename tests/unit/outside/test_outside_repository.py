"""Test which repository a folder belongs to: the same for every clone, and without secrets."""

from __future__ import annotations

import subprocess

import pytest

from rolecall.outside.git import Repository, repository


def git(folder, *args):
    subprocess.run(["git", "-C", str(folder), *args], check=True, capture_output=True)


@pytest.mark.parametrize(
    "remote",
    [
        "https://example.com/acme/writer.git",
        "https://token:s3cret@Example.com/acme/writer",
        "ssh://git@example.com:2222/acme/writer.git",
        "git@example.com:acme/writer.git",
    ],
)
def test_however_it_is_fetched_it_is_one_repository(tmp_path, remote):
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", remote)
    below = tmp_path / "prod"
    below.mkdir()
    assert repository(below) == Repository(tmp_path, "prod/", "", "example.com/acme/writer")
    assert repository(tmp_path) == Repository(tmp_path, "", "", "example.com/acme/writer")


def test_without_git_or_origin_there_is_none(tmp_path):
    assert repository(tmp_path) is None
    alone = tmp_path / "alone"
    alone.mkdir()
    git(alone, "init", "-q")
    assert repository(alone) is None


def commit(folder, message):
    git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@acme.com", "commit", "-q", "--allow-empty", "-m", message)


def test_the_first_commit_is_that_of_every_whole_clone_and_unknown_in_a_shallow_one(tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    git(here, "init", "-q")
    commit(here, "First")
    known = repository(here)
    assert len(known.first) == 40
    repository.cache_clear()
    commit(here, "Second")
    git(tmp_path, "clone", "-q", str(here), "whole")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{here}", "shallow")
    assert repository(here) == known
    assert repository(tmp_path / "whole").first == known.first
    assert repository(tmp_path / "shallow").first == ""
    assert repository(tmp_path / "shallow").remote
