"""Run the program: parse the command line, run one command, exit with its code."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NoReturn, TextIO

import click

from rolecall.cli import messages
from rolecall.cli.complete import VARIABLE
from rolecall.cli.program import called
from rolecall.errors import Exit, Problem, RolecallError, clause


def main() -> NoReturn:
    """Run the console script. A bug is reported on one line, by the exception hook.

    The garbage collector is off while a command starts, as imports leave nothing to collect; that saves a tenth of a
    quick command's time. Commands that read an org turn it on.
    """
    gc.disable()
    sys.excepthook = messages.on_bug
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    _lenient_streams()
    try:
        if shell := os.environ.get(VARIABLE):
            from rolecall.cli.shells import offer

            return offer(shell, args)
        code = called(list(args) or ["--help"])
        sys.stdout.flush()
    except click.UsageError as error:
        return _usage(error, args)
    except click.ClickException as error:
        return _fail([Problem("usage", clause(error.format_message()))], Exit.USAGE, args)
    except (click.Abort, KeyboardInterrupt) as error:
        return _interrupted(error, args)
    except RolecallError as error:
        return _fail(error.problems, error.exit, args)
    except BaseExceptionGroup as group:
        known = messages.problems_of(group)
        if known is None:
            raise
        return _fail(*known, args)
    except BrokenPipeError:
        messages.silence(sys.stdout)
        return Exit.ERROR
    except OSError as error:
        return _system(error, args)
    return int(code or Exit.OK) if args else Exit.USAGE


def _usage(error: click.UsageError, args: Sequence[str]) -> int:
    if _as_json(args):
        hint = f"for help: {error.ctx.command_path} --help" if error.ctx is not None else None
        return _fail([Problem("usage", clause(error.format_message()), None, hint)], Exit.USAGE, args)
    if error.ctx is not None:
        sys.stderr.write(f"{error.ctx.get_usage()}\n")
    sys.stderr.write(f"error: {clause(error.format_message())}\n")
    if error.ctx is not None:
        sys.stderr.write(f"For help: {error.ctx.command_path} --help\n")
    return Exit.USAGE


def _interrupted(error: BaseException, args: Sequence[str]) -> int:
    if not _as_json(args):
        sys.stderr.write("\n")  # after the ^C that a terminal shows
    text = "Interrupted. Nothing was written." if isinstance(error, messages.Unwritten) else "Interrupted."
    messages.remark("interrupted", text, as_json=_as_json(args), level="error")
    return Exit.INTERRUPTED


def _as_json(args: Sequence[str]) -> bool:
    return messages.wants_json(args)


def _system(error: OSError, args: Sequence[str]) -> int:
    if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT) and error.filename is None:
        messages.silence(sys.stdout)
    return _fail([messages.system_problem(error)], Exit.ERROR, args)


def _fail(problems: Sequence[Problem], code: Exit, args: Sequence[str]) -> int:
    try:
        messages.tell(problems, as_json=_as_json(args), color="--no-color" not in args)
    except BrokenPipeError:
        messages.silence(sys.stderr)
    return code


def _lenient_streams() -> None:
    """Make the standard streams tolerate being closed, other encodings, and names that no encoding has.

    Closed input counts as empty. Input comes first, since a closed stream's number goes to the next file opened.
    """
    if sys.stdin is None:
        sys.stdin = _nowhere("r")
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere(mode: Literal["r", "w"] = "w") -> TextIO:
    """Return a stream to nowhere for one that was closed. It takes its number, or the next file opened would get it."""
    return Path(os.devnull).open(mode, encoding="utf-8")
