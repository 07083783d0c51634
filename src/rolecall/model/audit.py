"""Defines the records of WRITER's audit log, how far it was read, and what it shows of the sections of an org."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from rolecall.errors import Where
from rolecall.model.kinds import BY_SECTION, ORG_SECTIONS, address
from rolecall.model.live import ChangedSince, Coverage, Live
from rolecall.model.record import Code, UserName

Result = Literal["success", "failure", "unknown"]

USERS = "users"
SUBJECTS = (*ORG_SECTIONS, "teams", USERS)
"""The subjects of records: the sections of settings, teams and users."""

CLOCKS = timedelta(seconds=60)
"""The most that two clocks may differ without being corrected."""


class AuditRecord(NamedTuple):
    """One record, as far as it was recognized; an empty text stands for a part that was not found.

    ``key`` identifies it: the SHA-256 of its content. ``at`` is None without a time, or with one that has no time zone.
    ``object`` is what was changed: a user, a domain, a team. ``sections`` are the sections that such a record is about,
    with ``users`` and ``teams``. ``raw`` is the record as received. ``role`` is the new role of the user, as
    stated; ``organization`` is the ID of the organization at WRITER, as stated.
    """

    key: Code
    at: datetime | None
    actor: UserName
    result: Result
    area: str
    action: str
    object: str
    source: str
    sections: tuple[str, ...]
    raw: Any
    role: str = ""
    organization: Code = ""

    @property
    def unrecognized(self) -> str:
        """Return why the record cannot be evaluated; empty if it can."""
        if not self.action:
            return "no action"
        if self.at is None:
            return "no time"
        return "unknown result" if self.result == "unknown" else ""

    @property
    def counts(self) -> bool:
        """Return whether it proves a change: a failure, and a record that cannot be evaluated, do not."""
        return self.result == "success" and not self.unrecognized

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the addresses that it is about: ``sso``, ``domains/acme.com`` where it names the domain."""
        return tuple(map(self._address, self.sections))

    def _address(self, section: str) -> str:
        kind = BY_SECTION.get(section)
        if (
            kind is None
            or kind.key is None
            or not self.object
            or (section == "domains" and not _is_domain(self.object))
        ):
            return section
        try:
            return address(section, kind.key(self.object))
        except ValueError:
            return section


def _is_domain(text: str) -> bool:
    return "." in text and "@" not in text and not any(map(str.isspace, text))


class StoredRecord(NamedTuple):
    """A record as it is stored: ``at`` is its time, or that of its receipt; ``body`` is its JSON text."""

    key: str
    at: datetime
    body: str


class Gap(NamedTuple):
    """A period whose records may be missing."""

    start: datetime
    end: datetime


class AuditPosition(NamedTuple):
    """The end of what was read of an audit log: ``cursor`` continues after it, ``since`` is the first day that was
    read, ``read_at`` when it was last read, ``ended_at`` when it was last read to its end. Everything before the cursor
    is stored where the position is."""

    cursor: str
    since: datetime
    read_at: datetime
    gaps: tuple[Gap, ...] = ()
    ended_at: datetime | None = None


class AuditLog(NamedTuple):
    """The known part of an audit log: its records, oldest first, and how much of it was read.

    ``skew`` is how far the clock of its server is ahead of this machine's. ``where`` is the place in the configuration
    because of which it was not read. ``page`` is the body of a page that could not be decoded.
    """

    records: tuple[AuditRecord, ...]
    coverage: Coverage
    position: AuditPosition | None = None
    skew: timedelta = timedelta()
    where: Where | None = None
    page: Any = None

    def time_of(self, record: AuditRecord) -> datetime | None:
        """Return the time of a record by this machine's clock, None without one; up to `CLOCKS` is not corrected."""
        if record.at is None:
            return None
        return record.at - self.skew if abs(self.skew) > CLOCKS else record.at

    @property
    def unread(self) -> str | None:
        """Return that the log was not read to its end, with the reason; None if it was."""
        if self.coverage.state == "complete":
            return None
        part = "partially" if self.coverage.state == "partial" else "not"
        return f"the audit log was {part} read{f': {self.coverage.problem}' if self.coverage.problem else ''}"

    @property
    def unrecognized(self) -> tuple[AuditRecord, ...]:
        """Return the records that cannot be evaluated."""
        return tuple(record for record in self.records if record.unrecognized)


def marked(live: Live, log: AuditLog, known: Collection[str] = ()) -> Live:
    """Return the org with each section that was changed after it was read marked, with its last change.

    ``known`` are the keys of records after which the section is as known as before.
    """
    last = last_changes(log, known)
    coverage = {name: _marked(part, last.get(_RECORDED.get(name, name))) for name, part in live.coverage.items()}
    return replace(live, coverage=coverage) if coverage != live.coverage else live


_RECORDED = {"people": USERS}
"""A name in the coverage of an org -> that in the records."""


def last_changes(log: AuditLog, known: Collection[str] = ()) -> Mapping[str, ChangedSince]:
    """Return the last change of each section, by this machine's clock, without those of ``known`` records."""
    last: dict[str, ChangedSince] = {}
    for record in log.records:
        at = log.time_of(record)
        if at is None or not record.counts or record.key in known:
            continue
        change = ChangedSince(at, record.actor or None)
        for section in record.sections:
            if section not in last or last[section].at <= change.at:
                last[section] = change
    return last


def first_reading(coverage: Iterable[Coverage]) -> datetime | None:
    """Return when the section was read that was read first; None for an org that is read now."""
    return min(
        (part.taken_at for part in coverage if part.taken_at is not None and part.state != "unread"), default=None
    )


def _marked(coverage: Coverage, change: ChangedSince | None) -> Coverage:
    read = coverage.taken_at if coverage.state != "unread" else None
    return coverage if change is None or read is None or change.at <= read else coverage._replace(changed_since=change)
