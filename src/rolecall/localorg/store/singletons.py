"""The settings that an org has one of: ``defaults``, ``sso`` and ``scim``."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from rolecall.codec.settings import encode_value
from rolecall.localorg.store import clock, counters
from rolecall.localorg.store.tables import SETTINGS
from rolecall.model.kinds import SINGLETONS, initial_value

NEW_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    kind.section: encode_value(kind.section, initial_value(kind)) for kind in SINGLETONS
}
"""The values of a new org, by section; also for fields that an older database lacks."""


class Singleton(NamedTuple):
    """A singleton's value as JSON, and the version that it got with its last write."""

    value: dict[str, Any]
    version: int


def read_singleton(tx: Connection, section: str) -> Singleton:
    """Return the value and version of a singleton."""
    row = tx.execute(select(SETTINGS.c.value, SETTINGS.c.version).where(SETTINGS.c.section == section)).one()
    return Singleton({**NEW_SETTINGS[section], **json.loads(row.value)}, row.version)


def read_value(tx: Connection, section: str) -> dict[str, Any]:
    """Return the value alone."""
    return read_singleton(tx, section).value


def write_singleton(tx: Connection, section: str, value: dict[str, Any]) -> Singleton:
    """Store a value under a new version."""
    version = counters.bump(tx, "version")
    text = json.dumps(value, ensure_ascii=False)
    tx.execute(
        SETTINGS.update().where(SETTINGS.c.section == section).values(value=text, version=version, modified=clock.now())
    )
    return Singleton(value, version)
