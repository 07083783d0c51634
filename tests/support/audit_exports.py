"""WRITER's export of audit events on 127.0.0.1: records, pages, and faults, for the tests of its client."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cli_repo import SNAPSHOT
from faulty_org import Asked, Reply, reply

WRITER = "4711"
PATH = f"/api/observability/v1/organization/{WRITER}/audit/events/export"
WATCHING = """\
version: 1
org: {{name: tinyco, url: observed:org.json}}
sso: {{enabled: true, allow_passwords: true}}
watch: {{roles: [org_admin]}}
audit: {{writer: {writer}, token: {{env: KEY}}, url: '{base}'}}
"""
"""A configuration that watches the org admins of an observed org by its audit log."""


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


def repo_with_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch, config: str, log: str, snapshot: Mapping[str, Any] = SNAPSHOT
) -> None:
    """Make a repo of an observed org that was read just now, whose audit log is at the URL ``log``, and enter it."""
    taken = datetime.now(UTC).isoformat()
    (folder / "org.json").write_text(json.dumps({**snapshot, "taken_at": taken}), encoding="utf-8")
    (folder / "rolecall.yaml").write_text(config.format(writer=WRITER, base=log), encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KEY", "canary-audit-key")


def asked_query(asked: Asked) -> dict[str, str]:
    """The parameters of a request."""
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.target).query).items()}
