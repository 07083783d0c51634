"""The content of a new org, and emptying an org."""

from __future__ import annotations

import json
import uuid
from typing import Final

from sqlalchemy import Connection, select

from rolecall.localorg.store import clock, counters
from rolecall.localorg.store.keys import new_id
from rolecall.localorg.store.singletons import NEW_SETTINGS
from rolecall.localorg.store.tables import METADATA, MIGRATED, ORG, ROLES, SETTINGS, TEAMS, TOKENS
from rolecall.model.kinds import KEYED
from rolecall.model.roles import BUILT_IN

REVISIONS: Final = ("people", *(kind.section for kind in KEYED), "teams", "roles", "audit")


def seed_new(tx: Connection) -> bool:
    """Create a new org in an empty database; return whether it was empty."""
    if tx.execute(select(ORG.c.id)).first() is not None:
        return False
    seed(tx)
    return True


def seed(tx: Connection) -> None:
    """Insert a new org: one team, the built-in roles, no claimed domain, SSO and SCIM off."""
    at = clock.now()
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
            row = {"section": section, "value": json.dumps(value), "modified": clock.now()}
            tx.execute(SETTINGS.insert().values(**row, version=counters.bump(tx, "version")))


def empty(tx: Connection, *, keep_tokens: bool = True) -> None:
    """Delete everything; counters keep their values, so that no version and no revision is used twice."""
    exempt = {MIGRATED.name, "counters"} | ({TOKENS.name} if keep_tokens else set())
    for table in reversed(METADATA.sorted_tables):
        if table.name not in exempt:
            tx.execute(table.delete())
    for name in REVISIONS:
        counters.bump(tx, name)
