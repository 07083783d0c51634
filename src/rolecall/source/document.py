"""A file as it was read: its value, and a way to ask where any part of it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rolecall.errors import Problem, Where
from rolecall.source.marks import Marks

Step = str | int
Path = Sequence[Step]


class _Child(NamedTuple):
    key: int
    node: int
    value: Any


class Document:
    """One file. ``value`` is made of dict, list, str, int, float, bool and None, and is not to be changed.

    ``problems`` are faults that left the rest readable (a duplicate key, a tag); ``load_yaml`` raises them.
    """

    def __init__(self, name: str, value: Any, marks: Marks | Callable[[], Marks], problems: Sequence[Problem] = ()):
        self.name = name
        self.value = value
        self.problems = tuple(problems)
        self._marks = marks
        self._known: dict[int, dict[Step, _Child]] = {}

    @property
    def marks(self) -> Marks:
        """The places of all nodes; a JSON file is scanned for them when first asked."""
        if not isinstance(self._marks, Marks):
            self._marks = self._marks()
        return self._marks

    def with_value(self, value: Any) -> Document:
        """The same document with other keys in its maps; the shape and the order must be the same."""
        return Document(self.name, value, self._marks, self.problems)

    def has(self, path: Path) -> bool:
        """Whether there is a value at a path of keys and list positions."""
        value = self.value
        for step in path:
            if not _holds(value, step):
                return False
            value = value[step]
        return True

    def where(self, path: Path = (), key: bool = False) -> Where:
        """The place of the value at a path, or of its key. Where the path ends early, the deepest part of it."""
        if not len(self.marks):
            return Where(self.name)
        node, value = 0, self.value
        at = node
        for step in path:
            child = self._children(node, value).get(step)
            if child is None:
                break
            node, value = child.node, child.value
            at = child.key if key else node
        return self._where(at)

    def entries(self, path: Path = ()) -> dict[str, Where]:
        """The places of all keys of the map at a path, in one pass; empty when there is no map."""
        if not self.has(path):
            return {}
        node, value = 0, self.value
        for step in path:
            child = self._children(node, value)[step]
            node, value = child.node, child.value
        if not isinstance(value, dict):
            return {}
        name, place = self.name, self.marks.line_column
        return {str(step): Where(name, *place(key)) for step, key, _, _ in self._walk(node, value)}

    def _children(self, node: int, value: Any) -> dict[Step, _Child]:
        known = self._known.get(node)
        if known is None:
            known = {step: _Child(key, child, held) for step, key, child, held in self._walk(node, value)}
            self._known[node] = known
        return known

    def _walk(self, node: int, value: Any) -> Iterator[tuple[Step, int, int, Any]]:
        """The children of a container: step, number of the key (of the item itself in a list), number, value."""
        sizes = self.marks.sizes
        following = node + 1
        if isinstance(value, dict):
            for name, held in value.items():
                yield name, following, following + 1, held
                following += 1 + sizes[following + 1]
        elif isinstance(value, list):
            for position, held in enumerate(value):
                yield position, following, following, held
                following += sizes[following]

    def _where(self, node: int) -> Where:
        return Where(self.name, *self.marks.line_column(node))


def _holds(value: Any, step: Step) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and 0 <= step < len(value)
    return isinstance(value, dict) and step in value
