"""What is wrong inside a file, before its place is looked up."""

from __future__ import annotations

from typing import Any, NamedTuple

Json = Any
Trail = tuple[str | int, ...]
"""The keys and indices that lead to a value."""


class Fault(NamedTuple):
    """What is wrong with the value at a trail, or with its ``key``."""

    trail: Trail
    message: str
    hint: str | None = None
    key: bool = False
