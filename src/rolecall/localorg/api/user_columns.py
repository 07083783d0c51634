"""Users as columns, straight from SQL, for a caller in this process: what the list of users says, without its JSON."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, count
from operator import sub
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, not_, select, true

from rolecall.codec.people import UserColumns
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS

_BATCH = 5_000
"""Rows that are fetched at once."""

_PLAIN = and_(
    USERS.c.origin == "scim",
    USERS.c.active == true(),
    USERS.c.pending == false(),
    USERS.c.role_attribute.is_(None),
    USERS.c.manual == "[]",
)


def read_columns(tx: Connection, only: ColumnElement[bool] | None) -> UserColumns:
    """Return the users whom a condition over ``users`` selects, all with None, in the order of their list."""
    by_list = _where(select(USERS.c.id), only).order_by(USERS.c.bucket, USERS.c.id)
    ids = [user for (users,) in _batches(tx, by_list) for user in users]
    places = dict(zip(ids, count()))
    groups = tx.execute(select(GROUPS.c.id).order_by(GROUPS.c.pushed.desc(), GROUPS.c.id)).scalars().all()
    offsets, members = _memberships(tx, only, places, groups)
    return UserColumns(ids, _emails(tx, only, places), groups, offsets, members, _uncommon(tx, only, places))


def _emails(tx: Connection, only: ColumnElement[bool] | None, places: Mapping[str, int]) -> list[str]:
    """Return the addresses of users by their places. They are read in the order of the table, as to look each user up
    takes twice as long."""
    emails = [""] * len(places)
    for ids, addresses in _batches(tx, _where(select(USERS.c.id, USERS.c.email), only)):
        for place, email in zip(map(places.__getitem__, ids), addresses, strict=True):
            emails[place] = email
    return emails


def _memberships(
    tx: Connection, only: ColumnElement[bool] | None, places: Mapping[str, int], groups: Sequence[str]
) -> tuple[array[int], array[int]]:
    """Return the offsets and the groups of users by their places. They are read by the id of the user, and then put
    in order."""
    ids: Any = func.aggregate_strings(MEMBERSHIPS.c.group_id, ",")
    query = select(MEMBERSHIPS.c.user_id, func.count(), ids).group_by(MEMBERSHIPS.c.user_id)
    if only is not None:
        query = query.where(MEMBERSHIPS.c.user_id.in_(select(USERS.c.id).where(only)))
    numbers = dict(zip(groups, count()))
    memberships = array("I")
    starts, ends = array("I", [0]) * len(places), array("I", [0]) * len(places)
    end = 0
    for users, sizes, texts in _batches(tx, query):
        memberships.extend(map(numbers.__getitem__, ",".join(texts).split(",")))
        for place, size in zip(map(places.__getitem__, users), sizes, strict=True):
            starts[place] = end
            end += size
            ends[place] = end
    members = array("I")
    for start, end in zip(starts, ends, strict=True):
        members.extend(memberships[start:end])
    return array("I", accumulate(map(sub, ends, starts), initial=0)), members


def _uncommon(
    tx: Connection, only: ColumnElement[bool] | None, places: Mapping[str, int]
) -> dict[int, Mapping[str, Any]]:
    columns = ("id", "origin", "active", "pending", "role_attribute", "manual")
    query = _where(select(*(USERS.c[name] for name in columns)).where(not_(_PLAIN)), only)
    rows = sorted((places[row.id], row) for row in tx.execute(query))
    return {place: {name: getattr(row, name) for name in columns[1:]} for place, row in rows}


def _batches(tx: Connection, query: Select[Any]) -> Iterator[tuple[tuple[Any, ...], ...]]:
    """Yield the columns of some rows at a time."""
    for batch in tx.execute(query, execution_options={"yield_per": _BATCH}).partitions():
        yield tuple(zip(*batch, strict=True))


def _where(query: Select[Any], only: ColumnElement[bool] | None) -> Select[Any]:
    return query if only is None else query.where(only)
