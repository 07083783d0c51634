"""Logs on stderr: a line for people, or a JSON object a line, with an id that is the run's own."""

from __future__ import annotations

import json
import logging
import secrets
import sys
from datetime import UTC, datetime

from rolecall.cli.options import Invocation

_ROOT = "rolecall"


def configure(call: Invocation) -> None:
    """Send rolecall's logs to stderr: warnings, with `-v` what happens, with `-vv` every request; `-q` errors alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json(secrets.token_hex(6)) if call.log_format == "json" else _Text())
    log = logging.getLogger(_ROOT)
    log.handlers = [handler]
    log.propagate = False
    log.setLevel(_level(call.verbosity))


def _level(verbosity: int) -> int:
    if verbosity < 0:
        return logging.ERROR
    return (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbosity, 2)]


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = "".join(f" {name}={value}" for name, value in _extra(record).items())
        return f"{record.levelname.lower()}: {_one_line(record.getMessage() + told)}"


class _Json(logging.Formatter):
    """``{"time", "level", "logger", "message", "run"}``; ``run`` is one id for everything this run says."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said = {"time": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        return json.dumps({**_extra(record), **said, "run": self._run}, default=str)


_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def _extra(record: logging.LogRecord) -> dict[str, object]:
    """What whoever logged said beside the message."""
    return {name: value for name, value in record.__dict__.items() if name not in _OWN}


def _one_line(text: str) -> str:
    from rolecall.report.visible import visible

    return visible(text)
