"""The audit log: every write by admin API, SCIM or console, in its own transaction."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, select

from rolecall.localorg.store import counters, keys
from rolecall.localorg.store.keys import new_id
from rolecall.localorg.store.tables import AUDIT, SETTINGS

Channel = Literal["api", "scim", "console", "local"]
Style = Literal["both", "legacy", "platform"]
"""The form of exported audit events: WRITER has an older and a newer one, and one log with both."""

_STYLE = "audit_style"
"""The row of the settings that has it; without it, it is ``both``."""


class Actor(NamedTuple):
    """The author of a write: ``name`` is an email or ``service``."""

    name: str
    channel: Channel
    source_ip: str | None = None


class Keyed(NamedTuple):
    """The Idempotency-Key of a write, a digest of its request, and the answer to a replay (JSON text)."""

    key: str
    request_digest: str
    answer: str


def record(
    tx: Connection,
    actor: Actor,
    action: str,
    address: str,
    before: Any = None,
    after: Any = None,
    keyed: Keyed | None = None,
    moves: tuple[str, ...] = (),
) -> str:
    """Write one row and return its id. ``before`` and ``after`` are JSON values without secrets, or None.

    ``moves`` names the counters of the lists that the write changes: they are bumped in the same statement.
    ``address`` is as in plans (``scim``, ``idp_groups/NAME``) or ``users/ID``, ``groups/ID``, ``tokens/ID``.
    """
    event = new_id()
    row = {
        "seq": counters.bump_all(tx, ("audit", *moves))["audit"],
        "id": event,
        "at": keys.now(),
        "actor": actor.name,
        "channel": actor.channel,
        "action": action,
        "address": address,
        "before": _text(before),
        "after": _text(after),
        "key": keyed.key if keyed else None,
        "request_digest": keyed.request_digest if keyed else None,
        "answer": keyed.answer if keyed else None,
        "source_ip": actor.source_ip,
    }
    tx.execute(_INSERT, row)
    return event


_INSERT = AUDIT.insert()


def export_style(tx: Connection) -> str:
    """Return the form in which audit events are exported."""
    return tx.execute(select(SETTINGS.c.value).where(SETTINGS.c.section == _STYLE)).scalar() or "both"


def set_export_style(tx: Connection, style: Style) -> None:
    """Set the form in which audit events are exported."""
    tx.execute(SETTINGS.delete().where(SETTINGS.c.section == _STYLE))
    tx.execute(SETTINGS.insert().values(section=_STYLE, value=style, version=0, modified=keys.now()))


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
