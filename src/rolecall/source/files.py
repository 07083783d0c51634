"""Gets the bytes of a file that is really a file, not too large, and inside the folder it has to stay in."""

from __future__ import annotations

import stat
from pathlib import Path

from rolecall.errors import ConfigError, Problem, Where

MAX_BYTES = 32 * 1024 * 1024


def read_file(path: Path, name: str | None = None, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file of at most ``limit`` bytes. ``name`` is what messages call it. Raises ConfigError."""
    where = Where(name or str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise ConfigError(Problem("unreadable", f"is {kind}", where, "Name a YAML or JSON file"))
        if status.st_size > limit:
            raise ConfigError(too_large(where, limit))
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise ConfigError(Problem("unreadable", f"cannot be read: {_reason(error)}", where)) from error
    if len(data) > limit:
        raise ConfigError(too_large(where, limit))
    return data


def too_large(where: Where, limit: int) -> Problem:
    """The problem of a file above the limit in bytes."""
    return Problem("too_large", f"is larger than {limit >> 20} MiB", where, "Split it and list the parts in `include`")


def inside(root: Path, path: str | Path) -> Path | None:
    """``path`` (relative to ``root``) with all links resolved, or None when that is outside ``root``."""
    try:
        resolved = (root / path).resolve()
        base = root.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return resolved if resolved.is_relative_to(base) else None


def _reason(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case PermissionError():
            return "permission denied"
        case _:
            return (error.strerror or "the system refused").lower()
