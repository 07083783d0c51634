"""A change, as data: it can be saved, shown, approved and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

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
