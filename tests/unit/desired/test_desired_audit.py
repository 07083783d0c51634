"""`audit` in a configuration: what it names, and what is refused, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from configs import HEAD, problems

from rolecall.desired.build import read_config
from rolecall.model.target import SecretRef


@pytest.mark.parametrize(("writer", "read"), [("123", "123"), ("'0123'", "0123"), ("org-1", "org-1")])
def test_it_is_read(tmp_path: Path, writer: str, read: str) -> None:
    assert problems(tmp_path, f"audit: {{writer: {writer}, token: {{env: KEY}}, url: 'http://127.0.0.1:1'}}") == []
    audit = read_config(tmp_path).audit
    assert audit is not None
    assert (audit.writer, audit.keep_days, audit.url) == (read, 90, "http://127.0.0.1:1")
    assert (audit.token.kind, audit.token.value) == ("env", "KEY")
    assert isinstance(audit.token, SecretRef)


def test_how_long_records_are_kept(tmp_path: Path) -> None:
    problems(tmp_path, "audit: {writer: 1, token: {env: KEY}, keep: 6w}")
    audit = read_config(tmp_path).audit
    assert audit is not None
    assert audit.keep_days == 42


def test_without_it_there_is_none(tmp_path: Path) -> None:
    problems(tmp_path, "")
    assert read_config(tmp_path).audit is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("audit: {token: {env: KEY}}", "3:1: `audit` has no `writer`"),
        ("audit: {writer: 1}", "3:1: `audit` has no `token`"),
        ("audit: {writer: 1, token: s3cret}", "3:27: "),
        ("audit: {writer: 1, token: {env: KEY}, keep: 90}", "3:45: "),
        ("audit: {writer: 1, token: {env: KEY}, org: 2}", "3:39: `org` is not a key of `audit`"),
        (
            "audit: {writer: 1, token: {env: KEY}, url: 'https://evil.example'}",
            "3:44: `audit.url` may only be an address of this machine. Remove it: the key is sent to api.writer.com",
        ),
        ("audit: {writer: 1, token: {env: KEY}, url: 'http://evil.example'}", "3:44: http:// is allowed only for"),
        ("audit: {writer: 1, token: {env: KEY}, url: 'http://a:b@127.0.0.1'}", "3:44: a URL must not contain a user"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"rolecall.yaml:{expected}")
    assert "s3cret" not in problem


def test_a_local_org_has_its_own(tmp_path: Path) -> None:
    head = HEAD.replace("observed:org.yaml", "local:org.db")
    (problem,) = problems(tmp_path, "audit: {writer: 1, token: {env: KEY}}", head)
    assert problem == "rolecall.yaml:3:1: a local org has its own audit log. Remove `audit`"
