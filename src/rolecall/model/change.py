"""A change, as data: it can be saved, shown, approved and replayed. And how writing it ended, as the org tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from rolecall.errors import Problem
from rolecall.model.desired import NO_INTENT, Intent
from rolecall.model.record import Key
from rolecall.model.settings import Address, Value

Action = Literal["create", "update", "delete", "upgrade"]
Via = Literal["api", "human", "waiting"]
ViaReason = Literal["not_pushed", "not_claimable", "no_api", "not_in_plan"]
Reason = Literal["config", "not_listed", "removed", "previously", "expired", "blank", "upgrade", "rollback", "drift"]


class Rename(NamedTuple):
    """A group that changed its name in the IdP: the addresses before and after."""

    before: Annotated[Address, Key("from")]
    after: Annotated[Address, Key("to")]


@dataclass(frozen=True, slots=True)
class Change:
    """One step from live towards desired.

    ``before`` and ``after`` speak only about the managed fields; None is no entry, a blank mapping is None too.
    ``wave`` is 0 to 5, see ``plan.order``; steps of one wave and ``level`` may be made side by side. ``reason``
    explains and never drives behaviour. ``id`` is the org's id of the group, None where the org gives none.
    """

    address: Address
    action: Action
    before: Value | None
    after: Value | None
    reason: Reason = "config"
    via: Via = "api"
    via_reason: ViaReason | None = None
    wave: int = 0
    intent: Intent = NO_INTENT
    moved: Rename | None = None
    level: int = 0
    id: str | None = None


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
