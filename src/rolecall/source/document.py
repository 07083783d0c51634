"""Represents a file that was read: its value, and the place of every part of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rolecall.errors import Problem, Where
from rolecall.source.marks import Marks

Step = str | int
NodePath = Sequence[Step]


class Document:
    """One file. ``value`` consists of dict, list, str, int, float, bool and None, and must not be changed.

    ``problems`` do not keep the rest from being read: errors, such as a duplicate key, which ``load_yaml`` raises, and
    warnings.
    """

    def __init__(self, name: str, value: Any, marks: Marks | Callable[[], Marks], problems: Sequence[Problem] = ()):
        self.name = name
        self.value = value
        self.problems = tuple(problems)
        self._marks = marks
        self._known: dict[int, dict[Step, int]] = {}

    @property
    def marks(self) -> Marks:
        """Return the places of all nodes. A JSON file is scanned for them on first use."""
        if not isinstance(self._marks, Marks):
            self._marks = self._marks()
        return self._marks

    def with_value(self, value: Any) -> Document:
        """Return the same document with different keys in its maps; shape and order must be the same."""
        return Document(self.name, value, self._marks, self.problems)

    def has(self, path: NodePath) -> bool:
        """Return whether a value exists at a path of keys and list positions."""
        value = self.value
        for step in path:
            if not _holds(value, step):
                return False
            value = value[step]
        return True

    def where(self, path: NodePath = (), key: bool = False) -> Where:
        """Return the place of the value at a path, or of its key; for a path that ends early, the place of its deepest
        part.
        """
        if not len(self.marks):
            return Where(self.name)
        node, value = 0, self.value
        at = node
        for step in path:
            child = self._children(node, value).get(step)
            if child is None:
                break
            at = child
            node, value = child + isinstance(value, dict), value[step]
        return Where(self.name, *self.marks.line_column(at if key else node))

    def entries(self, path: NodePath = ()) -> dict[Step, int]:
        """Return the packed places of all keys of the map at a path; empty when there is no map."""
        if not self.has(path):
            return {}
        node, value = 0, self.value
        for step in path:
            node, value = self._children(node, value)[step] + isinstance(value, dict), value[step]
        if not isinstance(value, dict):
            return {}
        places = self.marks.places
        return {step: places[key] for step, key in self._children(node, value).items()}

    def _children(self, node: int, value: Any) -> dict[Step, int]:
        """Return the children of a container: the node number of each key, or of each item in a list."""
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = {}
            sizes, following, keys = self.marks.sizes, node + 1, isinstance(value, dict)
            for step in value if keys else range(len(value)) if isinstance(value, list) else ():
                known[step] = following
                following += keys + sizes[following + keys]
        return known


def _holds(value: Any, step: Step) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and 0 <= step < len(value)
    return isinstance(value, dict) and step in value
