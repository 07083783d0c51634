"""The walk through the code in the architecture page names modules and functions that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WALK = PAGE.partition("## One mapping, from YAML to the journal\n")[2].partition("\n## ")[0]
REFERENCES = sorted(set(re.findall(r"`([a-z_]+(?:\.\w+)+)`", WALK)))


def _defined(body: list[ast.stmt], names: list[str]) -> bool:
    if not names:
        return True
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == names[0]:
            return _defined(node.body, names[1:])
    return False


def exists(reference: str) -> bool:
    """Return whether a dotted name below `rolecall` is a module, or a class or function of one."""
    parts = reference.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath("src", "rolecall", *parts[:length]).with_suffix(".py")
        if path.is_file():
            return _defined(ast.parse(path.read_text(encoding="utf-8")).body, parts[length:])
    return False


def test_the_walk_has_references() -> None:
    assert len(REFERENCES) >= 20


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_exists(reference: str) -> None:
    assert exists(reference), f"{reference} is not in src/rolecall"


@pytest.mark.parametrize("reference", ["plan.make.nothing", "plan.nothing.make", "live.client.OrgClient.nothing"])
def test_a_reference_to_nothing_is_noticed(reference: str) -> None:
    assert not exists(reference)
