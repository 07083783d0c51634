"""WRITER's consumption API on 127.0.0.1: rows, pages, and faults, for the tests of its client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from audit_exports import WRITER, asked_query
from faulty_org import Asked, Reply, reply

PATH = f"/api/billing/v1/organization/{WRITER}/consumption/breakdown/user"


def row(number: int, name: str | None = None, tokens: int = 100, **changes: Any) -> dict[str, Any]:
    """The usage of one user."""
    known = {"scope_id": str(number), "scope_name": name or f"User {number}", "cost_in_cents": 5}
    return {**known, "total_tokens": tokens, **changes}


def page_of(rows: Sequence[Any], offset: int, total: int, limit: int = 2) -> Reply:
    pagination = {"limit": limit, "offset": offset, "total": total}
    return reply({"scope": "user", "currency": "USD", "data": list(rows), "pagination": pagination})


def usage(rows: Sequence[Any], size: int = 2) -> Callable[[Asked], Reply]:
    """The data in pages of at most ``size`` rows."""

    def answer(asked: Asked) -> Reply:
        query = asked_query(asked)
        offset = int(query.get("offset", "0"))
        limit = min(size, int(query.get("limit", "50")))
        return page_of(rows[offset : offset + limit], offset, len(rows), limit)

    return answer
