"""`usage` in a configuration: what it names, and what is refused, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from configs import HEAD, problems

from rolecall.desired.build import read_config


@pytest.mark.parametrize(("writer", "read"), [("123", "123"), ("'0123'", "0123"), ("org-1", "org-1")])
def test_it_is_read(tmp_path: Path, writer: str, read: str) -> None:
    assert problems(tmp_path, f"usage: {{writer: {writer}, token: {{env: KEY}}, url: 'http://127.0.0.1:1'}}") == []
    usage = read_config(tmp_path).usage
    assert usage is not None
    assert (usage.writer, usage.url) == (read, "http://127.0.0.1:1")
    assert (usage.token.kind, usage.token.value) == ("env", "KEY")


def test_without_it_there_is_none(tmp_path: Path) -> None:
    problems(tmp_path, "")
    assert read_config(tmp_path).usage is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("usage: {token: {env: KEY}}", "3:1: `usage` has no `writer`"),
        ("usage: {writer: 1}", "3:1: `usage` has no `token`"),
        ("usage: {writer: 1, token: s3cret}", "3:27: "),
        ("usage: {writer: 1, token: {env: KEY}, keep: 90d}", "3:39: `keep` is not a key of `usage`"),
        (
            "usage: {writer: 1, token: {env: KEY}, url: 'https://evil.example'}",
            "3:44: `usage.url` may only be an address of this machine. Remove it: the key is sent to api.writer.com",
        ),
        ("usage: {writer: 1, token: {env: KEY}, url: 'http://evil.example'}", "3:44: http:// is allowed only for"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"rolecall.yaml:{expected}")
    assert "s3cret" not in problem


def test_a_local_org_has_none(tmp_path: Path) -> None:
    head = HEAD.replace("observed:org.yaml", "local:org.db")
    (problem,) = problems(tmp_path, "usage: {writer: 1, token: {env: KEY}}", head)
    assert problem == "rolecall.yaml:3:1: a local org has no usage data at WRITER. Remove `usage`"
