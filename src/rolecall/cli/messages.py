"""What is written on stderr beside logs: problems, remarks, and how a run that went wrong ends, never with a traceback.

Each is a line for people, or a JSON object a line with the time, its level, the id of this run and a code that stays
the same.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from types import TracebackType
from typing import TextIO

from rolecall.errors import Exit, Problem, RolecallError, Where


@cache
def run_id() -> str:
    """One id for everything that this run of the program says: 12 hex digits."""
    return os.urandom(6).hex()


def as_object(
    level: str, code: str, message: str, extras: Mapping[str, object] | None = None, at: datetime | None = None
) -> str:
    """One line: ``{"time", "level", "run", "code", "message", …}``. Nothing beside takes the place of these."""
    import json

    time = (at or datetime.now(UTC)).isoformat(timespec="milliseconds")
    own = {"time": time, "level": level, "run": run_id(), "code": code, "message": message}
    return f"{json.dumps({**own, **(extras or {}), **own}, default=str)}\n"


def remark(code: str, message: str, *, as_json: bool, level: str = "info") -> None:
    """Say something that is no result and no error, to whoever looks on."""
    sys.stderr.write(as_object(level, code, message) if as_json else f"{message}\n")
    sys.stderr.flush()


def wants_json(args: Sequence[str]) -> bool:
    """Whether a command line asks for JSON on stderr: read off the line itself, as parsing may be what failed."""
    arguments = [
        argument for arg in args for argument in (arg.split("=", 1) if arg.startswith("--log-format=") else [arg])
    ]
    formats = [value for flag, value in pairwise(arguments) if flag == "--log-format"]
    return (formats[-1] if formats else os.environ.get("ROLECALL_LOG_FORMAT")) == "json"


def tell(problems: Sequence[Problem], *, as_json: bool = False, color: bool = True) -> None:
    """Problems on stderr, a line each, or a JSON object each."""
    if as_json:
        from rolecall.report.builders.problems import problem_json

        lines = [as_object(item.severity, item.code, item.message, problem_json(item)) for item in problems]
        sys.stderr.write("".join(lines))
        return
    from rolecall.cli.console import stderr
    from rolecall.report.line import problem_line

    stderr(color=color).lines(map(problem_line, problems))


def problems_of(error: RolecallError | BaseExceptionGroup[BaseException]) -> tuple[tuple[Problem, ...], Exit] | None:
    """All problems of an error, or of a group of nothing but errors of ours, and the code to leave with."""
    if isinstance(error, RolecallError):
        return error.problems, error.exit
    _, foreign = error.split(RolecallError)
    if foreign is not None:
        return None
    errors = _leaves(error)
    return tuple(problem for error_of_ours in errors for problem in error_of_ours.problems), max(
        error_of_ours.exit for error_of_ours in errors
    )


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
    reason = error.strerror or str(error) or type(error).__name__
    where = Where(str(error.filename)) if error.filename else None
    return Problem("system", f"{reason[0].lower()}{reason[1:]}", where, _WAYS_OUT.get(error.errno or 0))


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

    message = f"a bug in rolecall ({kind.__name__}); please report it with the log: {_log(text)}"
    sys.stderr.write(as_object("error", "bug", message) if wants_json(sys.argv[1:]) else f"error: {message}\n")


def _without_secrets(text: str) -> str:
    """A log that strangers may read: no bearer token, no password in a URL, no variable that looks like a secret."""
    for name, value in os.environ.items():
        if len(value) >= _LEAST and any(mark in name.upper() for mark in _SECRET_WORDS):
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
