"""Reads complete lists page by page, finds the next page of a response, and refuses inconsistent lists.

Lists of settings must not change during the read: if a page overlaps, repeats, shrinks or contradicts ``total``, or if
``revision`` changes between two pages, the list is read once more, and is unread if it happens again. In lists of
users, users may be added or removed during the read; users who were present throughout are read exactly once.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

from rolecall.errors import OrgError
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.refusals import accepted, contract, decoded
from rolecall.live.http.transport import Request
from rolecall.model.live import Facts

Json = Any

_LINK = re.compile(r"\s*<([^>]*)>")
_PARAMETER = re.compile(r"\s*;\s*([^\s=;,\"]+)\s*(?:=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]*))?")
_NEXT_LINKS = frozenset({"@odata.nextlink", "@nextlink", "odata.nextlink"})
_SIGN = re.compile(r"next|more|cursor|continu|skip_?token|is_?last|end_?of", re.IGNORECASE)
_BACKWARDS = re.compile(r"prev|before|first|start", re.IGNORECASE)
_ENVELOPES = frozenset({"links", "_links", "paging", "pagination", "page", "pageinfo", "page_info", "meta", "metadata"})
_TOTALS = frozenset({"total", "totalcount", "total_count", "totalresults", "@odata.count", "@count", "x-total-count"})
_HEADER = re.compile(r"^(x-)?(ms-)?(next(-(page|cursor|link|token|url))?|continuation(-token)?|has-(more|next))$")
_PORTS = {"http": 80, "https": 443}


class Following(NamedTuple):
    """The next page according to a response: its URL as sent, or why it cannot be determined.

    Both are None on the last page.
    """

    link: str | None = None
    unknown: str | None = None


def following(headers: Mapping[str, str], body: Json) -> Following:
    """Return the next page of a response; header names are in lower case. Two different ones count as unknown."""
    links = link_targets(headers.get("link", ""))
    if links is None:
        return Following(unknown="its `Link` header cannot be parsed")
    odata = [str(link) for key, link in _items(body) if key.lower() in _NEXT_LINKS and link]
    targets = dict.fromkeys((*links, *odata))
    if len(targets) > 1:
        return Following(unknown="it has two next pages")
    if targets:
        return Following(next(iter(targets)))
    sign = next(signs(headers, body), None)
    return Following(unknown=None if sign is None else f"it has `{sign}`, which may mean a next page")


def link_targets(header: str) -> list[str] | None:
    """Return the targets of the links with ``rel=next`` in a ``Link`` header (RFC 8288 §3), as sent.

    Commas and semicolons in quoted values are part of the value. None for a header that is not a list of links.
    """
    targets: list[str] = []
    at = 0
    while header[at:].strip(" \t,"):
        at += len(header[at:]) - len(header[at:].lstrip(" \t,"))
        link = _LINK.match(header, at)
        if link is None:
            return None
        at, relations = _parameters(header, link.end())
        if header[at:].lstrip()[:1] not in ("", ","):
            return None
        if "next" in relations:
            targets.append(link[1].strip())
    return targets


def _parameters(header: str, at: int) -> tuple[int, list[str]]:
    """Return where the parameters of one link end, and its relation types in lower case. Only the first `rel`
    counts.
    """
    relations: list[str] | None = None
    while parameter := _PARAMETER.match(header, at):
        at = parameter.end()
        if parameter[1].lower() == "rel" and relations is None:
            relations = re.sub(r"\\(.)", r"\1", (parameter[2] or "").strip("\"'")).lower().split()
    return at, relations or []


def signs(headers: Mapping[str, str], body: Json, known: Collection[str] = ()) -> Iterator[str]:
    """Yield each header and key that may mean a next page, except the ``known`` keys of the body."""
    for name, value in headers.items():
        if _HEADER.match(name) and value.strip().lower() not in ("", "false", "0", "null"):
            yield name
    for key, value in _items(body):
        if key in known:
            continue
        if _points_on(key, value):
            yield key
        if key.lower() in _ENVELOPES:
            yield from (f"{key}.{inner}" for inner, nested in _items(value) if _points_on(inner, nested))


def more_than(headers: Mapping[str, str], body: Json, read: int) -> int | None:
    """Return the total in the response if it is more than the ``read`` rows, else None."""
    pairs = [*headers.items(), *_items(body)]
    totals = [_number(value) for key, value in pairs if key.lower() in _TOTALS]
    return max((total for total in totals if total is not None and total > read), default=None)


def within(base: str, path: str, link: str) -> str | None:
    """Return the path and query of a next link below ``base``, or None where it leads to another host or path.

    ``link`` may be relative to ``path``, the requested path. Hosts are compared without case, final dot and default
    port; the scheme may differ, as behind a proxy that terminates TLS, because the request goes to ``base`` anyway.
    """
    try:
        root, target = urlsplit(base), urlsplit(urljoin(base + path, link.strip()))
        same = _host(root) == _host(target)
    except ValueError:
        return None
    prefix = root.path.rstrip("/")
    if not same or not target.path.startswith(f"{prefix}/"):
        return None
    return target.path.removeprefix(prefix) + (f"?{target.query}" if target.query else "")


def _host(url: SplitResult) -> tuple[str, int | None]:
    """Return the host and port; the port is None when it is the default of the scheme."""
    port = None if url.port == _PORTS.get(url.scheme) else url.port
    return (url.hostname or "").rstrip("."), port


def _points_on(key: str, value: Json) -> bool:
    """Return whether a key with this value may mean that there is more."""
    if not _SIGN.search(key) or _BACKWARDS.search(key):
        return False
    if re.search(r"last|end", key, re.IGNORECASE):
        return value is False
    return value not in (None, False, 0, "", [], {})


def _number(value: Json) -> int | None:
    if isinstance(value, bool):
        return None
    return value if isinstance(value, int) else int(value) if isinstance(value, str) and value.isdecimal() else None


def _items(body: Json) -> list[tuple[str, Json]]:
    return [(str(key), value) for key, value in body.items()] if isinstance(body, dict) else []


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
