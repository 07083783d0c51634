"""Which repository a folder belongs to, the same for every clone and without anything secret."""

from __future__ import annotations

import subprocess

import pytest

from rolecall.outside.head import repository


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
    assert repository(below) == "example.com/acme/writer//prod/"
    assert repository(tmp_path) == "example.com/acme/writer//"


def test_without_git_or_origin_there_is_none(tmp_path):
    assert repository(tmp_path) is None
    alone = tmp_path / "alone"
    alone.mkdir()
    git(alone, "init", "-q")
    assert repository(alone) is None
