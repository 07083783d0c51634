"""The usage data of a local org: what a test or a rehearsal sets, by month. A local org has no other usage."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from rolecall.localorg.store import keys
from rolecall.localorg.store.tables import SETTINGS

_USAGE = "usage"
"""The row of the settings that has the rows of each month."""


class UserUsage(NamedTuple):
    """The usage of one user in a month, with the names of WRITER's API. ``scope_name`` is the full name, or the email
    address."""

    scope_id: str
    scope_name: str
    cost_in_cents: int
    total_tokens: int


def user_usage(tx: Connection, month: str) -> list[UserUsage]:
    """Return the rows of a month, by cost from the highest to the lowest, then by ID."""
    records = (UserUsage(*columns) for columns in _months(tx).get(month, ()))
    return sorted(records, key=lambda usage: (-usage.cost_in_cents, usage.scope_id))


def set_user_usage(tx: Connection, month: str, records: Iterable[UserUsage]) -> None:
    """Replace the rows of a month."""
    months = {**_months(tx), month: [list(usage) for usage in records]}
    tx.execute(SETTINGS.delete().where(SETTINGS.c.section == _USAGE))
    tx.execute(SETTINGS.insert().values(section=_USAGE, value=json.dumps(months), version=0, modified=keys.now()))


def _months(tx: Connection) -> dict[str, Any]:
    text = tx.execute(select(SETTINGS.c.value).where(SETTINGS.c.section == _USAGE)).scalar()
    months: dict[str, Any] = json.loads(text) if text else {}
    return months
