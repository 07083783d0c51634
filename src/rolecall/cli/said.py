"""What is said on stderr: a line for people, or one JSON object a line, each with the time, its level, the id of this
run and a code that stays the same."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise


@cache
def run_id() -> str:
    """One id for everything that this run of the program says: 12 hex digits."""
    return os.urandom(6).hex()


def as_object(
    level: str, code: str, message: str, beside: Mapping[str, object] | None = None, at: datetime | None = None
) -> str:
    """One line: ``{"time", "level", "run", "code", "message", …}``. Nothing beside takes the place of these."""
    time = (at or datetime.now(UTC)).isoformat(timespec="milliseconds")
    own = {"time": time, "level": level, "run": run_id(), "code": code, "message": message}
    return f"{json.dumps({**own, **(beside or {}), **own}, default=str)}\n"


def remark(code: str, message: str, *, as_json: bool, level: str = "info") -> None:
    """Say something that is no result and no error, to whoever looks on."""
    sys.stderr.write(as_object(level, code, message) if as_json else f"{message}\n")
    sys.stderr.flush()


def wants_json(args: Sequence[str]) -> bool:
    """Whether a command line asks for JSON on stderr: read off the line itself, as parsing may be what failed."""
    words = [word for arg in args for word in (arg.split("=", 1) if arg.startswith("--log-format=") else [arg])]
    said = [value for flag, value in pairwise(words) if flag == "--log-format"]
    return (said[-1] if said else os.environ.get("ROLECALL_LOG_FORMAT")) == "json"
