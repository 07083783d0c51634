"""Searches: filter, order and page in SQL, over one resource type or over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from scim2_models import InvalidCursorException, InvalidPathException, Resource, SearchRequest
from sqlalchemy import ColumnElement, Select, Text, and_, desc, func, literal, null, or_, select, true, union_all
from sqlalchemy.sql.selectable import Subquery

from rolecall.localorg.scim import groups
from rolecall.localorg.scim.documents import Stored
from rolecall.localorg.scim.filters import compile_filter
from rolecall.localorg.scim.groups import read_groups
from rolecall.localorg.scim.people import read_users
from rolecall.localorg.scim.shapes import SHAPES, JsonEntries, ScimSession, Shape, Term, names

MAX_OFFSET: Final = 2**31 - 1


class SearchResult(NamedTuple):
    """A page of a search; ``next`` and ``previous`` are positions for a cursor, None at the ends."""

    total: int
    page: list[Stored]
    next: dict[str, Any] | None = None
    previous: dict[str, Any] | None = None


class _Hits(NamedTuple):
    """Matching rows of kind, id and sort key; ``nullable`` if a row may lack the key."""

    rows: Subquery
    nullable: bool
    descending: bool


Model = type[Resource[Any]]


def search(
    session: ScimSession, models: dict[str, Model], request: SearchRequest[Any], position: Any = None
) -> SearchResult:
    """Return one page of the resources of some types, given with their models by name, as one collection.

    Raises InvalidFilterException, InvalidPathException and InvalidCursorException.
    """
    hits = _hits(session, models, request)
    total = session.tx.execute(select(func.count()).select_from(hits.rows)).scalar_one()
    if request.cursor is None:
        ordered = _ordered(session, hits, backwards=False)
        start = min((request.start_index or 1) - 1, MAX_OFFSET)
        rows = session.tx.execute(ordered.offset(start).limit(request.count)).all()
        return SearchResult(total, _load(session, rows))
    if request.count == 0:
        return SearchResult(total, [])
    return _by_cursor(session, hits, request.count, position)._replace(total=total)


def _hits(session: ScimSession, models: dict[str, Model], request: SearchRequest[Any]) -> _Hits:
    parts = [_part(session, SHAPES[name], model, request) for name, model in models.items()]
    rows = (parts[0] if len(parts) == 1 else union_all(*parts)).subquery("hits")
    return _Hits(rows, request.sort_by is not None, request.sort_order == SearchRequest.SortOrder.descending)


def _part(session: ScimSession, shape: Shape, model: Model, request: SearchRequest[Any]) -> Select[Any]:
    key = _sort_key(session, shape, model, request)
    query = select(literal(shape.name).label("kind"), shape.table.c.id.label("id"), key.label("key"))
    query = query.where(_shown(session, shape))
    if request.filter is None:
        return query
    return query.where(compile_filter(request.filter, model, shape, session.dialect))


def _shown(session: ScimSession, shape: Shape) -> ColumnElement[bool]:
    """Return the condition for what SCIM shows of a type: on the legacy endpoint teams too, as groups (R18)."""
    if shape.name == "Group" and session.endpoint() == "legacy":
        return or_(shape.shown, and_(groups.UNLINKED, groups.LISTED))
    return shape.shown


def _sort_key(session: ScimSession, shape: Shape, model: Model, request: SearchRequest[Any]) -> Term:
    if request.sort_by is None:
        created: Term = shape.table.c.created
        return created
    binding = request.sort_binding(model)
    if binding is None:
        return null().cast(Text)
    path = names(binding)
    if path[0] == shape.joined:
        raise InvalidPathException(path=str(request.sort_by), detail=f"Cannot sort on {str(request.sort_by)!r}")
    column = shape.column(path[0], path[1] if len(path) > 1 else None)
    if column is not None:
        return column
    if not binding.is_multivalued:
        return session.dialect.at(shape.table.c.folded, *path)
    return _first_entry(session, shape, path, bool(binding.sub_field_name))


def _first_entry(session: ScimSession, shape: Shape, path: tuple[str, ...], has_parts: bool) -> Term:
    """Return the value of the primary entry, or else of the first one (RFC 7644 §3.4.2.3)."""
    head, part = (path[:-1], path[-1]) if has_parts else (path, None)
    entries = JsonEntries(session.dialect, shape.table.c.folded, head, "sorted")
    order: list[ColumnElement[Any]] = [entries.rows.c.key]
    if has_parts:
        order.insert(0, desc(func.coalesce(session.dialect.at(entries.rows.c.value, "primary"), "") == "true"))
    chosen = select(entries.text(part)).select_from(entries.rows).correlate(shape.table).order_by(*order).limit(1)
    return chosen.scalar_subquery()


def _ordered(session: ScimSession, hits: _Hits, *, backwards: bool) -> Select[Any]:
    key, row_id = session.dialect.ordered(hits.rows.c.key), hits.rows.c.id
    order: list[ColumnElement[Any]] = [key.is_(None)] if hits.nullable else []
    order += [key, row_id]
    if hits.descending != backwards:
        order = [desc(term) for term in order]
    return select(hits.rows.c.kind, row_id, hits.rows.c.key).order_by(*order)


def _by_cursor(session: ScimSession, hits: _Hits, count: int | None, position: Any) -> SearchResult:
    direction, anchor = _read(position)
    backwards = direction == "previous"
    query = _ordered(session, hits, backwards=backwards)
    if anchor is not None:
        query = query.where(_beyond(session, hits, anchor, backwards=backwards))
    rows = list(session.tx.execute(query.limit(None if count is None else count + 1)))
    more = count is not None and len(rows) > count
    rows = rows[:count]
    if backwards:
        rows.reverse()
    if not rows:
        return SearchResult(0, [])
    first, last = (rows[0].key, rows[0].id), (rows[-1].key, rows[-1].id)
    before = more if backwards else _any(session, hits, first, backwards=True)
    after = _any(session, hits, last, backwards=False) if backwards else more
    return SearchResult(
        0,
        _load(session, rows),
        {"d": "next", "k": last[0], "i": last[1]} if after else None,
        {"d": "previous", "k": first[0], "i": first[1]} if before else None,
    )


def _read(position: Any) -> tuple[str, tuple[Any, str] | None]:
    if position is None:
        return "next", None
    try:
        direction, key, row_id = position["d"], position["k"], position["i"]
    except (TypeError, KeyError):
        raise InvalidCursorException from None
    if direction not in ("next", "previous") or not isinstance(row_id, str) or not isinstance(key, str | None):
        raise InvalidCursorException
    return direction, (key, row_id)


def _beyond(session: ScimSession, hits: _Hits, anchor: tuple[Any, str], *, backwards: bool) -> ColumnElement[bool]:
    """Return the condition for rows beyond an anchor in the order of the search; rows without a key sort last."""
    key, row_id = session.dialect.ordered(hits.rows.c.key), hits.rows.c.id
    at, place = anchor
    if hits.descending != backwards:
        if at is None:
            return or_(key.is_not(None), and_(key.is_(None), row_id < place))
        return or_(key < at, and_(key == at, row_id < place))
    if at is None:
        return and_(key.is_(None), row_id > place)
    later = or_(key > at, and_(key == at, row_id > place))
    return or_(later, key.is_(None)) if hits.nullable else later


def _any(session: ScimSession, hits: _Hits, anchor: tuple[Any, str], *, backwards: bool) -> bool:
    beyond = _beyond(session, hits, anchor, backwards=backwards)
    return session.tx.execute(select(true()).select_from(hits.rows).where(beyond).limit(1)).first() is not None


def _load(session: ScimSession, rows: Sequence[Any]) -> list[Stored]:
    read = {"User": read_users, "Group": read_groups}
    resources: dict[str, Stored] = {}
    for kind in {row.kind for row in rows}:
        ids = [row.id for row in rows if row.kind == kind]
        resources |= {stored.id: stored for stored in read[kind](session, ids)}
    return [resources[row.id] for row in rows]
