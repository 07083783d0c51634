"""How a run that went wrong ends: all problems on stderr, the right code, never a traceback."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

from rolecall.errors import Exit, Problem, RolecallError, Where


def tell(problems: Sequence[Problem], *, as_json: bool = False, color: bool = True) -> None:
    """Problems on stderr, a line each, or a JSON object each."""
    if as_json:
        from rolecall.cli.said import as_object
        from rolecall.report.builders.problems import problem_json

        lines = [as_object(item.severity, item.code, item.message, problem_json(item)) for item in problems]
        sys.stderr.write("".join(lines))
        return
    from rolecall.cli.console import stderr
    from rolecall.report.builders.problems import problem_line

    stderr(color=color).lines(map(problem_line, problems))


def problems_of(error: RolecallError | BaseExceptionGroup[BaseException]) -> tuple[tuple[Problem, ...], Exit] | None:
    """All problems of an error, or of a group of nothing but errors of ours, and the code to leave with."""
    if isinstance(error, RolecallError):
        return error.problems, error.exit
    _, others = error.split(RolecallError)
    if others is not None:
        return None
    found = _leaves(error)
    return tuple(problem for one in found for problem in one.problems), max(one.exit for one in found)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[RolecallError]:
    leaves: list[RolecallError] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            leaves += _leaves(error)
        elif isinstance(error, RolecallError):
            leaves.append(error)
    return leaves


def system_problem(error: OSError) -> Problem:
    """What the system said no to, in words."""
    said = error.strerror or str(error) or type(error).__name__
    where = Where(str(error.filename)) if error.filename else None
    return Problem("system", f"{said[0].lower()}{said[1:]}", where, _WAYS_OUT.get(error.errno or 0))


_ROOM = "make room on the disk, and run the command again"
_WAYS_OUT = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "this process may not write files as large as that; see `ulimit -f`",
    errno.EACCES: "see who owns it, and what this user may do there",
    errno.EROFS: "name a place that can be written to",
    errno.ENOENT: "make the directory first, or name another place",
    errno.EISDIR: "name a file in it",
}
"""What to do now, by what the system said."""


def on_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The hook for what nobody expected: the traceback goes to a log, one line to stderr."""
    if issubclass(kind, KeyboardInterrupt):
        return
    import traceback

    text = _without_secrets("".join(traceback.format_exception(kind, error, trace)))
    from rolecall.cli.said import as_object, wants_json

    message = f"a bug in rolecall ({kind.__name__}); please report it with the log: {_log(text)}"
    sys.stderr.write(as_object("error", "bug", message) if wants_json(sys.argv[1:]) else f"error: {message}\n")


def _without_secrets(text: str) -> str:
    """A log that strangers may read: no bearer token, no password in a URL, no variable that looks like a secret."""
    for name, value in os.environ.items():
        if len(value) >= _LEAST and any(word in name.upper() for word in _SECRET_WORDS):
            text = text.replace(value, f"<{name}>")
    return _SECRET_SHAPES.sub("<secret>", text)


_LEAST = 6
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL")
_SECRET_SHAPES = re.compile(r"(?<=[Bb]earer )[^\s'\"]+|rolecall_(?:admin|scim)_[\w-]+|(?<=://)[^\s/@'\"]+(?=@)")


def _log(text: str) -> str:
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="rolecall-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            file.write(text.encode("utf-8", "backslashreplace").decode("utf-8"))
            return file.name
    except OSError:
        return "(none: no place to write it)"


def silence(stream: TextIO) -> None:
    """Point a stream that can take no more to nowhere, so that closing it says nothing."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
