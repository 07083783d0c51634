"""Defines changes as data that can be saved, shown, approved and replayed, and the outcomes of writing them."""

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
    """A group that was renamed in the IdP: the addresses before and after."""

    before: Annotated[Address, Key("from")]
    after: Annotated[Address, Key("to")]


@dataclass(frozen=True, slots=True)
class Change:
    """One step from live to desired.

    ``before`` and ``after`` have only the managed fields; None means no entry, or an unmapped group. ``wave`` is 0 to
    5, see ``plan.order``; steps of one wave and ``level`` may run concurrently. ``reason`` is explanation only. ``id``
    is the org's id of the group, None if the org has none.
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
    """The org has the requested value; ``version`` is the next ETag."""

    after: Value | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The org accepted the write but has a different value."""

    after: Value | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The entry was changed by another client in between (412)."""

    found: Value | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The org rejected the write."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Unknown:
    """No response arrived; the write may or may not have been made."""

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
