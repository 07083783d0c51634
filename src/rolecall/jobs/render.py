"""Use case `render`: the effective config, and who set what in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.desired import Sources, load, validate
from rolecall.errors import ConfigError, Where

Steps = tuple[str | int, ...]


class Said(NamedTuple):
    """One value of the effective config and the place that set it."""

    path: Steps
    value: Any
    where: Where


def render(root: Path, env: str | None, main: str) -> Sources:
    """The config after includes and overlay. Raises ConfigError with every problem when it has errors."""
    sources = load(root, env, main)
    problems = validate(sources)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(*problems)
    return sources


def origins(sources: Sources) -> Iterator[Said]:
    """Every scalar, list and empty map of the effective config with its place, in order."""
    return _walk(sources, (), sources.effective)


def _walk(sources: Sources, path: Steps, value: Any) -> Iterator[Said]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _walk(sources, (*path, key), inner)
    else:
        yield Said(path, value, sources.where(path))
