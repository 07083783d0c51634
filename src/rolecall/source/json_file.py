"""Parses JSON with the standard library's C scanner; places are computed on first use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from rolecall.errors import ConfigError, Problem, Where
from rolecall.source.composer import MAX_DEPTH
from rolecall.source.document import Document
from rolecall.source.files import MAX_BYTES, read_file, too_large
from rolecall.source.marks import Marks
from rolecall.source.text import checked_utf8, place_of
from rolecall.source.yaml_file import collector_off

_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}\n]|[^\s,:\[\]{}"]+')


def load_json(source: Path | bytes, name: str | None = None, limit: int = MAX_BYTES) -> Document:
    """Return the document in a file or in bytes (RFC 8259, UTF-8). ``name`` is its name in messages. Raises
    ConfigError.
    """
    document = parse_json(source, name, limit)
    if document.problems:
        raise ConfigError(*document.problems)
    return document


def parse_json(source: Path | bytes, name: str | None = None, limit: int = MAX_BYTES) -> Document:
    """Parse like ``load_json``, but put duplicate keys into ``Document.problems``; its ``value`` must not be used
    then.
    """
    data = source if isinstance(source, bytes) else read_file(source, name, limit)
    shown = name or ("<bytes>" if isinstance(source, bytes) else str(source))
    if len(data) > limit:
        raise ConfigError(too_large(Where(shown), limit))
    text = checked_utf8(data, shown).decode("utf-8")
    twice: list[str] = []
    with collector_off():
        value = _decode(text, shown, twice)
    if _deeper_than(value, MAX_DEPTH):
        raise _too_deep(shown)
    if half := _HALF.search(text):
        _refuse_half(value, shown, text, half.start())
    problems = _duplicates(text, shown) if twice else []
    return Document(shown, value, lambda: _scan(text), problems)


def _decode(text: str, name: str, twice: list[str]) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            twice.append(name)
        return members

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = Where(name, error.lineno, error.colno)
        raise ConfigError(Problem("json", f"is not valid JSON: {error.msg.lower()}", where)) from error
    except RecursionError as error:
        raise _too_deep(name) from error
    except ValueError as error:
        reason = str(error) if str(error).endswith("JSON number") else "a number is too long"
        raise ConfigError(Problem("json", f"is not valid JSON: {reason}", Where(name))) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is not a JSON number")


def _refuse_half(value: Any, name: str, text: str, start: int) -> None:
    """Refuse an escaped lone surrogate; an escaped pair is valid text."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        where = place_of(name, text[:start].encode("utf-8"))
        message = "is not valid JSON: half of a character is escaped here or below"
        hint = "remove the escape, or add the other half: \\uD800 to \\uDBFF and \\uDC00 to \\uDFFF come in pairs"
        raise ConfigError(Problem("json", message, where, hint)) from error


def _too_deep(name: str) -> ConfigError:
    return ConfigError(Problem("too_deep", f"is nested deeper than {MAX_DEPTH} levels", Where(name)))


def _deeper_than(value: Any, levels: int) -> bool:
    """Return whether containers are nested deeper than this many levels. Works level by level, without recursion."""
    level = [value] if type(value) in _NESTS else []
    for _ in range(levels):
        level = [
            nested
            for container in level
            for nested in (container.values() if type(container) is dict else container)
            if type(nested) in _NESTS
        ]
        if not level:
            return False
    return bool(level)


_NESTS = frozenset((dict, list))


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield every bracket, string, number and literal of a JSON text, with line and column from 0."""
    line, start = 0, 0
    for token in _TOKEN.finditer(text):
        if token.group() == "\n":
            line, start = line + 1, token.end()
        else:
            yield token.group(), line, token.start() - start


def _scan(text: str) -> Marks:
    """Return the marks of a text that is known to be valid JSON."""
    marks = Marks()
    open_: list[int] = []
    for token, line, column in _tokens(text):
        if token in "]}":
            marks.close(open_.pop())
        else:
            node = marks.add(line, column)
            if token in "[{":
                open_.append(node)
    return marks


def _duplicates(text: str, name: str) -> list[Problem]:
    """Return a problem for every key that an object has twice, with both places."""
    problems: list[Problem] = []
    objects: list[dict[str, Where] | None] = []
    key_next = [False]
    for token, line, column in _tokens(text):
        if token in "]}":
            objects.pop()
            key_next.pop()
            continue
        keys = objects[-1] if objects else None
        if keys is not None and key_next[-1]:
            _note_key(json.loads(token), Where(name, line + 1, column + 1), keys, problems)
        if keys is not None:
            key_next[-1] = not key_next[-1]
        if token in "[{":
            objects.append({} if token == "{" else None)
            key_next.append(token == "{")
    return problems


def _note_key(key: str, where: Where, keys: dict[str, Where], problems: list[Problem]) -> None:
    first = keys.setdefault(key, where)
    if first is not where:
        message = f"`{key}` is defined twice, first at {first}"
        problems.append(Problem("duplicate_key", message, where, "keep one of the two"))
