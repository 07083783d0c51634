"""Defines what became known of a write: its outcome, and the entries of the org's audit log that show it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from rolecall.errors import Problem
from rolecall.model.settings import Value


class Done(NamedTuple):
    """The org has the requested value; ``version`` is the next ETag."""

    after: Value | None
    version: str | None


class Failed(NamedTuple):
    """The org accepted the write but has a different value."""

    after: Value | None


class Moved(NamedTuple):
    """The entry was changed by another client in between (412)."""

    found: Value | None
    version: str | None


class Refused(NamedTuple):
    """The org rejected the write."""

    problem: Problem


class Unknown(NamedTuple):
    """No response arrived; the write may or may not have been made."""

    problem: Problem


Outcome = Done | Failed | Moved | Refused | Unknown


class Event(NamedTuple):
    """One row of the org's audit log. ``before`` and ``after`` are JSON as the org stored it."""

    id: str
    at: datetime
    actor: str
    channel: str
    address: str
    before: Any = None
    after: Any = None
    key: str | None = None
    source_ip: str | None = None


class LogSearch(NamedTuple):
    """The result of searching the audit log from its newest entry back.

    ``event`` is the matching entry, or None. ``whole`` is false if the search ended before the result was certain.
    ``newest`` is the id of the newest entry, empty for an empty log; ``entries`` is how many were read, with how many
    ``requests``.
    """

    event: Event | None
    newest: str
    entries: int
    requests: int
    whole: bool = True
