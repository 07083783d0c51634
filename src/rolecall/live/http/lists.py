"""Reads a list of the contract whole, page by page, and does not believe one that contradicts itself.

Settings lists must hold still: a page that overlaps, repeats, shrinks or contradicts ``total``, or a ``revision`` that
moved between two pages, means the list is read once more, and is unread if it happens again. In lists of people
somebody may come or go meanwhile; whoever was there throughout is seen exactly once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from rolecall.errors import OrgError
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.pages import Following, following, signs
from rolecall.live.http.refusals import accepted, contract, decoded
from rolecall.live.http.transport import Request
from rolecall.model.live import Facts

Json = Any
T = TypeVar("T")
C = TypeVar("C", bound="Collector")
PAGE = 100
"""Rows of a page where the org does not say that it takes more."""
_ENVELOPE = frozenset({"data", "total", "has_more", "revision", "first_id", "last_id"})
LARGEST_PAGE = 10_000
SLACK = 10_000
"""How many people may come while a list of people is read, beyond as many as there were, before it has no end."""


def page_size(facts: Facts) -> int:
    """How many rows to ask for at once: as many as the org says it takes, within reason."""
    return min(LARGEST_PAGE, max(1, facts.limits.get("page", PAGE)))


class Listing(NamedTuple):
    """A list as it was read: its rows, in order, and how many the org says there are."""

    rows: list[Json]
    total: int


class Page(NamedTuple):
    """One page. ``keys`` are the rows' ids (names where a row has no id)."""

    rows: list[Json]
    keys: list[str]
    has_more: bool
    last: str | None
    total: int
    revision: str


class ListShifted(OrgError):
    """A list contradicted itself while it was read."""


class Collector(Protocol):
    """Takes the rows of a list page by page, so that they need not all be kept."""

    def add(self, rows: list[Json]) -> object:
        """Take the rows of one page. Raises OrgError for rows that are not as the contract says."""


async def read_list(exchange: Exchange, request: Request, limit: int = PAGE, *, moving: bool = False) -> Listing:
    """All rows of a list, trying once more when it shifts. ``moving``: its rows may come and go meanwhile.

    Raises ListShifted when it shifts again, and OrgError when the org refuses or does not answer.
    """

    async def read() -> Listing:
        rows: list[Json] = []
        return Listing(rows, await _read_pages(exchange, request, limit, moving, rows.extend))

    return await _twice(read)


async def collect(exchange: Exchange, request: Request, limit: int, fresh: Callable[[], C]) -> tuple[C, int]:
    """Read a list whose rows may come and go into a collector, and return it with the total that the org states.

    ``fresh`` makes the collector, once more when the list shifts. Raises as ``read_list``.
    """

    async def read() -> tuple[C, int]:
        collector = fresh()
        return collector, await _read_pages(exchange, request, limit, True, collector.add)

    return await _twice(read)


async def _twice(read: Callable[[], Awaitable[T]]) -> T:
    try:
        return await read()
    except ListShifted:
        return await read()


async def _read_pages(
    exchange: Exchange, request: Request, limit: int, moving: bool, take: Callable[[list[Json]], object]
) -> int:
    """Hand the rows of each page to ``take``; return the total of the last page."""
    count = 0
    seen: set[str] = set()
    first: Page | None = None
    after: str | None = None
    while True:
        page = await read_page(exchange, request, limit, after)
        first = first or page._replace(rows=[], keys=[])
        count += len(page.rows)
        seen.update(page.keys)
        _check(request, first, page, count, len(seen), moving)
        take(page.rows)
        if not page.has_more:
            return page.total
        after = page.last


def _check(request: Request, first: Page, page: Page, count: int, distinct: int, moving: bool) -> None:
    """Raise ListShifted when the pages so far cannot be parts of one list."""
    still = page.revision == first.revision
    if count != distinct:
        raise _shifted(request, "a row came twice")
    if page.has_more and (not page.rows or page.last is None):
        raise _shifted(request, "a page says that there is more, but not where")
    if not still and not moving:
        raise _shifted(request, "it changed between two pages")
    if still and page.total != first.total:
        raise _shifted(request, f"its total was {first.total}, then {page.total}, though it says nothing changed")
    if still and not page.has_more and count != page.total:
        raise _shifted(request, f"it says that there are {page.total}, and shows {count}")
    if count > (page.total if still else 2 * max(first.total, page.total) + SLACK):
        raise _shifted(request, f"it says that there are {page.total}, and shows more than that")


def _shifted(request: Request, why: str) -> ListShifted:
    return ListShifted(*contract(request, f"not with one whole list: {why}").problems)


async def read_page(exchange: Exchange, request: Request, limit: int, after: str | None) -> Page:
    """Read one page, the first or the one after a cursor. Raises OrgError for one that is not as the contract says."""
    cursor = () if after is None else (("after", after),)
    asked = request._replace(query=(*request.query, ("limit", str(limit)), *cursor))
    answer = await exchange.read(asked)
    body = accepted(asked, answer)
    page = decoded(asked, lambda: _page(body))
    sign = None if page.has_more else next(signs(answer.headers, body, _ENVELOPE), None)
    if sign is not None or (not page.has_more and following(answer.headers, None) != Following()):
        raise _shifted(request, f"it says that there is no more, and has `{sign or 'link'}`")
    return page


def _page(body: Json) -> Page:
    rows, total, more = body["data"], body["total"], body["has_more"]
    if not isinstance(rows, list) or not isinstance(total, int) or not isinstance(more, bool):
        raise TypeError("`data`, `total` or `has_more`")
    keys = [row["id"] if "id" in row else row["name"] for row in rows]
    if not all(isinstance(key, str) for key in keys):
        raise TypeError("an id is not text")
    last = body.get("last_id") or (keys[-1] if keys else None)
    return Page(rows, keys, more, last, total, str(body["revision"]))
