"""Finds files inside their folder, and reads the bytes of regular files that are not too large."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rolecall.errors import ConfigError, Problem, Where

MAX_BYTES = 32 * 1024 * 1024


def read_file(path: Path, name: str | None = None, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file of at most ``limit`` bytes. ``name`` is its name in messages. Raises ConfigError."""
    where = Where(name or str(path))
    with _opened(path, where) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ConfigError(too_large(where, limit))
    return data


def read_pieces(path: Path, size: int) -> Iterator[bytes]:
    """Yield the bytes of a file of any length, in pieces of at most ``size``. Raises ConfigError."""
    with _opened(path, Where(str(path))) as stream:
        while piece := stream.read(size):
            yield piece


@contextmanager
def _opened(path: Path, where: Where) -> Iterator[BinaryIO]:
    """Open a regular file. Reading a pipe would block, and a device might never end."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise ConfigError(Problem("unreadable", f"is {kind}", where, "use the path of a file"))
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise ConfigError(Problem("unreadable", f"cannot be read: {_reason(error)}", where)) from error


def too_large(where: Where, limit: int) -> Problem:
    """Return the problem for a file above the limit in bytes."""
    return Problem("too_large", f"is larger than {limit >> 20} MiB", where, "split it, and list the parts in `include`")


MOVE_INSIDE = "move it into the configuration folder; links must not lead out of it"
"""The hint for a path for which ``inside`` is None."""


def inside(root: Path, path: str | Path) -> Path | None:
    """Return ``path`` (relative to ``root``) with all links resolved, or None when it is outside ``root``."""
    try:
        resolved = (root / path).resolve()
        base = root.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return resolved if resolved.is_relative_to(base) else None


def glob_paths(folder: Path, pattern: str) -> list[Path]:
    """Return the paths in ``folder`` that a glob matches, in no order.

    A pattern that `Path.glob` refuses matches nothing: an empty or absolute one, or ``**`` as a part of a name.
    """
    try:
        return list(folder.glob(pattern))
    except (ValueError, NotImplementedError):
        return []


def _reason(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "file not found"
        case PermissionError():
            return "permission denied"
        case _:
            return (error.strerror or "unknown system error").lower()
