"""Write logs to stderr: a line of text or a JSON object each, with the ID of the run."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

from rolecall.cli.messages import as_object
from rolecall.cli.options import Invocation

_ROOT = "rolecall"
_PROGRESS = "rolecall.progress"
"""The logger of progress, shown as plain lines unless `-q` was given: for example that an org has not answered yet."""
_OTHERS = ("uvicorn", "asyncio", "py.warnings")
"""Loggers of libraries that are shown too: the server of the local org, the event loop, and Python's warnings."""


def configure(call: Invocation) -> None:
    """Send rolecall's logs to stderr: warnings, with `-v` also steps, with `-vv` requests, with `-q` only errors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if call.log_format == "json" else _Text())
    for name in (_ROOT, *_OTHERS):
        log = logging.getLogger(name)
        log.handlers = [handler]
        log.propagate = False
        log.setLevel(_level(call.verbosity) if name == _ROOT else logging.WARNING)
    logging.getLogger(_PROGRESS).setLevel(logging.ERROR if call.verbosity < 0 else logging.INFO)
    logging.captureWarnings(call.log_format == "json")


def _level(verbosity: int) -> int:
    if verbosity < 0:
        return logging.ERROR
    return (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbosity, 2)]


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        extras = "".join(f" {name}={value}" for name, value in _extra(record).items())
        level = "" if record.name == _PROGRESS else f"{record.levelname.lower()}: "
        return f"{level}{_one_line(record.getMessage() + extras)}"


class _Json(logging.Formatter):
    """Formats a record as a JSON object with the logger's name; ``code`` is `log` if the record has none."""

    def format(self, record: logging.LogRecord) -> str:
        at, level = datetime.fromtimestamp(record.created, UTC), record.levelname.lower()
        extras = {"logger": record.name, **_extra(record)}
        message = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            extras["error"] = record.exc_info[0].__name__
        return as_object(level, str(getattr(record, "code", "log")), message, extras, at).rstrip("\n")


_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "code", "color_message"}


def _extra(record: logging.LogRecord) -> dict[str, object]:
    """Return the values that were logged with the message."""
    return {name: value for name, value in record.__dict__.items() if name not in _OWN}


def _one_line(text: str) -> str:
    from rolecall.report.phrases import visible

    return visible(text)
