"""Values as YAML text: plain where that reads back as the same text, else in double quotes; never folded."""

from __future__ import annotations

import json
import re
from typing import Any

from rolecall.source.scalars import plain

_PLAIN = re.compile(r"[^\W\d](?:[\w ./@+&()-]*[\w./@+)])?")
_OLD_WORDS = frozenset(("y", "n", "yes", "no", "on", "off"))
"""Words that YAML 1.1, and so many an editor, takes for booleans."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar(text: str, *, as_json: bool = False) -> str:
    """A string as YAML, readable on one line in any context; ``as_json`` always quotes, as JSON does."""
    if not as_json and _PLAIN.fullmatch(text) and text.isprintable() and _reads_as_itself(text):
        return text
    return json.dumps(text) if as_json else f'"{"".join(map(_character, text))}"'


def quoted(text: str, style: str) -> str:
    """A string in these quotes; in double ones where single ones cannot hold it."""
    if style == "'" and text.isprintable():
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    return f'"{"".join(map(_character, text))}"'


def flow(value: Any, *, as_json: bool = False) -> str:
    """A JSON value in flow style on one line: ``{role: member, teams: [IT]}``."""
    if isinstance(value, dict):
        pairs = (f"{scalar(key, as_json=as_json)}: {flow(held, as_json=as_json)}" for key, held in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(item, as_json=as_json) for item in value)}]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return scalar(value, as_json=as_json) if isinstance(value, str) else str(value)


def comment(text: str) -> str:
    """A comment on one line, whatever is in the text."""
    return "# " + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def _reads_as_itself(text: str) -> bool:
    return plain(text) == text and text.casefold() not in _OLD_WORDS


def _character(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
