"""Configurations of an observed org, for tests of what is valid in them."""

from __future__ import annotations

from pathlib import Path

from rolecall.desired.check.validate import validate
from rolecall.desired.load.read import load

HEAD = "version: 1\norg: {name: a, url: 'observed:org.yaml'}\n"


def problems(folder: Path, text: str, head: str = HEAD) -> list[str]:
    """Write a configuration, the text below the head, and return its problems."""
    (folder / "rolecall.yaml").write_text(head + text, encoding="utf-8")
    return [str(problem) for problem in validate(load(folder))]
