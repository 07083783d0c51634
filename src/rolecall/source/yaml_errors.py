"""Says in plain words what libyaml found wrong."""

from __future__ import annotations

from typing import Any

from rolecall.errors import Problem, Where

_PLAIN: dict[str, tuple[str, str | None]] = {
    "mapping values are not allowed in this context": (
        "a `key: value` is not possible here",
        "Check the indentation of this line; quote a text that holds `: `",
    ),
    "found a tab character that violates indentation": ("a tab indents this line", "Indent with spaces"),
    "found a tab character where an indentation space is expected": ("a tab indents this line", "Indent with spaces"),
    "found unexpected end of stream": ("the file ends inside a quoted text", "Close the quotes"),
    "found unknown escape character": (
        "there is no such escape in a double-quoted text",
        "Double the backslash, or use single quotes",
    ),
    "did not find expected '-' indicator": ("a list item was expected here", "Check the indentation of this line"),
    "did not find expected key": ("a key was expected here", "Check the indentation of this line and the quotes above"),
    "could not find expected ':'": ("a `:` is missing after this key", "Write `key: value`"),
    "did not find expected ',' or ']'": ("a list in brackets is not closed", "Add the missing `,` or `]`"),
    "did not find expected ',' or '}'": ("a map in braces is not closed", "Add the missing `,` or `}`"),
    "did not find expected node content": ("a value was expected here", "Add the value, or quote it"),
    "found incompatible YAML document": ("this is another version of YAML", "rolecall reads YAML 1.2"),
}
_NO_TOKEN = "found character that cannot start any token"


def explain(error: Any, data: bytes, name: str) -> Problem:
    """Return the problem for a YAMLError of the C parser over ``data``."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = str(getattr(error, "problem", None) or "it cannot be parsed")
    if mark is None:
        return Problem("yaml", f"is not valid YAML: {reason}", Where(name))
    start = getattr(error, "context_mark", None)
    if reason.startswith("did not find expected ',' or"):
        mark = start or mark
    known = _PLAIN.get(reason, (reason, None))
    message, hint = _start_of_token(data, mark.line, mark.column) if reason == _NO_TOKEN else known
    return Problem("yaml", f"is not valid YAML: {message}", Where(name, mark.line + 1, mark.column + 1), hint)


def _start_of_token(data: bytes, line: int, column: int) -> tuple[str, str]:
    lines = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    character = lines[line][column : column + 1] if line < len(lines) else ""
    if character == "\t":
        return "a tab indents this line", "Indent with spaces"
    return f"`{character}` cannot start a value", "Put the value in quotes"
