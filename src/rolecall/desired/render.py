"""The effective config as data, and who said each part of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rolecall.desired.sources import Sources
from rolecall.errors import Where
from rolecall.source.document import Step


class Origin(NamedTuple):
    """A leaf of the effective config: its path, its value, and the place that said it last."""

    path: tuple[Step, ...]
    value: Any
    where: Where


def effective(sources: Sources) -> dict[str, Any]:
    """The config after includes and overlay, as nested data in the order of the files; secrets stay references."""
    return {key: value for key, value in sources.effective.items() if key != "include"}


def origins(sources: Sources) -> list[Origin]:
    """Every leaf with its origin. A list counts as one leaf: overlays replace lists whole."""
    return [Origin(path, value, sources.where(path, key=True)) for path, value in _leaves(effective(sources), ())]


def _leaves(value: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, held in value.items():
            yield from _leaves(held, (*path, key))
    elif path:
        yield path, value
