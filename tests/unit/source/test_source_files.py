"""Paths that have to stay inside a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.source.files import inside


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
