"""The audit log: actor, change, time and source of each write."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from rolecall.localorg.api.call import Call, check_parameters
from rolecall.localorg.api.lists import PARAMETERS, fetch, list_response, page_of
from rolecall.localorg.store.clock import stamp
from rolecall.localorg.store.tables import AUDIT, AnyRow
from rolecall.localorg.web import Response, refuse


def list_audit_log(call: Call, tx: Connection) -> Response:
    """List all writes, oldest first; ``key`` finds the one under an Idempotency-Key, ``since`` those after a time."""
    check_parameters(call, *PARAMETERS, "key", "since")
    page = page_of(call)
    rows = _filtered(call, select(AUDIT))
    position = None if page.cursor is None else (_position(tx, page.cursor),)
    return list_response(tx, "audit", rows, AUDIT.c.id, _item, fetch(tx, rows, (AUDIT.c.seq,), page, position))


def _filtered(call: Call, rows: Select[Any]) -> Select[Any]:
    if "key" in call.query:
        rows = rows.where(AUDIT.c.key == call.query["key"])
    if "since" in call.query:
        rows = rows.where(AUDIT.c.at > _since(call.query["since"]))
    return rows


def _since(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None:
        raise refuse(400, "bad_parameter", "`since` must be an RFC 3339 time with a time zone", field="since")
    try:
        return stamp(at)
    except OverflowError as error:
        raise refuse(422, "bad_parameter", "`since` is out of range", field="since") from error


def _position(tx: Connection, cursor: str) -> int:
    seq = tx.execute(select(AUDIT.c.seq).where(AUDIT.c.id == cursor)).scalar()
    if seq is None:
        raise refuse(422, "unknown_cursor", "The cursor is not one that this org gave out")
    return int(seq)


def _item(row: AnyRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at,
        "actor": row.actor,
        "channel": row.channel,
        "action": row.action,
        "address": row.address,
        "before": None if row.before is None else json.loads(row.before),
        "after": None if row.after is None else json.loads(row.after),
        "key": row.key,
        "source_ip": row.source_ip,
    }
