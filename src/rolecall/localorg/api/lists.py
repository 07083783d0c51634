"""Lists in the style of WRITER's public API: limit, after, before, order; with total and revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, tuple_

from rolecall.localorg.api.call import Call, check_parameters
from rolecall.localorg.store import counters
from rolecall.localorg.store.tables import AnyRow
from rolecall.localorg.web import JSON_TYPE, Response, dump, refuse

DEFAULT_LIMIT = 50
PARAMETERS = ("limit", "after", "before", "order")


class Page(NamedTuple):
    """The rows that a request selects."""

    limit: int
    cursor: str | None
    backwards: bool
    order: Literal["asc", "desc"]

    @property
    def descending(self) -> bool:
        return (self.order == "desc") != self.backwards


class Rows(NamedTuple):
    """The rows of a page, in the requested order, and whether there are more beyond it."""

    rows: list[AnyRow]
    has_more: bool


def page_of(call: Call) -> Page:
    """Return the page that a query selects. Raises Refusal 400."""
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
    text = call.query.get("limit", str(min(DEFAULT_LIMIT, call.org.page_limit)))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
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
    """Fetch one page of a query by its key columns; ``position`` is the cursor's position in them."""
    if position is not None:
        at, anchor = tuple_(*key), tuple_(*position)
        rows = rows.where(at < anchor if page.descending else at > anchor)
    order = [column.desc() if page.descending else column.asc() for column in key]
    fetched = list(tx.execute(rows.order_by(*order).limit(page.limit + 1)).all())
    page_rows = fetched[: page.limit]
    return Rows(page_rows[::-1] if page.backwards else page_rows, len(fetched) > page.limit)


def list_table(
    call: Call,
    tx: Connection,
    name: str,
    rows: Select[Any],
    key: ColumnElement[str],
    item: Callable[[AnyRow], dict[str, Any]],
) -> Response:
    """Answer with one page of a query over a small table, in the order of ``key``, whose values are ids and cursors."""
    check_parameters(call, *PARAMETERS)
    page = page_of(call)
    position = None if page.cursor is None else (page.cursor,)
    return list_response(tx, name, rows, key, item, fetch(tx, rows, (key,), page, position))


def list_response(
    tx: Connection,
    name: str,
    rows: Select[Any],
    id_column: ColumnElement[str],
    item: Callable[[AnyRow], dict[str, Any]],
    fetched: Rows,
) -> Response:
    """Answer with the rows of a page as items, and with the total number of rows of the query."""
    total = tx.execute(rows.with_only_columns(func.count(), maintain_column_froms=True)).scalar_one()
    ids = [getattr(row, str(id_column.key)) for row in fetched.rows]
    return streamed((dump(item(row)) for row in fetched.rows), ids, fetched.has_more, total, revision(tx, name))


def revision(tx: Connection, name: str) -> str:
    """Return the revision of a list: it changes whenever the list does."""
    return str(counters.value(tx, name))


def streamed(texts: Iterable[str], ids: Sequence[str], more: bool, total: int, at: str) -> Response:
    """Return a list whose items are JSON texts, sent in pieces of about 256 KiB."""
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
