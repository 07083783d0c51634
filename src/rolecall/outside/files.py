"""Writes text to a path: a file atomically; a pipe, a device or an open descriptor directly."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

_OWNER = 0o600
_LINKS = 40
_DESCRIPTOR = re.compile(r"/(?:proc/(?:self|thread-self)|dev)/fd/(\d+)")
_IN_PLACE = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS})
"""Errors that prevent replacing a file that may be writable itself: a mount, or a directory of another user."""


Content = Callable[[], Iterable[bytes]]
"""Returns the bytes of a file in order, split anywhere, and the same bytes on each call."""


def write_file(path: Path, text: str | Content, mode: int = _OWNER) -> None:
    """Write a file completely, or leave the old one. ``mode`` is for a new or replaced file.

    The content of a large file may be given as a function that yields its bytes. If the path is a link, its target is
    written and the link stays. Raises OSError with the path as it was named.
    """
    data = text if callable(text) else partial(_encoded, text)
    try:
        number = _descriptor(path)
        if number is not None:
            _write_all(os.dup(number), data)
            return
        kind = _kind(path)
        if kind is not None and stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if kind is not None and not stat.S_ISREG(kind):
            _write_all(os.open(path, os.O_WRONLY | os.O_CLOEXEC), data)
        else:
            _put(Path(os.path.realpath(path)), data, mode, exists=kind is not None)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _encoded(text: str) -> tuple[bytes]:
    return (text.encode("utf-8", "surrogatepass"),)


def _descriptor(path: Path) -> int | None:
    """Return the number of the open descriptor that a path such as ``/dev/stdout`` names, with links followed.

    Opening it by name would start at the beginning of a file that is being written.
    """
    at = Path(os.path.normpath(Path.cwd() / path))
    for _ in range(_LINKS):
        if match := _DESCRIPTOR.fullmatch(str(at)):
            return int(match[1])
        if not at.is_symlink():
            return None
        at = Path(os.path.normpath(at.parent / at.readlink()))
    return None


def _kind(path: Path) -> int | None:
    """Return the type of what a path leads to, as in its mode; None for nothing, including a broken link."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _put(path: Path, data: Content, mode: int, *, exists: bool) -> None:
    import tempfile

    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}-")
    except OSError as error:
        _in_place(path, data, error, exists=exists)
        return
    try:
        _write_all(handle, data, sync=True)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        _in_place(path, data, error, exists=exists)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _in_place(path: Path, data: Content, error: OSError, *, exists: bool) -> None:
    """Write into a file that cannot be replaced, such as one that is mounted by itself."""
    if not exists or error.errno not in _IN_PLACE:
        raise error
    _write_all(os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC), data, sync=True)


def _write_all(handle: int, data: Content, *, sync: bool = False) -> None:
    with os.fdopen(handle, "wb") as file:
        file.writelines(data())
        file.flush()
        if sync:
            os.fsync(file.fileno())
