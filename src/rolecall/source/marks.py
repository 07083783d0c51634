"""Stores the places of a document's nodes separately from the values: two numbers per node, in document order.

A node is a value or a key. Nodes are numbered in document order: a container before its contents, a key before its
value. The places of a value are found by walking the value, so nothing is stored inside it.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

_COLUMN_BITS = 32
_COLUMN_MASK = (1 << _COLUMN_BITS) - 1


def pack(line: int, column: int) -> int:
    """Return a place as one number; line and column count from 0."""
    return line << _COLUMN_BITS | column


def unpack(place: int) -> tuple[int, int]:
    """Return line and column of a packed place, from 1."""
    return (place >> _COLUMN_BITS) + 1, (place & _COLUMN_MASK) + 1


@dataclass(slots=True)
class Marks:
    """``places[n]`` is the packed place of node n; ``sizes[n]`` counts node n and everything inside it."""

    places: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("I"))

    def __len__(self) -> int:
        return len(self.places)

    def add(self, line: int, column: int, size: int = 1) -> int:
        """Number the next node, and return its number. ``close`` sets the size of a container when it ends."""
        self.places.append(pack(line, column))
        self.sizes.append(size)
        return len(self.places) - 1

    def close(self, node: int) -> None:
        """End container ``node`` with the last node added."""
        self.sizes[node] = len(self.places) - node

    def repeat(self, node: int, line: int, column: int) -> int:
        """Number a closed node again, as an alias does; return how many nodes were added."""
        size = self.sizes[node]
        self.places.append(pack(line, column))
        self.places.extend(self.places[node + 1 : node + size])
        self.sizes.extend(self.sizes[node : node + size])
        return size

    def line_column(self, node: int) -> tuple[int, int]:
        """Return line and column of a node, from 1."""
        return unpack(self.places[node])
