"""Read WRITER's audit log on from where it was read last, and say what is unknown of it.

Each page is stored before the next one is read, or everything is kept in memory for one command.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from rolecall.codec.audit import decode_record, is_other_organization, stored_record
from rolecall.codec.audit_table import is_documented
from rolecall.errors import Misuse, OrgError, Problem, RolecallError, SecretError, Where, did_you_mean
from rolecall.journal.port import AuditStore
from rolecall.live.audit import AuditPage, PageUnrecognized, PositionRejected
from rolecall.model.audit import CLOCKS, SUBJECTS, AuditLog, AuditPosition, AuditRecord, Gap, first_reading, marked
from rolecall.model.checkup import Check
from rolecall.model.console import NEWER_AUDIT_LOG
from rolecall.model.kinds import BY_SECTION
from rolecall.model.live import UNREAD, Coverage, Live, State
from rolecall.plan.dates import moment_words
from rolecall.plan.resolve import covers

OVERLAP = timedelta(days=1)
"""The time before the last reading from which a log is read again if its cursor was rejected."""
MOST_PAGES = 2_000
MOST_EMPTY = 3
"""Pages without records in a row, after which the log was read to its end if it does not say that there are more."""
MOST_ANNOUNCED = 20
"""The same if it says that there are more."""


class Export(Protocol):
    """An audit log that is read page by page."""

    async def page_since(self, start: datetime | None) -> AuditPage:
        """Return the first page from a date on, or from now. Raises PositionRejected, OrgError."""

    async def page_after(self, cursor: str) -> AuditPage:
        """Return the page after a cursor. Raises PositionRejected, OrgError."""


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """One reading of the log of ``writer``, from ``start`` if it was not read before; ``now`` is the clock.

    ``known`` is what a store has. With ``store``, the records of each page are added to it, and the position advances.
    """

    export: Export
    writer: str
    start: datetime
    now: Callable[[], datetime]
    known: AuditLog = AuditLog((), UNREAD)
    store: AuditStore | None = None


def known_log(store: AuditStore | None, writer: str, since: datetime | None = None, text: str = "") -> AuditLog:
    """Return what a store has of a log, from a moment on, of records that have a text in them. Raises JournalError."""
    if store is None:
        return AuditLog((), UNREAD)
    records = (decode_record(json.loads(record.body)) for record in store.records(writer, since, text))
    return AuditLog(tuple(records), UNREAD, store.position(writer))


def check_address(pattern: str, log: AuditLog) -> None:
    """Raise Misuse for an address that no record can have. A pattern for the section itself may match any.

    An org's own log may have records about more than settings, teams and users; these are known as well.
    """
    section, slash, _ = pattern.partition("/")
    if any(mark in section for mark in "*?["):
        return
    known = dict.fromkeys((*SUBJECTS, *(name for record in log.records for name in record.sections)))
    if section not in known:
        hint = did_you_mean(section, known) or f"start it with one of: {', '.join(known)}"
        raise Misuse(Problem("address", f"no record is about `{pattern}`", None, hint))
    if slash and not (section in BY_SECTION and BY_SECTION[section].keyed):
        hint = f"for all records about it: rolecall audit --address {section}"
        raise Misuse(Problem("address", f"records about `{section}` name no entries in their address", None, hint))


def about(pattern: str, record: AuditRecord) -> bool:
    """Return whether a record is about an address, a pattern of addresses, or an entry of a section."""
    return any(covers((pattern, f"{pattern}/*"), address) for address in record.addresses)


async def read_log(request: AuditRequest) -> AuditLog:
    """Read to the end of the log. If that fails, the coverage has the reason, and what was read before it counts."""
    reader = _Reader(request)
    try:
        await reader.read()
    except (OrgError, SecretError) as error:
        reader.fail(error.problems[0])
        reader.body = error.body if isinstance(error, PageUnrecognized) else None
    return reader.log()


async def examine_audit(export: Export, writer: str, start: datetime) -> Check:
    """Check, where the section `audit` is configured, that the first page of the log from a date on can be read, and
    that its records are those of ``writer``.

    The commands run without the log and state what is unknown, so a failure is a warning. Nothing is stored.
    """
    try:
        page = await _first_page(export, start)
    except RolecallError as error:
        failures = (problem._replace(severity="warning", hint=problem.hint or _REFUSED) for problem in error.problems)
        return Check("audit", problems=tuple(failures))
    decoded = [*map(decode_record, page.records)]
    if (problem := other_organization(decoded, writer)) is not None:
        return Check("audit", problems=(problem._replace(severity="warning"),))
    unrecognized = [record for record in decoded if record.unrecognized]
    problems = (unrecognized_problem(unrecognized),) if unrecognized else ()
    records = "1 record" if len(page.records) == 1 else f"{len(page.records):,} records"
    return Check("audit", f"WRITER's audit log can be read: {records} on the first page", problems)


_REFUSED = "check that `audit.writer` is the ID of your organization at WRITER"


async def _first_page(export: Export, start: datetime) -> AuditPage:
    """Return the first page from a date on; from now if that is beyond the retention."""
    try:
        return await export.page_since(start)
    except PositionRejected:
        return await export.page_since(None)


@dataclass(slots=True)
class _Reader:
    """Reads pages, from the first to the end of the log."""

    request: AuditRequest
    records: dict[str, AuditRecord] = field(init=False)
    position: AuditPosition | None = field(init=False)
    pages: int = 0
    skew: timedelta = timedelta()
    problem: str | None = None
    where: Where | None = None
    body: Any = None

    def __post_init__(self) -> None:
        self.records = {record.key: record for record in self.request.known.records}
        self.position = self.request.known.position

    async def read(self) -> None:
        """Read all pages. Raises OrgError, SecretError; the pages before it were taken."""
        page, cursors, empty = await self._first(), set[str](), 0
        while True:
            self._take(page)
            empty = 0 if page.records else empty + 1
            if page.cursor is None or page.more is False or not self._continues(page, cursors, empty):
                self.problem = self.problem or self._unfinished(page)
                self._end()
                return
            cursors.add(page.cursor)
            page = await self.request.export.page_after(page.cursor)

    def fail(self, problem: Problem) -> None:
        """Record why the log was not read to its end."""
        self.problem = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
        self.where = problem.where

    def log(self) -> AuditLog:
        """Return all records, oldest first."""
        now = self.request.now()
        ordered = tuple(sorted(self.records.values(), key=lambda record: (record.at or now, record.key)))
        state: State = "complete" if self.problem is None else "partial" if self.pages else "unread"
        coverage = Coverage(state, read=len(ordered), problem=self.problem)
        return AuditLog(ordered, coverage, self.position, self.skew, self.where, self.body)

    async def _first(self) -> AuditPage:
        """Return the first page after what is known; from the start if nothing is, or not so far back."""
        known, request = self.position, self.request
        if known is None or request.start < known.since:
            return await self._from(request.start, request.start)
        if not known.cursor:
            return await request.export.page_since(known.read_at - OVERLAP)
        try:
            return await request.export.page_after(known.cursor)
        except PositionRejected:
            return await self._from(known.read_at - OVERLAP, known.read_at)

    async def _from(self, start: datetime, unknown_from: datetime) -> AuditPage:
        """Return the first page from a date on, and note the gap if records after ``unknown_from`` may be missing."""
        now, before = self.request.now(), self.position
        try:
            page = await self.request.export.page_since(start)
        except PositionRejected:
            page = await self.request.export.page_since(None)
            gap: Gap | None = Gap(unknown_from, now)
        else:
            gap = None if before is None or start == self.request.start else self._gap_before(page, unknown_from, now)
        gaps = tuple(gap for gap in (before.gaps if before else ()) if gap.end > self.request.start)
        since = start if before is None or start < before.since else before.since
        ended_at = before.ended_at if before is not None and since == before.since else None
        self.position = AuditPosition("", since, now, (*gaps, gap) if gap else gaps, ended_at)
        return page

    def _gap_before(self, page: AuditPage, unknown_from: datetime, now: datetime) -> Gap | None:
        """Return the gap before a page; None if it has a record that is known, or one from before the gap."""
        records = [decode_record(raw) for raw in page.records]
        times = [record.at for record in records if record.at is not None]
        if any(record.key in self.records for record in records) or any(at <= unknown_from for at in times):
            return None
        return Gap(unknown_from, min(times, default=now))

    def _take(self, page: AuditPage) -> None:
        """Take the records of a page; store them with the position after it. Raises OrgError for another org's."""
        request, now, decoded = self.request, self.request.now(), [*map(decode_record, page.records)]
        if (problem := other_organization(decoded, request.writer)) is not None:
            raise OrgError(problem)
        new = {record.key: record for record in decoded if record.key not in self.records}
        before = self.position or AuditPosition("", request.start, now)
        position = before._replace(cursor=page.cursor or before.cursor, read_at=now)
        if request.store is not None:
            request.store.store(request.writer, [stored_record(r, now) for r in new.values()], position, now)
        self.records |= new
        self.position, self.skew, self.pages = position, page.skew, self.pages + 1

    def _end(self) -> None:
        """Record that the log was read to its end, unless something of it is missing."""
        if self.problem is not None or self.position is None:
            return
        now = self.request.now()
        self.position = self.position._replace(ended_at=now)
        if self.request.store is not None:
            self.request.store.store(self.request.writer, (), self.position, now)

    def _continues(self, page: AuditPage, cursors: set[str], empty: int) -> bool:
        """Return whether the page after this one is to be read."""
        if page.cursor in cursors:
            self.problem = "its pages repeat" if page.records or page.more else None
            return False
        if self.pages >= MOST_PAGES:
            self.problem = f"it has more than {MOST_PAGES:,} pages"
            return False
        return empty < (MOST_ANNOUNCED if page.more else MOST_EMPTY)

    def _unfinished(self, page: AuditPage) -> str | None:
        return "a page announces more records without a way to read them" if page.more else None


def other_organization(records: Iterable[AuditRecord], writer: str) -> Problem | None:
    """Return the problem of records that state another organization than ``writer``; None if none does."""
    stated = next((r.organization for r in records if is_other_organization(r.organization, writer)), None)
    if stated is None:
        return None
    message = f"the records are those of organization {stated}, but `audit.writer` is {writer}"
    hint = "set `audit.writer` to the organization of this org, and use a key that belongs to it"
    return Problem("audit_other_org", message, None, hint)


def mark_changes(
    live: Live, log: AuditLog, now: datetime, known: Collection[str] = ()
) -> tuple[Live, tuple[Problem, ...]]:
    """Return the org with the sections marked that were changed after they were read, and what is unknown about it.

    ``known`` are the keys of records of changes that the org's file has.

    Of an org that is read now, nothing can have changed since; records that were not recognized are counted even so.
    """
    first = first_reading(live.coverage.values())
    if first is None:
        unread = unread_problem(log)
        return live, (*((unread._replace(severity="warning"),) if unread else ()), *uncertain_problems(log.records))
    return marked(live, log, known), tuple(unknown_changes(log, first, now))


def unknown_changes(log: AuditLog, since: datetime, now: datetime) -> Iterator[Problem]:
    """Yield warnings about changes after a moment that the log may not show."""
    if (unread := unread_problem(log)) is not None:
        yield unread._replace(severity="warning")
    yield from gap_problems(log, since, now)
    yield from uncertain_problems(record for record in log.records if record.at is None or record.at > since)


def uncertain_problems(records: Iterable[AuditRecord]) -> Iterator[Problem]:
    """Yield warnings about records that may be about anything: those that cannot be evaluated, and those with an action
    that is not documented."""
    records = tuple(records)
    if unrecognized := [record for record in records if record.unrecognized]:
        yield unrecognized_problem(unrecognized)
    unlisted = sum(record.counts and not is_documented(record.area, record.action) for record in records)
    if unlisted:
        count, actions, they = (
            ("1 record", "has an action that is", "it")
            if unlisted == 1
            else (f"{unlisted:,} records", "have actions that are", "they")
        )
        message = f"{count} of the audit log {actions} not documented by WRITER, so it is unknown what {they} changed"
        yield Problem("audit_unlisted", message, None, "to list all records: rolecall audit", "warning")


def unread_problem(log: AuditLog) -> Problem | None:
    """Return why the log was not read to its end; None if it was."""
    if log.unread is None:
        return None
    severe = log.coverage.state == "unread"
    return Problem("audit_unread", log.unread, log.where, _UNKNOWN, "error" if severe else "warning")


_UNKNOWN = "changes since it was last read are unknown"


def gap_problems(log: AuditLog, since: datetime, now: datetime) -> Iterator[Problem]:
    """Yield a warning for each period after a moment whose records may be missing."""
    position = log.position
    if position is None:
        return
    first = [Gap(since, position.since)] if position.since - since > CLOCKS else []
    for gap in (*first, *position.gaps):
        if gap.end > since:
            period = f"from {moment_words(gap.start)} to {moment_words(min(gap.end, now))}"
            message = f"the audit log may lack records {period}"
            hint = f"compare with the console ({NEWER_AUDIT_LOG}), or read the org again"
            yield Problem("audit_gap", message, None, hint, "warning")


def unrecognized_problem(records: Sequence[AuditRecord]) -> Problem:
    """Return a warning about records that cannot be evaluated, with the reasons."""
    reasons = ", ".join(f"{reason}: {number:,}" for reason, number in sorted(_reasons(records).items()))
    count = "1 record" if len(records) == 1 else f"{len(records):,} records"
    message = f"{count} of the audit log could not be evaluated ({reasons})"
    they, their = ("it", "its") if len(records) == 1 else ("they", "their")
    hint = f"what {they} changed is unknown. To see {their} form: rolecall audit --shape"
    return Problem("audit_unrecognized", message, None, hint, "warning")


def _reasons(records: Iterable[AuditRecord]) -> Counter[str]:
    return Counter(record.unrecognized for record in records)
