"""Defines changes as data that can be saved, shown, approved and replayed."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from rolecall.model.desired import NO_INTENT, Intent
from rolecall.model.record import Key
from rolecall.model.settings import Address, Value

Action = Literal["create", "update", "delete", "upgrade"]
Via = Literal["api", "human", "waiting"]
ViaReason = Literal["not_pushed", "not_claimable", "no_api", "not_in_plan", "idp_read_only", "role"]
Reason = Literal["config", "not_listed", "removed", "previously", "expired", "blank", "upgrade", "rollback", "drift"]


class Rename(NamedTuple):
    """A group that was renamed in the IdP: the addresses before and after."""

    before: Annotated[Address, Key("from")]
    after: Annotated[Address, Key("to")]


class Change(NamedTuple):
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
