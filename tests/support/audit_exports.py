"""WRITER's export of audit events on 127.0.0.1: records, pages, and faults, for the tests of its client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from faulty_org import Asked, Reply, reply

WRITER = "4711"
PATH = f"/api/observability/v1/organization/{WRITER}/audit/events/export"


def record(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A record of the older style: password sign-in was turned on, on the 12th of November."""
    return {
        "id": str(number),
        "source": "legacy",
        "createdAt": f"2026-11-12T09:{number:02}:00Z",
        "actor": {"email": "ann@acme.com"},
        "area": "Sign in",
        "action": "Enable password",
        "result": "SUCCESS",
        **changes,
    }


def export(records: Sequence[Any], size: int = 2) -> Callable[[Asked], Reply]:
    """A log of these records in pages; the cursor is the number of records before it."""

    def answer(asked: Asked) -> Reply:
        query = asked_query(asked)
        first = int(query.get("cursor", "0"))
        listed = list(records[first : first + size])
        return reply({"data": listed, "cursor": str(first + len(listed))})

    return answer


def asked_query(asked: Asked) -> dict[str, str]:
    """The parameters of a request."""
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.target).query).items()}
