"""The settings that an org has one of: ``defaults``, ``sso`` and ``scim``."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from rolecall.localorg.store import clock, counters
from rolecall.localorg.store.tables import SETTINGS


class Singleton(NamedTuple):
    """A singleton's value as JSON, and the version that it got with its last write."""

    value: dict[str, Any]
    version: int


def read_singleton(tx: Connection, section: str) -> Singleton:
    """The value and version of ``defaults``, ``sso`` or ``scim``."""
    row = tx.execute(select(SETTINGS.c.value, SETTINGS.c.version).where(SETTINGS.c.section == section)).one()
    return Singleton(json.loads(row.value), row.version)


def read_value(tx: Connection, section: str) -> dict[str, Any]:
    """The value alone."""
    return read_singleton(tx, section).value


def write_singleton(tx: Connection, section: str, value: dict[str, Any]) -> Singleton:
    """Put a value in place under a version that was never there before."""
    version = counters.bump(tx, "version")
    text = json.dumps(value, ensure_ascii=False)
    tx.execute(
        SETTINGS.update().where(SETTINGS.c.section == section).values(value=text, version=version, modified=clock.now())
    )
    return Singleton(value, version)
