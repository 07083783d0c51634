"""How a write ended, as the port saw it, and what the org's audit log says about one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rolecall.errors import Problem
from rolecall.model.settings import Value


@dataclass(frozen=True, slots=True)
class Done:
    """The org holds what was asked; ``version`` is the next ETag."""

    after: Value | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The org took the write but holds something else."""

    after: Value | None


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody else changed the entry in between (412)."""

    found: Value | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The org said no."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer came; the write may or may not stand."""

    problem: Problem


Outcome = Done | Failed | Moved | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Event:
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


@dataclass(frozen=True, slots=True)
class LogSearch:
    """What a search of the audit log, from its newest entry back, came to.

    ``event`` is the entry that matches, None where none does. ``whole`` is false if the search ended before it could
    tell. ``newest`` is the id of the newest entry, empty in an empty log; ``entries`` is how many were read, with how
    many ``requests``.
    """

    event: Event | None
    newest: str
    entries: int
    requests: int
    whole: bool = True
