"""Named counters that only grow: list revisions, and versions that are never reused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Connection, TextClause, func, select, text

from rolecall.localorg.store.tables import COUNTERS


def bump(tx: Connection, name: str, by: int = 1) -> int:
    """Add to a counter, creating it if necessary, and return its new value."""
    return int(tx.execute(_ONE, {"name": name, "value": by}).scalar_one())


def bump_all(tx: Connection, names: Sequence[str]) -> dict[str, int]:
    """Add one to several counters in one statement, creating them if necessary, and return their new values."""
    ordered = sorted(set(names))
    named = {f"name_{number}": name for number, name in enumerate(ordered)}
    grown = tx.execute(_several(len(ordered)), named)
    return {name: int(grew) for name, grew in grown}


def value(tx: Connection, name: str) -> int:
    """Return the value of a counter; 0 when it was never increased."""
    return int(
        tx.execute(select(func.coalesce(func.max(COUNTERS.c.value), 0)).where(COUNTERS.c.name == name)).scalar_one()
    )


# Plain SQL: SQLAlchemy compiles an insert of several rows each time, which takes longer than the write, and an
# insert of one is written in two dialects, of which PostgreSQL's alone takes 25 ms to import.
_GROW = "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"
_ONE = text(f"INSERT INTO counters (name, value) VALUES (:name, :value) {_GROW} RETURNING value")


@lru_cache(maxsize=16)
def _several(count: int) -> TextClause:
    rows = ", ".join(f"(:name_{number}, 1)" for number in range(count))
    return text(f"INSERT INTO counters (name, value) VALUES {rows} {_GROW} RETURNING name, value")
