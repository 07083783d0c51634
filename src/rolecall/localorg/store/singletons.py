"""The settings that an org has one of, the content of a new org, and emptying an org."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from rolecall.codec.settings import encode_value
from rolecall.localorg.store import counters, keys
from rolecall.localorg.store.keys import new_id
from rolecall.localorg.store.tables import METADATA, MIGRATED, ORG, ROLES, SETTINGS, TEAMS, TOKENS
from rolecall.model.kinds import ORG_KEYED, SINGLETONS, initial_value
from rolecall.model.roles import BUILT_IN

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
    stored = tx.execute(select(SETTINGS.c.value, SETTINGS.c.version).where(SETTINGS.c.section == section)).one()
    return Singleton({**NEW_SETTINGS[section], **json.loads(stored.value)}, stored.version)


def read_value(tx: Connection, section: str) -> dict[str, Any]:
    """Return the value alone."""
    return read_singleton(tx, section).value


def write_singleton(tx: Connection, section: str, value: dict[str, Any]) -> Singleton:
    """Store a value under a new version."""
    version = counters.bump(tx, "version")
    text = json.dumps(value, ensure_ascii=False)
    tx.execute(
        SETTINGS.update().where(SETTINGS.c.section == section).values(value=text, version=version, modified=keys.now())
    )
    return Singleton(value, version)


REVISIONS: Final = ("people", *(kind.section for kind in ORG_KEYED), "teams", "roles", "audit")


def seed_new(tx: Connection) -> bool:
    """Create a new org in an empty database; return whether it was empty."""
    if tx.execute(select(ORG.c.id)).first() is not None:
        return False
    seed(tx)
    return True


def seed(tx: Connection) -> None:
    """Insert a new org: one team, the built-in roles, no claimed domain, SSO and SCIM off."""
    at = keys.now()
    tx.execute(
        ORG.insert().values(
            id=f"org_{uuid.uuid4().hex[:12]}",
            name="local",
            plan="enterprise",
            scim_in_plan=True,
            page_limit=1000,
            per_minute=0,
            latency_ms=0,
            created=at,
        )
    )
    seed_missing(tx)
    tx.execute(TEAMS.insert().values(name="Everyone", id=new_id(), created=at))
    tx.execute(
        ROLES.insert(),
        [{"id": r.id, "name": r.name, "level": r.level, "position": n} for n, r in enumerate(BUILT_IN.values())],
    )


def seed_missing(tx: Connection) -> None:
    """Insert the singletons that an org lacks: all for a new org, else those declared since it was created."""
    present = set(tx.execute(select(SETTINGS.c.section)).scalars())
    for section, value in NEW_SETTINGS.items():
        if section not in present:
            setting = {"section": section, "value": json.dumps(value), "modified": keys.now()}
            tx.execute(SETTINGS.insert().values(**setting, version=counters.bump(tx, "version")))


def empty(tx: Connection, *, keep_tokens: bool = True) -> None:
    """Delete everything; counters keep their values, so that no version and no revision is used twice."""
    exempt = {MIGRATED.name, "counters"} | ({TOKENS.name} if keep_tokens else set())
    for table in reversed(METADATA.sorted_tables):
        if table.name not in exempt:
            tx.execute(table.delete())
    for name in REVISIONS:
        counters.bump(tx, name)
