"""Named counters that only grow: list revisions, and versions that never come back."""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from rolecall.localorg.store.tables import COUNTERS


def bump(tx: Connection, name: str, by: int = 1) -> int:
    """Add to a counter, made at need, and return its new value."""
    return int(tx.execute(_GROWN[tx.dialect.name], {"name": name, "value": by}).scalar_one())


def value(tx: Connection, name: str) -> int:
    """What a counter stands at; 0 when it never moved."""
    return int(
        tx.execute(select(func.coalesce(func.max(COUNTERS.c.value), 0)).where(COUNTERS.c.name == name)).scalar_one()
    )


def _grown(insert: sqlite.Insert | postgresql.Insert) -> ReturningInsert[int]:
    grown = insert.on_conflict_do_update(
        index_elements=["name"], set_={"value": COUNTERS.c.value + insert.excluded.value}
    )
    return grown.returning(COUNTERS.c.value)


# Built once: each write bumps two or three counters, and building the statement costs more than running it.
_GROWN = {"sqlite": _grown(sqlite.insert(COUNTERS)), "postgresql": _grown(postgresql.insert(COUNTERS))}
