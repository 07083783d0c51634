"""Reads WRITER's export of audit events page by page, from a date or a cursor.

The export is documented without the form of its pages: records and cursor are looked up under the names that such lists
commonly use. A page in which they are not found is an error, never a page without records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from rolecall.codec.audit import in_range, plain_keys
from rolecall.codec.snapshot import moment_text
from rolecall.errors import OrgError
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.lists import Following, following
from rolecall.live.http.pace import Clock
from rolecall.live.http.refusals import AUDIT, body_json, contract, decoded, refusal
from rolecall.live.http.transport import Answer, Request
from rolecall.live.writer_api import writer_exchange

Json = Any

_LISTS = (
    "data",
    "events",
    "records",
    "rows",
    "items",
    "results",
    "result",
    "auditevents",
    "entries",
    "values",
    "content",
)
_CURSORS = ("cursor", "nextcursor", "next", "after", "nextpagetoken", "pagetoken", "continuationtoken", "continuation")
_MORE = ("hasmore", "more", "hasnext", "hasnextpage")
_ENVELOPES = ("paging", "pagination", "page", "pageinfo", "meta", "metadata", "links", "data", "result")
_ERRORS = ("error", "errors")
_REJECTED = frozenset({400, 404, 410, 416, 422})
"""Statuses for a cursor or a date that the export does not take."""
_DEEPEST = 60


class AuditPage(NamedTuple):
    """One page. ``cursor`` continues after it, None if there is none. ``more`` says whether records follow, None where
    the page does not say. ``skew`` is how far the server's clock is ahead of this machine's."""

    records: tuple[Json, ...]
    cursor: str | None
    more: bool | None
    skew: timedelta = timedelta()


class PositionRejected(OrgError):
    """The export does not take the cursor or the date: it expired, or is beyond the retention."""


class PageUnrecognized(OrgError):
    """A page in which no list of records is found; ``body`` is its JSON."""

    def __init__(self, request: Request, body: Json) -> None:
        problem = contract(request, "it has no list of records", AUDIT).problems[0]
        super().__init__(problem._replace(hint="to see its form: rolecall audit --shape"))
        self.body = body


class AuditExport:
    """The export of one organization, by its ID at WRITER."""

    def __init__(self, exchange: Exchange, writer: str, now: Callable[[], datetime]) -> None:
        self._exchange = exchange
        self._path = f"/api/observability/v1/organization/{quote(writer, safe='')}/audit/events/export"
        self._now = now

    async def page_since(self, start: datetime | None) -> AuditPage:
        """Return the first page from a date on, or from now. Raises PositionRejected, OrgError."""
        since = () if start is None else (("start_date", moment_text(start.astimezone(UTC).replace(microsecond=0))),)
        return await self._page((("order", "tail"), *since), positioned=start is not None)

    async def page_after(self, cursor: str) -> AuditPage:
        """Return the page after a cursor. Raises PositionRejected, OrgError."""
        return await self._page((("cursor", cursor),), positioned=True)

    async def close(self) -> None:
        """Release all connections."""
        await self._exchange.transport.close()

    async def _page(self, query: tuple[tuple[str, str], ...], *, positioned: bool) -> AuditPage:
        request = Request("GET", self._path, query)
        answer = await self._exchange.read(request)
        if not answer.ok:
            error = PositionRejected if positioned and answer.status in _REJECTED else OrgError
            raise error(refusal(request, answer, AUDIT))
        body = body_json(request, answer, AUDIT)
        page = decoded(request, lambda: decode_page(body), AUDIT)
        if page is None:
            raise PageUnrecognized(request, body)
        if page.cursor is None and page.more is None:
            page = page._replace(more=_points_on(answer, body))
        return page._replace(skew=self._skew(answer))

    def _skew(self, answer: Answer) -> timedelta:
        try:
            at = in_range(parsedate_to_datetime(answer.headers.get("date", "")))
        except (ValueError, OverflowError):
            return timedelta()
        return timedelta() if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)) - self._now()


def audit_export(
    writer: str,
    token: Callable[[], str],
    now: Callable[[], datetime],
    url: str | None = None,
    clock: Clock | None = None,
) -> AuditExport:
    """Return the export of an organization; ``url`` is that of a stand-in on this machine. Nothing is sent yet.

    Raises ConfigError for a URL that leads elsewhere.
    """
    return AuditExport(writer_exchange(token, url, AUDIT, clock), writer, now)


def decode_page(body: Json) -> AuditPage | None:
    """Return a page, or None where no list of records can be found in it. Raises ValueError for a wrong type,
    and for a page with errors."""
    records = _records(body)
    if records is None:
        return None
    if any(_is_too_deep(record) for record in records):
        raise ValueError("a record is nested too deeply")
    if any(_values(body, _ERRORS)):
        raise ValueError("it states errors, so it may lack records")
    cursor = next(filter(None, (_cursor_of(value) for value in _values(body, _CURSORS))), None)
    more = next((value for value in _values(body, _MORE) if isinstance(value, bool)), None)
    return AuditPage(tuple(records), cursor, more)


def _records(body: Json) -> list[Json] | None:
    """Return the list of records: the body itself, or under a usual name, at the top or one level below."""
    lists = (part.get(name) for part in _parts(body) for name in _LISTS)
    return next((value for value in (body, *lists) if isinstance(value, list)), None)


def _parts(body: Json) -> Iterator[dict[str, Json]]:
    """Yield the object of a page with plain keys, then its envelopes."""
    if not isinstance(body, dict):
        return
    plain = plain_keys(body)
    yield plain
    yield from (plain_keys(plain[name]) for name in _ENVELOPES if isinstance(plain.get(name), dict))


def _points_on(answer: Answer, body: Json) -> bool | None:
    """Return True for a page without a cursor that may have a next page, None if nothing in it shows one."""
    return any(following(answer.headers, part) != Following() for part in (body, *_parts(body))) or None


def _values(body: Json, names: tuple[str, ...]) -> Iterator[Json]:
    for part in _parts(body):
        yield from (part[name] for name in names if name in part)


def _cursor_of(value: Json) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def _is_too_deep(value: Json) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        nested = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
        level = [inner for parts in nested for inner in parts]
        if not level:
            return False
    return True
