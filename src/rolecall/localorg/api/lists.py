"""Lists in the style of WRITER's public API: limit, after, before, order; with total and revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, tuple_

from rolecall.localorg.api.call import Call
from rolecall.localorg.store import counters
from rolecall.localorg.store.tables import AnyRow
from rolecall.localorg.web import JSON_TYPE, Response, dump, refuse

DEFAULT_LIMIT = 50
PARAMETERS = ("limit", "after", "before", "order")


class Page(NamedTuple):
    """Which rows are asked for."""

    limit: int
    cursor: str | None
    backwards: bool
    order: Literal["asc", "desc"]

    @property
    def descending(self) -> bool:
        return (self.order == "desc") != self.backwards


class Rows(NamedTuple):
    """The rows of a page, in the order asked for, and whether there are more beyond it."""

    rows: list[AnyRow]
    has_more: bool


def page_of(call: Call) -> Page:
    """The page that a query asks for. Raises Refusal 400."""
    query = call.query
    if "after" in query and "before" in query:
        raise refuse(422, "two_cursors", "Give `after` or `before`, not both", field="before")
    order = query.get("order", "asc")
    if order not in ("asc", "desc"):
        raise refuse(400, "bad_parameter", "`order` must be asc or desc", field="order")
    cursor = query.get("after", query.get("before"))
    if cursor is not None and not 0 < len(cursor) <= 300:
        raise refuse(400, "bad_cursor", "The cursor is not one that this org gave out")
    return Page(_limit(call), cursor, "before" in query, "desc" if order == "desc" else "asc")


def _limit(call: Call) -> int:
    said = call.query.get("limit", str(min(DEFAULT_LIMIT, call.org.page_limit)))
    limit = int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0
    if not 1 <= limit <= call.org.page_limit:
        most = call.org.page_limit
        raise refuse(400, "bad_parameter", f"`limit` must be a whole number from 1 to {most}", field="limit")
    return limit


def fetch(
    tx: Connection,
    rows: Select[Any],
    key: Sequence[ColumnElement[Any]],
    page: Page,
    position: Sequence[Any] | None,
) -> Rows:
    """One page of a query by its key columns; ``position`` is the cursor's place in them."""
    if position is not None:
        at, here = tuple_(*key), tuple_(*position)
        rows = rows.where(at < here if page.descending else at > here)
    order = [column.desc() if page.descending else column.asc() for column in key]
    found = list(tx.execute(rows.order_by(*order).limit(page.limit + 1)).all())
    kept = found[: page.limit]
    return Rows(kept[::-1] if page.backwards else kept, len(found) > page.limit)


def list_response(
    tx: Connection, name: str, items: Sequence[dict[str, Any]], ids: Sequence[str], more: bool, total: int
) -> Response:
    """A list of items that are small and few."""
    return streamed(map(dump, items), ids, more, total, revision(tx, name))


def revision(tx: Connection, name: str) -> str:
    """The revision of a list: it changes whenever the list does."""
    return str(counters.value(tx, name))


def streamed(texts: Iterable[str], ids: Sequence[str], more: bool, total: int, at: str) -> Response:
    """A list whose items are JSON texts, sent in pieces of about 256 KiB."""
    tail = {
        "has_more": more,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "total": total,
        "revision": at,
    }
    return Response(200, (("Content-Type", JSON_TYPE),), _pieces(texts, dump(tail)))


def _pieces(texts: Iterable[str], tail: str) -> Iterator[bytes]:
    piece: list[str] = ['{"data":[']
    size, separator = 0, ""
    for text in texts:
        piece.append(separator + text)
        separator = ","
        size += len(text)
        if size > 262_144:
            yield "".join(piece).encode()
            piece, size = [], 0
    yield "".join((*piece, "],", tail[1:])).encode()
