"""Earlier applies of which the journal at hand has no record: the org's audit log has the keys of their writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from rolecall.errors import OrgError, Problem
from rolecall.live.port import Audit, Reader
from rolecall.model.outcome import Event
from rolecall.plan.question import Question

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


async def with_other_journal(org: Reader, asked: Question) -> Question:
    """Return the question with the journal that earlier applies to the org were recorded in, if the journal at hand has
    no record of an apply. The whole audit log is read for it; a log that cannot be read is a warning. An org without
    one, such as a snapshot, has no earlier applies."""
    if asked.applied.recorded or not isinstance(org, Audit):
        return asked
    try:
        events = await org.since(_BEGINNING)
    except OrgError as error:
        message = f"whether another journal has earlier applies is not known: {error.problems[0].message}"
        hint = "let the token read the audit log"
        return replace(asked, warnings=(*asked.warnings, Problem("audit_unread", message, None, hint, "warning")))
    live = replace(asked.live, requests=asked.live.requests + 1)
    return replace(asked, live=live, other_journal=_last_other(events, asked.applied.journal))


def _last_other(events: Iterable[Event], own: str) -> str:
    """Return the id of the journal in the newest key of rolecall that is not of the journal ``own``; events come oldest
    first."""
    keys = (event.key.split("/") for event in events if event.key)
    others = [parts[1] for parts in keys if len(parts) >= 4 and parts[0] == "rolecall" and parts[1] != own]
    return others[-1] if others else ""
