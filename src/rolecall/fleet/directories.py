"""Finds the directories that a glob of `fleet.yaml` matches. A folder that cannot be listed is reported."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

_WILDCARDS = frozenset("*?[")


class Directories(NamedTuple):
    """The directories that a glob matches, relative to the fleet and sorted, and what could not be read, with why."""

    paths: tuple[str, ...]
    unread: tuple[tuple[str, str], ...]


def find_directories(folder: Path, pattern: str) -> Directories:
    """Return what a glob matches below ``folder``. A wildcard matches within one level, and no hidden name."""
    paths: list[str] = []
    unread: list[tuple[str, str]] = []
    _match(folder, "", pattern.strip("/").split("/"), paths, unread)
    return Directories(tuple(sorted(paths)), tuple(sorted(unread)))


def _match(folder: Path, at: str, parts: list[str], paths: list[str], unread: list[tuple[str, str]]) -> None:
    """Add the directories below ``at``, a path relative to the fleet, that the parts of a glob match."""
    if not parts:
        paths.append(at)
        return
    for name in _names(folder, at, parts[0], unread):
        path = f"{at}/{name}" if at else name
        if (folder / path).is_dir():
            _match(folder, path, parts[1:], paths, unread)
        elif (folder / path).is_symlink() and not (folder / path).exists():
            unread.append((path, "is a broken link"))


def _names(folder: Path, at: str, part: str, unread: list[tuple[str, str]]) -> Iterator[str]:
    """Yield the names in a directory that one part of a glob matches."""
    if not _WILDCARDS & set(part):
        yield part
        return
    try:
        names = sorted(path.name for path in (folder / at).iterdir())
    except OSError as error:
        unread.append((at or ".", f"cannot be read: {(error.strerror or 'unknown system error').lower()}"))
        return
    yield from (name for name in names if name[0] != "." and fnmatchcase(name, part))


def matches_path(path: str, pattern: str) -> bool:
    """Return whether a glob matches a path, level by level."""
    names, parts = path.split("/"), pattern.strip("/").split("/")
    return len(names) == len(parts) and all(map(fnmatchcase, names, parts))
