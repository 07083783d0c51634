"""Test the IdP's metadata in a configuration, as text or as a file of the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from saml import EXPIRED, METADATA, OTHER, metadata

from rolecall.desired.build import read_config
from rolecall.desired.check.validate import validate_repo
from rolecall.errors import ConfigError

HEAD = "version: 1\norg: {name: a, url: 'local:org.db'}\n"


def write(folder: Path, metadata: str) -> None:
    (folder / "rolecall.yaml").write_text(f"{HEAD}sso: {{metadata: {metadata}}}\n", encoding="utf-8")


def test_a_file_and_the_text_itself_mean_the_same(tmp_path: Path) -> None:
    text = METADATA.replace("><", ">\n<")
    (tmp_path / "okta.xml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n")
    write(tmp_path, "{file: okta.xml}")
    by_file = read_config(tmp_path)
    write(tmp_path, json.dumps(text))
    by_text = read_config(tmp_path)
    assert by_file.desired.settings == by_text.desired.settings
    assert by_file.desired.settings.sso.metadata == text


def test_the_digest_follows_the_file(tmp_path: Path) -> None:
    write(tmp_path, "{file: okta.xml}")
    (tmp_path / "okta.xml").write_text(METADATA, encoding="utf-8")
    first = read_config(tmp_path).digest
    (tmp_path / "okta.xml").write_text(OTHER, encoding="utf-8")
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
    with pytest.raises(ConfigError, match="is outside"):
        read_config(repo)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html>404</html>", "is not SAML metadata: its root element is <html>, not <EntityDescriptor>"),
        ("404 Not Found", "is not SAML metadata: it is not XML"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "is not SAML metadata: it has a document type declaration"),
        (metadata(role="SPSSODescriptor"), "describes a service provider, not an identity provider"),
        (metadata(""), "has no entityID"),
        (METADATA.replace("SingleSignOnService", "SingleLogoutService"), "has no SingleSignOnService"),
    ],
)
def test_what_is_not_the_metadata_of_an_idp_is_an_error_that_names_the_file(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "okta.xml").write_text(text, encoding="utf-8")
    write(tmp_path, "{file: okta.xml}")
    by_file = [str(problem) for problem in validate_repo(tmp_path) if problem.severity == "error"]
    assert [line.startswith(f"rolecall.yaml:3:24: `okta.xml` {words}") for line in by_file] == [True], by_file
    write(tmp_path, json.dumps(text))
    inline = [str(problem) for problem in validate_repo(tmp_path)]
    assert [line.startswith(f"rolecall.yaml:3:17: `sso.metadata` {words}") for line in inline] == [True], inline


@pytest.mark.parametrize(
    ("idp", "entity_id", "warned"),
    [
        ("okta", "http://www.okta.com/exk1", False),
        ("okta", "https://sts.windows.net/8f0c/", True),
        ("Entra ID", "https://sts.windows.net/8f0c/", False),
        ("azure", "http://www.okta.com/exk1", True),
        ("google", "https://accounts.google.com/o/saml2?idpid=C0", False),
        ("our own", "urn:acme:idp", False),
    ],
)
def test_metadata_of_another_idp_than_the_one_named_is_a_warning(
    tmp_path: Path, idp: str, entity_id: str, warned: bool
) -> None:
    (tmp_path / "idp.xml").write_text(metadata(entity_id), encoding="utf-8")
    (tmp_path / "rolecall.yaml").write_text(f"{HEAD}sso: {{idp: {idp}, metadata: {{file: idp.xml}}}}\n")
    problems = validate_repo(tmp_path)
    assert [(problem.code, problem.severity) for problem in problems] == ([("other_idp", "warning")] if warned else [])
    assert all(entity_id in problem.message for problem in problems)


def test_metadata_that_the_org_does_not_take_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "okta.xml").write_text(metadata(more=f' ID="{"x" * 500_000}"'), encoding="utf-8")
    write(tmp_path, "{file: okta.xml}")
    assert "has more than 500,000 characters" in str(validate_repo(tmp_path)[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (metadata("http://www.okta.com/a", "TWFu"), "has no readable signing certificate"),
        (METADATA.replace("KeyDescriptor", "KeyDescriptors"), "has no signing certificate"),
    ],
)
def test_metadata_without_a_usable_certificate_is_a_warning(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "okta.xml").write_text(text, encoding="utf-8")
    write(tmp_path, "{file: okta.xml}")
    assert [(problem.message, problem.severity) for problem in validate_repo(tmp_path)] == [
        (f"`okta.xml` {words}", "warning")
    ]


def test_an_expired_certificate_is_valid_metadata(tmp_path: Path) -> None:
    (tmp_path / "okta.xml").write_text(metadata("http://www.okta.com/a", EXPIRED), encoding="utf-8")
    write(tmp_path, "{file: okta.xml}")
    assert validate_repo(tmp_path) == []
