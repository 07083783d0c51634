"""Modules and functions stay small enough to be read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).resolve().parents[1] / "src"
MODULE_LINES, FUNCTION_LINES = 400, 60


def too_long(path: Path) -> Iterator[str]:
    """Yield what is too long in a module."""
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    if lines > MODULE_LINES:
        yield f"{path}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno} {node.name}: {length} lines"


def test_modules_and_functions_are_short() -> None:
    assert [line for path in sorted(SRC.rglob("*.py")) for line in too_long(path)] == []


def test_what_is_too_long_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text("def f():\n" + "    pass\n" * MODULE_LINES, encoding="utf-8")

    assert len(list(too_long(path))) == 2
