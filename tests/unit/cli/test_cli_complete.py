"""Shells complete commands, flags, addresses, overlays and the people that a config names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def completed(words: str, folder: Path) -> list[str]:
    """What bash would be offered for a line that ends in the word to complete."""
    env = {**os.environ, "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    line = [sys.executable, "-c", "from rolecall.cli.main import main; main()"]
    env["_ROLECALL_COMPLETE"] = "bash_complete"
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return [row.partition(",")[2] for row in done.stdout.splitlines() if row]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("rolecall ren", ["render"]),
        ("rolecall plan --det", ["--detailed-exitcode"]),
        (
            "rolecall plan --target idp_groups/Writer-Legal",
            ["idp_groups/Writer-Legal", "idp_groups/Writer-Legal-Leads"],
        ),
        ("rolecall plan --exclude domains/acme.c", ["domains/acme.co.uk", "domains/acme.com"]),
        ("rolecall plan --target ss", ["sso"]),
        ("rolecall plan -e ", ["prod", "staging"]),
        ("rolecall why bre", ["breakglass@acme.com"]),
    ],
)
def test_what_is_offered(words: str, offered: list[str]) -> None:
    assert completed(words, EXAMPLES / "acme") == offered


@pytest.mark.parametrize("words", ["rolecall plan --target ", "rolecall plan -e ", "rolecall why "])
def test_without_a_config_nothing_is_offered_and_nothing_said(words: str, tmp_path: Path) -> None:
    assert completed(words, tmp_path) == []


def test_a_broken_config_does_not_disturb(tmp_path: Path) -> None:
    (tmp_path / "rolecall.yaml").write_bytes(b"\x00[[[")
    assert completed("rolecall plan --target ", tmp_path) == []
