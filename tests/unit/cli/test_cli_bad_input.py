"""Test invalid and malicious configurations: reported in words, quickly, with nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_repo import CONFIG

from rolecall.cli.main import run
from rolecall.errors import Exit

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)
)

BAD: dict[str, bytes] = {
    "empty": b"",
    "only a comment": b"# nothing\n",
    "binary": bytes(range(256)) * 64,
    "brackets": b"[" * 100_000,
    "braces": b"{a: " * 50_000,
    "alias bomb": BOMB.encode(),
    "tab": b"version: 1\norg:\n\tname: x\n",
    "utf-16": CONFIG.encode("utf-16"),
    "latin-1": "version: 1\norg: {name: caf\xe9}\n".encode("latin-1"),
    "a list": b"- version: 1\n",
    "a scalar": b"version",
    "two documents": b"version: 1\n---\nversion: 1\n",
    "a tag": b"version: !!python/object/apply:os.system ['touch owned']\n",
    "null byte": b"version: 1\0\n",
    "unknown version": CONFIG.replace("version: 1", "version: 2").encode(),
    "a literal token": CONFIG.replace("local:org.db", "https://x.example, token: hunter2").encode(),
    "unclosed quote": b'version: 1\norg: {name: "x\n',
    "duplicate key": (CONFIG + "version: 1\n").encode(),
    "null section": CONFIG.replace("defaults: {role: member, teams: [Everyone]}", "defaults:").encode(),
    "escape": CONFIG.replace("version: 1", "version: 1\ninclude: ['../../*.yaml', /etc/passwd]").encode(),
    "surrogate": b'version: 1\norg: {name: "\\uD800"}\n',
}


@pytest.mark.parametrize("name", sorted(BAD))
@pytest.mark.parametrize("command", ["validate", "plan", "render"])
def test_a_bad_config_is_told_in_words(
    name: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rolecall.yaml").write_bytes(BAD[name])
    before = sorted(path.name for path in tmp_path.iterdir())
    began = time.monotonic()
    assert run([command]) == Exit.ERROR
    shown = capsys.readouterr()
    assert "error: " in shown.out + shown.err
    assert "Traceback" not in shown.err
    assert "hunter2" not in shown.out + shown.err
    assert time.monotonic() - began < 20
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_directory_in_the_place_of_the_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rolecall.yaml").mkdir()
    assert run(["validate"]) == Exit.ERROR
    assert "rolecall.yaml" in capsys.readouterr().out


@pytest.mark.parametrize("args", [["-c", "pipe", "plan"], ["--snapshot", "pipe", "plan"], ["show", "pipe"]])
def test_a_pipe_is_not_waited_for(args: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    assert run(args) == Exit.ERROR
    assert "pipe: is not a regular file" in capsys.readouterr().err


def test_a_pipe_beside_the_config_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    os.mkfifo(tmp_path / "more.yaml")
    done = subprocess.run([sys.executable, "-m", "rolecall", "validate"], cwd=tmp_path, timeout=30, check=False)
    assert done.returncode == Exit.OK


def test_fifty_megabytes_are_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rolecall.yaml").write_bytes(b"# x\n" * (50 * 2**20 // 4))
    began = time.monotonic()
    assert run(["validate"]) == Exit.ERROR
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "key",
    ["no", "010", "null", "~", "true", "x" * 500, '"quo\'te"', "a/b/c", "😀", "e\\u0301", "שלום", "a: b", "#x", "- x"],
)
def test_any_name_is_a_name(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = key if key.startswith('"') or key.isalnum() or key in ("~", "a/b/c", "😀") else f'"{key}"'
    text = CONFIG.replace("  Marketing:", f"  {shown}: {{role: member, teams: [Brand]}}\n  Marketing:")
    (tmp_path / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert run(["validate"]) == Exit.OK, capsys.readouterr().out
    assert run(["render", "--origin"]) == Exit.OK
    assert "Traceback" not in capsys.readouterr().err


def test_a_missing_secret_names_its_variable_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CONFIG.replace("url: local:org.db", "url: 'http://127.0.0.1:9', token: {env: NOT_THERE}")
    (tmp_path / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert run(["plan"]) == Exit.ERROR
    told = capsys.readouterr().err
    assert "NOT_THERE" in told
    assert "rolecall.yaml:2" in told
