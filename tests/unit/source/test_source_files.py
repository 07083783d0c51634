"""Test reading files, and paths that must stay inside a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rolecall.errors import ConfigError, Where
from rolecall.source.files import inside, read_file, read_pieces


@pytest.mark.parametrize("name", ["a.yaml", "deep/a.yaml", "deep/../a.yaml", ".", "link-in"])
def test_what_stays_inside_is_resolved(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "link-in").symlink_to(tmp_path / "deep")
    found = inside(tmp_path, name)
    assert found is not None
    assert found.is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize("name", ["..", "../x", "/etc/passwd", "link-out", "link-out/passwd", "loop", "a\x00b"])
def test_what_leads_out_is_none(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link-out").symlink_to("/etc")
    (root / "loop").symlink_to(root / "loop")
    assert inside(root, name) is None


def test_a_sibling_whose_name_starts_alike_is_outside(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo-evil").mkdir()
    assert inside(tmp_path / "repo", "../repo-evil") is None


@pytest.mark.parametrize("read", [read_file, lambda path: list(read_pieces(path, 4))], ids=["whole", "pieces"])
def test_only_what_is_really_a_file_is_read(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("pipe", "not a regular file"), (".", "is a folder"), ("gone", "file not found")):
        with pytest.raises(ConfigError, match=why) as caught:
            read(tmp_path / name)
        assert caught.value.problems[0].where == Where(str(tmp_path / name))


def test_pieces_are_the_file_and_none_is_too_long(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"0123456789")
    assert list(read_pieces(tmp_path / "x", 4)) == [b"0123", b"4567", b"89"]
    with pytest.raises(ConfigError, match="larger than"):
        read_file(tmp_path / "x", limit=9)
    assert read_file(tmp_path / "x", limit=10) == b"0123456789"
