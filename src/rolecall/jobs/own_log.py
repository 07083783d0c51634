"""Read the audit log of an org with an API: all of it, or the newest entries about one user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rolecall.codec.audit import email_of, record_of_event
from rolecall.errors import OrgError
from rolecall.live.port import Audit
from rolecall.model import normalise
from rolecall.model.audit import AuditLog, AuditRecord
from rolecall.model.directory import Person
from rolecall.model.kinds import split_address
from rolecall.model.live import UNREAD, Coverage, Group
from rolecall.model.outcome import Event
from rolecall.plan.dates import moment_words

OWN_DAYS = 90
"""The days of an org's own log that are read."""


async def own_log(audit: Audit, since: datetime) -> AuditLog:
    """Return an org's own audit log. Raises OrgError."""
    events = await audit.since(since)
    return AuditLog(tuple(record_of_event(event, _raw(event)) for event in events), Coverage())


async def own_events(audit: Audit, since: datetime, user: Person, groups: Mapping[str, Group]) -> AuditLog:
    """Return the entries of an org's own log about a user since a moment, oldest first; ``groups`` are the org's.

    The log is read from its newest entry back. If that ends before the moment, or fails, the coverage has the reason.
    """
    events: list[Event] = []

    def is_before(event: Event) -> bool:
        """Keep an event; return whether it is from before the moment."""
        if event.at >= since:
            events.append(event)
        return event.at < since

    try:
        search = await audit.search(is_before)
    except OrgError as error:
        return AuditLog((), UNREAD._replace(problem=error.problems[0].message))
    records = tuple(_about(user, reversed(events), {group.id: name for name, group in groups.items()}))
    if search.whole or search.event is not None:
        return AuditLog(records, Coverage(read=len(records)))
    oldest = f"entries before {moment_words(events[-1].at)} were not read" if events else None
    return AuditLog(records, Coverage("partial", read=len(records), problem=oldest))


def _about(user: Person, events: Iterable[Event], names: Mapping[str, str]) -> Iterator[AuditRecord]:
    """Yield the records about a user: of the user, and of the groups that the user was added to or removed from.

    ``names`` are those of groups, by id. The org's ID of a user who is read elsewhere is that of the entries with the
    address.
    """
    email, ids = normalise.email(user.email), {user.id}
    for event in events:
        section, key = split_address(event.address)
        if section == "users" and (key in ids or normalise.email(email_of(event)) == email):
            ids.add(key or "")
            yield record_of_event(event, _raw(event))._replace(object=user.email)
        elif section == "groups" and (change := _membership(event, ids)):
            name = names.get(key or "") or _name_of(event) or key or ""
            yield record_of_event(event, _raw(event))._replace(action=change, object=name)


def _membership(event: Event, ids: set[str]) -> str:
    """Return what happened to a user in a group; empty if nothing did. Long lists are shortened in the log."""
    added, removed = (_ids(event.after, "members", "added"), _ids(event.before, "members", "removed"))
    if ids & added - removed:
        return "user added"
    return "user removed" if ids & removed - added else ""


def _ids(value: Any, *names: str) -> set[str]:
    lists = (value.get(name) for name in names) if isinstance(value, dict) else ()
    return {part for each in lists if isinstance(each, list) for part in each if isinstance(part, str)}


def _name_of(event: Event) -> str:
    values = (value.get("displayName") for value in (event.after, event.before) if isinstance(value, dict))
    return next((name for name in values if isinstance(name, str)), "")


def _raw(event: Event) -> dict[str, Any]:
    """Return an event as JSON has it."""
    return {**event._asdict(), "at": event.at.isoformat()}
