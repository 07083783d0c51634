"""People, compact and in pages that can be read side by side; whom a search finds; what one person has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from rolecall.localorg.api.call import Call, check_parameters
from rolecall.localorg.api.lists import PARAMETERS, fetch, page_of, revision, streamed
from rolecall.localorg.api.search import wanted
from rolecall.localorg.api.user_columns import read_columns
from rolecall.localorg.store.keys import BUCKETS, bucket
from rolecall.localorg.store.state import access_of
from rolecall.localorg.store.tables import MEMBERSHIPS, USERS, AnyRow
from rolecall.localorg.web import Response, json_response, refuse

MAX_PARTITIONS = 64


def read_people(call: Call, tx: Connection) -> Response:
    """Everybody, each once with all their groups; ``partition=i/n`` is a list of its own, by hash of the id."""
    check_parameters(call, *PARAMETERS, "partition")
    part = call.query.get("partition")
    return _people(call, tx, None if part is None else _partition(part))


def search_people(call: Call, tx: Connection) -> Response:
    """The union of the parts that the body names, each person once."""
    check_parameters(call, *PARAMETERS)
    return _people(call, tx, wanted(call, tx))


def read_access(call: Call, tx: Connection) -> Response:
    """What one person has, each combo with its reasons, the winner first (R32)."""
    check_parameters(call)
    found = access_of(tx, call.params["id"])
    if found is None:
        raise refuse(404, "no_such_person", "This org has nobody under this id")
    combos = [
        {
            "team": granted.team,
            "role": granted.role,
            "reason": granted.reasons[0].source,
            "reasons": [reason._asdict() for reason in granted.reasons],
        }
        for granted in found.access.combos
    ]
    person = found.person
    body = {"id": person.id, "email": person.email, "org_admin": found.access.org_admin, "combos": combos}
    return json_response(200, body)


def _people(call: Call, tx: Connection, only: ColumnElement[bool] | None) -> Response:
    if call.request.columns:
        return Response(200, users=read_columns(tx, only))
    page = page_of(call)
    rows, count = _ROWS, select(func.count()).select_from(USERS)
    if only is not None:
        rows, count = rows.where(only), count.where(only)
    position = None if page.cursor is None else (bucket(page.cursor), page.cursor)
    found = fetch(tx, rows, (USERS.c.bucket, USERS.c.id), page, position)
    total = tx.execute(count).scalar_one()
    ids = [row.id for row in found.rows]
    return streamed(_texts(found.rows), ids, found.has_more, total, revision(tx, "people"))


def _partition(said: str) -> ColumnElement[bool]:
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})", said, re.ASCII)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (0 <= number < of <= MAX_PARTITIONS):
        words = f"`partition` must be i/n with 0 <= i < n <= {MAX_PARTITIONS}"
        raise refuse(422 if found else 400, "bad_parameter", words, field="partition")
    first, end = number * BUCKETS // of, (number + 1) * BUCKETS // of
    return and_(USERS.c.bucket >= first, USERS.c.bucket < end)


def _row_query() -> Select[Any]:
    separated: Callable[..., Any] = func.aggregate_strings
    groups = (
        select(separated(MEMBERSHIPS.c.group_id, ","))
        .where(MEMBERSHIPS.c.user_id == USERS.c.id)
        .scalar_subquery()
        .label("groups")
    )
    columns = ("id", "email", "origin", "active", "pending", "role_attribute", "manual")
    return select(*(USERS.c[name] for name in columns), groups)


_ROWS = _row_query()


def _texts(rows: Sequence[AnyRow]) -> Iterator[str]:
    """Each person as JSON text; what is not so is left out, but for origin, active and groups."""
    for user, email, origin, active, pending, attribute, manual, groups in rows:
        held = '","'.join(groups.split(",")) if groups else ""
        quoted = f'"{held}"' if held else ""
        text = (
            f'{{"id":"{user}","email":{encode_basestring(email)},"origin":"{origin}",'
            f'"active":{"true" if active else "false"},"groups":[{quoted}]'
        )
        if pending:
            text += ',"pending":true'
        if attribute is not None:
            text += f',"role_attribute":{encode_basestring(attribute)}'
        if manual != "[]":
            text += f',"manual":{manual}'
        yield text + "}"
