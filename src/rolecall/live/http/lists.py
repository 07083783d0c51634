"""Reads complete lists page by page, and refuses inconsistent ones.

Lists of settings must not change during the read: if a page overlaps, repeats, shrinks or contradicts ``total``, or if
``revision`` changes between two pages, the list is read once more, and is unread if it happens again. In lists of
users, users may be added or removed during the read; users who were present throughout are read exactly once.
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
"""Rows per page if the org does not state a larger limit."""
_ENVELOPE = frozenset({"data", "total", "has_more", "revision", "first_id", "last_id"})
LARGEST_PAGE = 10_000
SLACK = 10_000
"""Number of users that may be added while a list of users is read, beyond doubling it, before it counts as endless."""


def page_size(facts: Facts) -> int:
    """Return how many items to request at once: the org's limit, within reason."""
    return min(LARGEST_PAGE, max(1, facts.limits.get("page", PAGE)))


class Listing(NamedTuple):
    """A list that was read: its items, in order, and how many the org says there are."""

    items: list[Json]
    total: int


class Page(NamedTuple):
    """One page. ``keys`` are the items' ids, or names where an item has no id."""

    items: list[Json]
    keys: list[str]
    has_more: bool
    last: str | None
    total: int
    revision: str


class ListShifted(OrgError):
    """A list was inconsistent during the read."""


class Collector(Protocol):
    """Takes the items of a list page by page, so that they need not all be kept in memory."""

    def add(self, items: list[Json]) -> object:
        """Take the rows of one page. Raises OrgError for rows that do not follow the API contract."""


async def read_list(exchange: Exchange, request: Request, limit: int = PAGE, *, moving: bool = False) -> Listing:
    """Read all items of a list, and once more if it shifts. ``moving``: items may be added or removed during the read.

    Raises ListShifted if it shifts again, and OrgError if the org refuses or does not respond.
    """

    async def read() -> Listing:
        items: list[Json] = []
        return Listing(items, await _read_pages(exchange, request, limit, moving, items.extend))

    return await _twice(read)


async def collect(exchange: Exchange, request: Request, limit: int, fresh: Callable[[], C]) -> tuple[C, int]:
    """Read a list whose rows may change into a collector, and return it with the total that the org states.

    ``fresh`` makes the collector, again if the list shifts. Raises like ``read_list``.
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
    """Pass the rows of each page to ``take``; return the total of the last page."""
    count = 0
    keys: set[str] = set()
    first: Page | None = None
    after: str | None = None
    while True:
        page = await read_page(exchange, request, limit, after)
        first = first or page._replace(items=[], keys=[])
        count += len(page.items)
        keys.update(page.keys)
        _check(request, first, page, count, len(keys), moving)
        take(page.items)
        if not page.has_more:
            return page.total
        after = page.last


def _check(request: Request, first: Page, page: Page, count: int, distinct: int, moving: bool) -> None:
    """Raise ListShifted if the pages so far cannot be parts of one list."""
    still = page.revision == first.revision
    if count != distinct:
        raise _shifted(request, "an item is repeated")
    if page.has_more and (not page.items or page.last is None):
        raise _shifted(request, "a page has `has_more` but no item to continue after")
    if not still and not moving:
        raise _shifted(request, "it changed between two pages")
    if still and page.total != first.total:
        raise _shifted(request, f"its total changed from {first.total} to {page.total} without a new revision")
    if still and not page.has_more and count != page.total:
        raise _shifted(request, f"its total is {page.total}, but it has {count} items")
    if count > (page.total if still else 2 * max(first.total, page.total) + SLACK):
        raise _shifted(request, f"its total is {page.total}, but it has more items")


def _shifted(request: Request, why: str) -> ListShifted:
    return ListShifted(*contract(request, f"the list is inconsistent: {why}").problems)


async def read_page(exchange: Exchange, request: Request, limit: int, after: str | None) -> Page:
    """Read one page: the first, or the one after a cursor. Raises OrgError for one that does not follow the API
    contract.
    """
    cursor = () if after is None else (("after", after),)
    page_request = request._replace(query=(*request.query, ("limit", str(limit)), *cursor))
    answer = await exchange.read(page_request)
    body = accepted(page_request, answer)
    page = decoded(page_request, lambda: _page(body))
    sign = None if page.has_more else next(signs(answer.headers, body, _ENVELOPE), None)
    if sign is not None or (not page.has_more and following(answer.headers, None) != Following()):
        raise _shifted(request, f"the last page has `{sign or 'link'}`, which may mean a next page")
    return page


def _page(body: Json) -> Page:
    items, total, more = body["data"], body["total"], body["has_more"]
    if not isinstance(items, list) or not isinstance(total, int) or not isinstance(more, bool):
        raise TypeError("`data`, `total` or `has_more`")
    keys = [item["id"] if "id" in item else item["name"] for item in items]
    if not all(isinstance(key, str) for key in keys):
        raise TypeError("an id is not text")
    last = body.get("last_id") or (keys[-1] if keys else None)
    return Page(items, keys, more, last, total, str(body["revision"]))
