"""Turns one stream of YAML events into a plain value and its marks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from rolecall.errors import ConfigError, Problem, Where
from rolecall.source.marks import Marks
from rolecall.source.scalars import plain

MAX_DEPTH = 100
MAX_EVENTS = 5_000_000
MAX_GROWTH = 10
FREE_GROWTH = 10_000
"""Aliases may make a document ten times as large, and any document larger by this many nodes."""


class Composer:
    """The composer of one document. Call ``run`` once; it fills ``marks`` and ``problems``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks = Marks()
        self.problems: list[Problem] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._grown = 0

    def run(self, events: Iterator[Any]) -> Any:
        """Return the value of the document, or None when it is empty. Raises ConfigError."""
        place, size, sizes = self.marks.places.append, self.marks.sizes.append, self.marks.sizes
        once = dict[str, str]().setdefault
        roots: list[Any] = []
        into: Any = roots
        key: str | None = None
        value: Any
        keyed = False
        outer: list[tuple[Any, int]] = []
        few = islice(events, MAX_EVENTS)
        for count, event in enumerate(few):
            kind = type(event)
            if kind is ScalarEvent:
                text = once(event.value, event.value)
                if keyed and key is None:
                    if text in into or event.tag or event.anchor or (text == "<<" and not event.style):
                        self._odd_key(event, into, outer[-1][1], few)
                    else:
                        mark = event.start_mark
                        place(mark.line << 32 | mark.column)
                        size(1)
                        key = text
                    continue
                value = text if event.style else plain(text)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                into, node = outer.pop()
                keyed = type(into) is dict
                sizes[node] = len(sizes) - node
                continue
            elif kind is MappingStartEvent or kind is SequenceStartEvent or kind is AliasEvent:
                if keyed and key is None:
                    raise self._fatal(
                        event, "complex_key", "a map, a list or an alias cannot be a key", "use plain text as the key"
                    )
                value = (
                    {} if kind is MappingStartEvent else [] if kind is SequenceStartEvent else self._alias(event, count)
                )
            else:
                self._stream(event, roots)
                continue
            if kind is not AliasEvent:
                mark = event.start_mark
                place(mark.line << 32 | mark.column)
                size(kind is ScalarEvent)
                if event.tag or event.anchor:
                    self._decorated(event, value)
            if keyed:
                into[key] = value
                key = None
            else:
                into.append(value)
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                outer.append((into, len(sizes) - 1))
                if len(outer) > MAX_DEPTH:
                    raise self._too_deep(event)
                into, keyed = value, kind is MappingStartEvent
        if (more := next(events, None)) is not None:
            raise self._fatal(more, "too_large", f"has more than {MAX_EVENTS:,} YAML nodes", "split the file")
        return roots[0] if roots else None

    def _stream(self, event: Any, roots: list[Any]) -> None:
        if type(event) is not DocumentStartEvent:
            return
        if roots:
            raise self._fatal(event, "documents", "a second document starts here", "keep one document per file")
        if event.version not in (None, (1, 2)):
            version = ".".join(map(str, event.version))
            raise self._fatal(
                event, "yaml_version", f"uses YAML {version}, which is not supported", "remove the %YAML line"
            )

    def _decorated(self, event: Any, value: Any) -> None:
        """Report the tag of a value, which is not allowed, and remember its anchor."""
        if event.tag:
            self._tell(
                event, "tag", f"the tag `{event.tag}` is not allowed", "remove the tag; quote the value to keep it text"
            )
        if event.anchor:
            self._anchors[event.anchor] = (value, len(self.marks) - 1)

    def _alias(self, event: Any, count: int) -> Any:
        name, mark = event.anchor, event.start_mark
        if name not in self._anchors:
            raise self._fatal(
                event,
                "alias",
                f"the alias `*{name}` has no anchor `&{name}` above it",
                "to use a literal `*`, quote the value",
            )
        value, node = self._anchors[name]
        if self.marks.sizes[node] == 0:
            raise self._fatal(event, "alias", f"the alias `*{name}` is inside its own anchor")
        self._grown += self.marks.sizes[node]
        if self._grown > FREE_GROWTH + MAX_GROWTH * count:
            raise self._fatal(event, "too_large", f"aliases expand this file to more than {MAX_GROWTH} times its size")
        self.marks.repeat(node, mark.line, mark.column)
        return value

    def _odd_key(self, event: Any, into: dict[str, Any], node: int, events: Iterator[Any]) -> None:
        """Report an invalid key, and skip it and its value so that the places stay aligned."""
        if event.tag:
            self._tell(event, "tag", f"the tag `{event.tag}` is not allowed", "remove the tag; keys are always text")
        elif event.anchor:
            self._tell(event, "alias", f"the key `{event.value}` has an anchor", "put the anchor on a value")
        elif event.value in into:
            first = self._first_place(into, node, event.value)
            self._tell(
                event, "duplicate_key", f"`{event.value}` is defined twice, first at {first}", "keep one of the two"
            )
        else:
            self._tell(event, "merge_key", "merge keys (`<<`) are not supported", "repeat the fields instead")
        depth = 0
        for passed in events:
            depth += type(passed) in (MappingStartEvent, SequenceStartEvent)
            depth -= type(passed) in (MappingEndEvent, SequenceEndEvent)
            if depth > MAX_DEPTH:
                raise self._too_deep(passed)
            if depth == 0:
                return

    def _first_place(self, into: dict[str, Any], node: int, key: str) -> Where:
        """Return the place of a key in a map that is still open."""
        node += 1
        for name in into:
            if name == key:
                break
            node += 1 + self.marks.sizes[node + 1]
        return Where(self.name, *self.marks.line_column(node))

    def _too_deep(self, event: Any) -> ConfigError:
        return self._fatal(event, "too_deep", f"is nested deeper than {MAX_DEPTH} levels")

    def _tell(self, event: Any, code: str, message: str, hint: str | None = None) -> None:
        where = Where(self.name, event.start_mark.line + 1, event.start_mark.column + 1)
        self.problems.append(Problem(code, message, where, hint))

    def _fatal(self, event: Any, code: str, message: str, hint: str | None = None) -> ConfigError:
        self._tell(event, code, message, hint)
        return ConfigError(*self.problems)
