"""The context of one SCIM request: its transaction, its actor, and the org's settings for SCIM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from rolecall.localorg.scim.shapes import Dialect
from rolecall.localorg.store import audit
from rolecall.localorg.store.singletons import read_value

SCIM_ACTOR = audit.Actor("scim", "scim")


@dataclass(frozen=True, slots=True)
class ScimSession:
    """One transaction of one request."""

    tx: Connection
    actor: audit.Actor = SCIM_ACTOR
    dialect: Dialect = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dialect", Dialect(self.tx.dialect.name))

    def endpoint(self) -> str:
        """Return the org's endpoint version: legacy, upgrading or new (R20)."""
        return str(read_value(self.tx, "scim")["endpoint"])

    def record(self, action: str, address: str, before: Any, after: Any, *moves: str) -> None:
        """Write a line of the audit log; ``moves`` are the lists that changed."""
        audit.record(self.tx, self.actor, action, address, before, after, moves=moves)
