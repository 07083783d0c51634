"""Explains YAML syntax errors, and warns about unquoted values that a comment cuts short."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from yaml._yaml import CParser
from yaml.events import ScalarEvent

from rolecall.errors import Problem, Where

_INDENTATION = "check the indentation of this line"
_SPACES = ("this line is indented with a tab", "indent it with spaces")
_PAIR = "write `key: value`, with a space after the colon"
_MESSAGES: dict[str, tuple[str, str | None]] = {
    "mapping values are not allowed in this context": (
        "a `key: value` pair is not allowed here",
        f"{_INDENTATION}, and quote text that contains `: `",
    ),
    "found a tab character that violates indentation": _SPACES,
    "found a tab character where an indentation space is expected": _SPACES,
    "found unexpected end of stream": ("a quoted text is not closed before the end of the file", "add the quote"),
    "found unknown escape character": (
        "unknown escape sequence in double quotes",
        "double the backslash, or use single quotes",
    ),
    "did not find expected '-' indicator": ("expected a list item here", _INDENTATION),
    "did not find expected key": ("expected a key here", f"{_INDENTATION} and the quotes above it"),
    "could not find expected ':'": ("the key above has no `:`", _PAIR),
    "found unexpected ':'": ("there is no space after this `:`", _PAIR),
    "did not find expected ',' or ']'": ("the list that starts here is not closed", "add the missing `,` or `]`"),
    "did not find expected ',' or '}'": ("the map that starts here is not closed", "add the missing `,` or `}`"),
    "did not find expected node content": ("expected a value here", "add the value, or quote it"),
    "found incompatible YAML document": ("the YAML version is not supported", "use YAML 1.2"),
}
_INDIRECT = frozenset(
    (
        "mapping values are not allowed in this context",
        "did not find expected key",
        "could not find expected ':'",
        "found unexpected ':'",
        "did not find expected ',' or ']'",
        "did not find expected ',' or '}'",
    )
)
"""Errors that a ``#`` in an unquoted name, or a colon without a space, can cause."""
_UNKNOWN_START = "found character that cannot start any token"
_COMMENT = re.compile(r"^(.*?[^\s#])[ \t]+#(?=[^\s#])(.*)$")
_PAIR_WITHOUT_SPACE = re.compile(r"^[\s-]*([\w-]+):(?!//)[^\s:]")
_LONGEST = 60


class Cut(NamedTuple):
    """A comment that may cut a value: ``before`` and ``after`` are the text around its ``#``; ``column`` is from 0."""

    before: str
    after: str
    column: int


def explain(error: Any, data: bytes, name: str) -> Problem:
    """Return the problem for a YAMLError of the C parser over ``data``."""
    mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = str(getattr(error, "problem", None) or "it cannot be parsed")
    if mark is None:
        return Problem("yaml", f"is not valid YAML: {reason}", Where(name))
    last = mark.line
    if reason.startswith("did not find expected ',' or"):
        mark = getattr(error, "context_mark", None) or mark
    lines = _lines(data)
    if reason in _INDIRECT and (likely := _likely_cause(lines, mark.line, last, name)):
        return likely
    known = _MESSAGES.get(reason, (reason, None))
    message, hint = _start_of_token(lines, mark.line, mark.column) if reason == _UNKNOWN_START else known
    return Problem("yaml", f"is not valid YAML: {message}", Where(name, mark.line + 1, mark.column + 1), hint)


def cut_values(data: bytes, name: str) -> list[Problem]:
    """Return a warning for each unquoted text of a valid YAML file that ends before a comment such as ``#2``."""
    if b"#" not in data:
        return []
    candidates = {number: cut for number, line in enumerate(_lines(data)) if "#" in line and (cut := _cut(line))}
    if not candidates:
        return []
    problems = []
    events: Iterator[Any] = iter(CParser(data).get_event, None)
    for event in events:
        if type(event) is not ScalarEvent or event.style:
            continue
        start: Any = event.start_mark
        end: Any = event.end_mark
        cut = candidates.get(end.line)
        if cut and len(cut.before) == end.column:
            where = Where(name, start.line + 1, start.column + 1)
            problems.append(_cut_value(event.value, cut, where))
    return problems


def missing_space(text: str) -> str | None:
    """Return a hint on how to write ``role:member``, or None for text that is not a pair without a space."""
    key, colon, value = text.partition(":")
    if not (key and colon and value) or value.startswith("//") or " " in key:
        return None
    return f"write `{key}: {value}`, with a space after the colon"


def _cut_value(value: str, cut: Cut, where: Where) -> Problem:
    comment = f"#{_first_token(cut.after)}"
    if not value:
        message = f"this value is empty, because `{comment}` is a comment"
        whole = comment
    else:
        message = f"the value ends at `{_short(value)}`, because `{comment}` is a comment"
        whole = f"{value} {comment}"
    hint = f"to keep `{comment}`, quote it: {json.dumps(whole, ensure_ascii=False)}; for a comment, write `# `"
    return Problem("cut_value", message, where, hint, "warning")


def _likely_cause(lines: list[str], first: int, last: int, name: str) -> Problem | None:
    """Return the likely cause of a syntax error: a ``#`` in a name, or a pair without a space."""
    above = next((number for number in range(first - 1, -1, -1) if _content(lines[number])), first)
    numbers = range(above, min(last + 1, len(lines)))
    for number in numbers:
        if cut := _cut(lines[number]):
            message = f"is not valid YAML: `#{_short(cut.after.strip())}` is a comment here, so the line ends before it"
            hint = 'quote a name that contains ` #`, such as "Sales #1"'
            return Problem("yaml", message, Where(name, number + 1, cut.column + 1), hint)
    for number in numbers:
        if match := _PAIR_WITHOUT_SPACE.match(lines[number]):
            message = f"is not valid YAML: there is no space after `{match[1]}:`"
            return Problem("yaml", message, Where(name, number + 1, match.start(1) + 1), _PAIR)
    return None


def _cut(line: str) -> Cut | None:
    match = _COMMENT.match(line)
    if match is None or any(match[1].count(quote) % 2 for quote in "\"'"):
        return None
    return Cut(match[1], match[2], match.start(2) - 1)


def _content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _first_token(after: str) -> str:
    return _short(after.split()[0].rstrip(":,]}"))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _start_of_token(lines: list[str], line: int, column: int) -> tuple[str, str]:
    character = lines[line][column : column + 1] if line < len(lines) else ""
    if character == "\t":
        return _SPACES
    return f"a value cannot start with `{character}`", "put the value in quotes"
