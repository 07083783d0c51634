"""Write problems and remarks to stderr, and report bugs without a traceback.

Each is a line of text, or a JSON object with the time, a level, the ID of this run and a stable code.
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
    """Return the ID of this run of the program: 12 hex digits."""
    return os.urandom(6).hex()


def as_object(
    level: str, code: str, message: str, extras: Mapping[str, object] | None = None, at: datetime | None = None
) -> str:
    """Return one line: ``{"time", "level", "run", "code", "message", …}``. Extra values never replace these."""
    import json

    time = (at or datetime.now(UTC)).isoformat(timespec="milliseconds")
    own = {"time": time, "level": level, "run": run_id(), "code": code, "message": message}
    return f"{json.dumps({**own, **(extras or {}), **own}, default=str)}\n"


class Unwritten(KeyboardInterrupt):
    """Ctrl-C before a run began: nothing was written to the org."""


def remark(code: str, message: str, *, as_json: bool, level: str = "info") -> None:
    """Write a message that is neither a result nor an error."""
    sys.stderr.write(as_object(level, code, message) if as_json else f"{message}\n")
    sys.stderr.flush()


def wants_json(args: Sequence[str]) -> bool:
    """Return whether a command line asks for JSON on stderr. It is not parsed for that, as parsing may have failed."""
    arguments = [
        argument for arg in args for argument in (arg.split("=", 1) if arg.startswith("--log-format=") else [arg])
    ]
    formats = [value for flag, value in pairwise(arguments) if flag == "--log-format"]
    return (formats[-1] if formats else os.environ.get("ROLECALL_LOG_FORMAT")) == "json"


def tell(problems: Sequence[Problem], *, as_json: bool = False, color: bool = True) -> None:
    """Write problems to stderr, each as a line or as a JSON object."""
    if as_json:
        from rolecall.report.builders.problems import problem_json

        lines = [as_object(item.severity, item.code, item.message, problem_json(item)) for item in problems]
        sys.stderr.write("".join(lines))
        return
    from rolecall.cli.console import stderr
    from rolecall.report.line import problem_line

    stderr(color=color).lines(map(problem_line, problems))


def problems_of(error: RolecallError | BaseExceptionGroup[BaseException]) -> tuple[tuple[Problem, ...], Exit] | None:
    """Return the problems of an error, or of a group of rolecall's errors only, and the exit code; None for a bug."""
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
    """Return the problem of an operation that the operating system refused."""
    reason = error.strerror or str(error) or type(error).__name__
    where = Where(str(error.filename)) if error.filename else None
    return Problem("system", f"{reason[0].lower()}{reason[1:]}", where, _HINTS.get(error.errno or 0))


_ROOM = "free some disk space and run the command again"
_HINTS = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "the file is larger than this process may write; see `ulimit -f`",
    errno.EACCES: "check the owner and the permissions",
    errno.EROFS: "use a path that can be written to",
    errno.ENOENT: "create the folder first, or use another path",
    errno.EISDIR: "use the path of a file in it",
}
"""Error number -> what to do."""


def on_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report an unexpected exception: the traceback goes to a log file, one line to stderr."""
    if issubclass(kind, KeyboardInterrupt):
        return
    import traceback

    text = _without_secrets("".join(traceback.format_exception(kind, error, trace)))

    message = f"a bug in rolecall ({kind.__name__}); report it with the log: {_log(text)}"
    sys.stderr.write(as_object("error", "bug", message) if wants_json(sys.argv[1:]) else f"error: {message}\n")


def _without_secrets(text: str) -> str:
    """Return a log without secrets: no bearer token, no password in a URL, no variable whose name suggests a secret."""
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
        return "(none, it could not be written)"


def silence(stream: TextIO) -> None:
    """Redirect a stream that can no longer be written to, so that closing it reports no error."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
