"""Write text to a path: a file as a whole or not at all; a pipe, a device or an open descriptor is written to."""

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
"""Refusals to put another file in the place of one that may be writable itself: a mount, a directory of others."""


Content = Callable[[], Iterable[bytes]]
"""Gives the bytes of a file in order, cut anywhere, and the same ones each time it is called."""


def write_file(path: Path, text: str | Content, mode: int = _OWNER) -> None:
    """Put a whole file in place, or leave what was there. ``mode`` is for a new or replaced file.

    A large file may be handed over as what gives its bytes in parts, which are written as they come.
    A link's target is written, and the link stays. Raises OSError with the path as it was named.
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
    """Return the number of the open descriptor that a path such as ``/dev/stdout`` names, links followed.

    To open it by its name would begin at the start of a file that is being written.
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
    """Return what a path leads to, as the mode says; None for nothing, a link to nothing too."""
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
