"""The IdP's metadata in a config: as text, or as a file of the repo."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolecall.desired import read_config
from rolecall.errors import ConfigError

HEAD = "version: 1\norg: {name: a, url: 'local:org.db'}\n"


def write(folder: Path, metadata: str) -> None:
    (folder / "rolecall.yaml").write_text(f"{HEAD}sso: {{metadata: {metadata}}}\n", encoding="utf-8")


def test_a_file_and_the_text_itself_mean_the_same(tmp_path: Path) -> None:
    (tmp_path / "okta.xml").write_bytes(b"\xef\xbb\xbf<EntityDescriptor>\r\n</EntityDescriptor>\r\n")
    write(tmp_path, "{file: okta.xml}")
    by_file = read_config(tmp_path)
    write(tmp_path, '"<EntityDescriptor>\\n</EntityDescriptor>"')
    by_text = read_config(tmp_path)
    assert by_file.desired.settings == by_text.desired.settings
    assert by_file.desired.settings.sso.metadata == "<EntityDescriptor>\n</EntityDescriptor>"


def test_the_digest_follows_the_file(tmp_path: Path) -> None:
    write(tmp_path, "{file: okta.xml}")
    (tmp_path / "okta.xml").write_text("<a/>", encoding="utf-8")
    first = read_config(tmp_path).digest
    (tmp_path / "okta.xml").write_text("<b/>", encoding="utf-8")
    assert read_config(tmp_path).digest != first


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe<", "`okta.xml` is not UTF-8 text"),
        (b"", "`okta.xml` is empty"),
        (b"x" * (4 * 1024 * 1024 + 1), "`okta.xml` is larger than 4 MiB"),
    ],
)
def test_what_is_no_metadata_is_told_at_its_place(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "okta.xml").write_bytes(data)
    write(tmp_path, "{file: okta.xml}")
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path)
    assert str(caught.value.problems[0]).startswith(f"rolecall.yaml:3:24: {words}")


def test_a_link_out_of_the_repo_is_refused(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    (tmp_path / "okta.xml").write_text("<a/>", encoding="utf-8")
    (repo / "okta.xml").symlink_to(tmp_path / "okta.xml")
    write(repo, "{file: okta.xml}")
    with pytest.raises(ConfigError, match="leads out of"):
        read_config(repo)
