"""Reads WRITER's usage data: the rows of all users of a month, from the consumption API.

Rows are ordered by cost, which changes while they are read. Pages that overlap, or whose total changes, are read again
from the first; rows that are not consistent after that are an error, never fewer users.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from rolecall.errors import OrgError
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.pace import Clock
from rolecall.live.http.refusals import USAGE, ReadRefused, accepted, contract, decoded
from rolecall.live.http.transport import Request
from rolecall.live.writer_api import writer_exchange
from rolecall.model.usage import UsageRow

Json = Any

PAGE: Final = 100
MOST_PAGES: Final = 20_000
ATTEMPTS: Final = 3
"""Reads of all rows from the first one, until their pages are consistent."""


class UsagePage(NamedTuple):
    """One page: rows by the user's ID at WRITER, in order, where it starts, and how many rows there are in total."""

    rows: tuple[tuple[str, UsageRow], ...]
    offset: int
    total: int


class _Shifted(OrgError):
    """The rows changed while they were read."""


class UsageData:
    """The usage data of one organization, by its ID at WRITER."""

    def __init__(self, exchange: Exchange, writer: str) -> None:
        self._exchange = exchange
        self._path = f"/api/billing/v1/organization/{quote(writer, safe='')}/consumption/breakdown/user"

    async def users(self, month: str) -> tuple[UsageRow, ...]:
        """Return the rows of all users of a month, such as ``2026-11``. Raises OrgError, SecretError."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._all(month)
            except _Shifted:
                continue
        return await self._all(month)

    async def first_page(self, month: str) -> UsagePage:
        """Return the first page of a month, to check the connection. Raises OrgError, SecretError."""
        return await self._page(month, 0)

    async def close(self) -> None:
        """Release all connections."""
        await self._exchange.transport.close()

    async def _all(self, month: str) -> tuple[UsageRow, ...]:
        users: dict[str, UsageRow] = {}
        page = await self._page(month, 0)
        total = page.total
        for _ in range(MOST_PAGES):
            before = len(users)
            users |= dict(page.rows)
            if page.total != total or len(users) != before + len(page.rows) or len(users) > total:
                raise self._shifted("its rows changed while they were read")
            if len(users) == total:
                return tuple(users.values())
            if not page.rows:
                raise self._shifted(f"its total is {total}, but it has {len(users)} rows")
            page = await self._page(month, len(users))
        raise self._shifted(f"it has more than {MOST_PAGES:,} pages")

    async def _page(self, month: str, offset: int) -> UsagePage:
        request = Request("GET", self._path, (("month", month), ("limit", str(PAGE)), ("offset", str(offset))))
        body = await self._body(request)
        page = decoded(request, lambda: decode_page(body), USAGE)
        if page.offset != offset:
            raise self._shifted(f"the page from row {offset} starts at row {page.offset}")
        return page

    async def _body(self, request: Request) -> Json:
        """Return the body of a page. The largest page is not documented: if this one is refused, the size is left to
        WRITER."""
        try:
            return accepted(request, await self._exchange.read(request), USAGE)
        except ReadRefused as error:
            if error.status not in (400, 422):
                raise
        shorter = request._replace(query=tuple(pair for pair in request.query if pair[0] != "limit"))
        return accepted(shorter, await self._exchange.read(shorter), USAGE)

    def _shifted(self, why: str) -> _Shifted:
        return _Shifted(*contract(Request("GET", self._path), why, USAGE).problems)


def usage_data(writer: str, token: Callable[[], str], url: str | None = None, clock: Clock | None = None) -> UsageData:
    """Return the usage data of an organization; ``url`` is that of a stand-in on this machine. Nothing is sent yet.

    Raises ConfigError for a URL that leads elsewhere.
    """
    return UsageData(writer_exchange(token, url, USAGE, clock), writer)


def decode_page(body: Json) -> UsagePage:
    """Return a page. Raises KeyError, TypeError and ValueError for anything else."""
    pagination = body["pagination"]
    records = tuple((_text(record["scope_id"]), _user_usage(record)) for record in _list(body["data"]))
    return UsagePage(records, _whole(pagination["offset"]), _whole(pagination["total"]))


def _user_usage(record: Json) -> UsageRow:
    name = record["scope_name"]
    if not (name is None or isinstance(name, str)):
        raise TypeError("`scope_name`")
    return UsageRow(name or "", _whole(record["total_tokens"]))


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("`data`")
    return value


def _text(value: Json) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise TypeError("`scope_id`")
    return str(value)


def _whole(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a number is missing or is not a whole number of 0 or more")
    return value
