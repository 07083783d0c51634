"""Test streams: documents are UTF-8 in every locale, and with closed input nothing is asked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rolecall.errors import Exit

CONFIG = """\
version: 1
org: {name: acme, url: 'observed:org.yaml'}
idp_groups:
  Büro: {role: member, teams: [Züri]}
guards: {require_self: false}
"""
ORG = """\
snapshot: 1
org: {id: org_1, name: acme}
teams: [Everyone, Züri]
roles: [org_admin, team_admin, member]
defaults: {role: member, teams: [Everyone]}
scim: {enabled: true, idp: okta, endpoint: new, manual_editing: false}
idp_groups: {Büro: null}
people:
  - {email: jörg@acme.com, groups: [Büro]}
"""
LOCALES = {
    "ascii": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "org.yaml").write_text(ORG, encoding="utf-8")
    return tmp_path


def program(folder: Path, *args: str, closed: bool = False, **env: str) -> subprocess.CompletedProcess[bytes]:
    line = [sys.executable, "-m", "rolecall", *args]
    if closed:
        line = ["sh", "-c", 'exec "$@" <&-', "sh", *line]
    given = None if closed else subprocess.DEVNULL
    return subprocess.run(
        line, cwd=folder, env={**os.environ, **env}, stdin=given, capture_output=True, timeout=120, check=False
    )


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "args",
    [
        ("render",),
        ("snapshot",),
        ("plan", "--format", "csv"),
        ("plan", "--format", "markdown"),
        ("plan", "--format", "html"),
        ("plan", "--format", "github"),
        ("plan", "--format", "junit"),
        ("schema", "--kind", "config"),
    ],
    ids=" ".join,
)
def test_a_document_is_the_same_bytes_in_every_locale(folder: Path, locale: str, args: tuple[str, ...]) -> None:
    stamp = ("--as-of", "2026-11-22")
    plain = program(folder, *stamp, *args, PYTHONUTF8="1")
    done = program(folder, *stamp, *args, **LOCALES[locale])
    assert plain.returncode in (Exit.OK, Exit.REFUSED)
    assert untimed(done.stdout) == untimed(plain.stdout)
    done.stdout.decode("utf-8")


def untimed(document: bytes) -> bytes:
    """Return the document without times of day: the minute may change between two runs."""
    return re.sub(rb"taken_at: \S+|\d\d:\d\d(:\d\d)?( UTC|Z)?", b"", document)


def test_yaml_of_an_ascii_locale_reads_back(folder: Path) -> None:
    assert "Büro" in yaml.safe_load(program(folder, "render", **LOCALES["ascii"]).stdout)["idp_groups"]


def test_json_on_stderr_is_json_in_an_ascii_locale(folder: Path) -> None:
    (folder / "rolecall.yaml").write_text(CONFIG + "mämber: 1\n", encoding="utf-8")
    done = program(folder, "--log-format", "json", "plan", **LOCALES["ascii"])
    assert done.returncode == Exit.ERROR
    assert any("mämber" in str(json.loads(line)) for line in done.stderr.splitlines())


@pytest.mark.parametrize("args", [("apply",), ("observe", "--by", "a@acme.com")])
def test_closed_input_is_nobody_to_ask(folder: Path, args: tuple[str, ...]) -> None:
    done = program(folder, *args, closed=True)
    assert done.returncode == Exit.USAGE, done.stderr
    assert b"a bug" not in done.stderr


@pytest.mark.parametrize("closed", ["1", "2"])
def test_closed_output_is_no_bug(folder: Path, closed: str) -> None:
    line = ["sh", "-c", f'exec "$@" <&- {closed}>&-', "sh", sys.executable, "-m", "rolecall", "validate"]
    done = subprocess.run(line, cwd=folder, capture_output=True, timeout=120, check=False)
    assert b"a bug" not in done.stderr + done.stdout
