"""Named counters that only grow: list revisions, and versions that never come back."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from rolecall.localorg.store.tables import COUNTERS


def bump(tx: Connection, name: str, by: int = 1) -> int:
    """Add to a counter, made at need, and return its new value."""
    insert = (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(COUNTERS).values(name=name, value=by)
    grown = insert.on_conflict_do_update(index_elements=["name"], set_={"value": COUNTERS.c.value + by})
    return int(tx.execute(grown.returning(COUNTERS.c.value)).scalar_one())


def value(tx: Connection, name: str) -> int:
    """What a counter stands at; 0 when it never moved."""
    return int(
        tx.execute(select(func.coalesce(func.max(COUNTERS.c.value), 0)).where(COUNTERS.c.name == name)).scalar_one()
    )
