"""Writes values as YAML text that reads back the same, and finds the spans of nodes so that a part can be replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rolecall.source.scalars import plain

_ALIAS = re.compile(r"\s*:\s*(\*[^\s,\[\]{}]+)")
LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Splice(NamedTuple):
    """Replaces characters ``start`` to ``end`` with ``text``."""

    start: int
    end: int
    text: str


class Field(NamedTuple):
    """A key of a map and its value; ``start`` and ``end`` are the span of the value or of its alias."""

    key: Node
    value: Node
    start: int
    end: int
    alias: bool


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """Return the text after all splices, which must not overlap; splices at one place keep their order."""
    pieces: list[str] = []
    place = 0
    for splice in sorted(splices, key=lambda piece: (piece.start, piece.end)):
        pieces += (text[place : splice.start], splice.text)
        place = splice.end
    return "".join((*pieces, text[place:]))


class Text:
    """A YAML or JSON text, which stays unchanged."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: Node | None = yaml.compose(text, Loader=LOADER)

    def fields(self, node: Node | None) -> dict[str, Field]:
        """Return the fields of a map by key; empty for any other node."""
        if not isinstance(node, MappingNode):
            return {}
        return {key.value: self._field(key, value) for key, value in node.value}

    def end(self, node: Node) -> int:
        """Return where a node's own text ends, without white space and comments after a block."""
        if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
            if isinstance(node, SequenceNode):
                return self.end(node.value[-1])
            return self._field(*node.value[-1]).end
        start, end = node.start_mark.index, node.end_mark.index
        return start + len(self.text[start:end].rstrip())

    def lines(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the whole lines from ``start`` through ``end``, including the last line end."""
        return self.text.rfind("\n", 0, start) + 1, min(self.line_end(end) + 1, len(self.text))

    def line_end(self, place: int) -> int:
        """Return where a line ends, before its line feed."""
        end = self.text.find("\n", place)
        return len(self.text) if end < 0 else end

    def indent(self, node: Node) -> str:
        """Return the text before a node on its line."""
        start = node.start_mark.index
        return self.text[self.text.rfind("\n", 0, start) + 1 : start]

    def after_colon(self, key: Node) -> int:
        """Return the place right after the colon of a key."""
        return self.text.index(":", key.end_mark.index) + 1

    def _field(self, key: Node, value: Node) -> Field:
        if value.start_mark.index < key.end_mark.index and (alias := _ALIAS.match(self.text, key.end_mark.index)):
            return Field(key, value, *alias.span(1), True)
        return Field(key, value, value.start_mark.index, self.end(value), False)


def is_block(node: Node) -> bool:
    """Return whether a map or list is written in block style."""
    return isinstance(node, MappingNode | SequenceNode) and not node.flow_style and bool(node.value)


def items(node: Node) -> Iterator[ScalarNode]:
    """Yield the scalars of a list."""
    if isinstance(node, SequenceNode):
        yield from (item for item in node.value if isinstance(item, ScalarNode))


_PLAIN = re.compile(r"[^\W\d](?:[\w ./@+&()-]*[\w./@+)])?")
_OLD_WORDS = frozenset(("y", "n", "yes", "no", "on", "off"))
"""Words that YAML 1.1, and many editors, read as booleans."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar(text: str, *, as_json: bool = False) -> str:
    """Return a string as YAML that is valid on one line in any context; ``as_json`` always quotes, as JSON does."""
    if not as_json and _PLAIN.fullmatch(text) and text.isprintable() and _reads_as_itself(text):
        return text
    return json.dumps(text) if as_json else f'"{"".join(map(_character, text))}"'


def quoted(text: str, style: str) -> str:
    """Return a string in these quotes, or in double quotes where single quotes are not possible."""
    if style == "'" and text.isprintable():
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    return f'"{"".join(map(_character, text))}"'


def flow(value: Any, *, as_json: bool = False) -> str:
    """Return a JSON value in flow style on one line: ``{role: member, teams: [IT]}``."""
    if isinstance(value, dict):
        pairs = (f"{scalar(key, as_json=as_json)}: {flow(entry, as_json=as_json)}" for key, entry in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(item, as_json=as_json) for item in value)}]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return scalar(value, as_json=as_json) if isinstance(value, str) else str(value)


def comment(text: str) -> str:
    """Return a comment on one line for any text."""
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
