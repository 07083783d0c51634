"""Users as columns, straight from SQL, for a caller in this process: the list of users without its JSON."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, count
from operator import sub
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, literal_column, not_, select, true

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
_ROWID: ColumnElement[int] = literal_column("users.rowid")


def read_columns(tx: Connection, only: ColumnElement[bool] | None) -> UserColumns:
    """Return the users whom a condition over ``users`` selects, all with None, in the order of their list.

    SQL reads each table in the order that is quickest there, so each column comes with a key of the user, and is put
    in order here. In SQLite that is the number of the row: small numbers are looked up several times faster than ids.
    """
    key, key_of_member = _keys(tx)
    ids: list[str] = []
    keys: list[Any] = []
    for some_ids, some_keys in _batches(tx, _where(select(USERS.c.id, key), only).order_by(USERS.c.bucket, USERS.c.id)):
        ids += some_ids
        keys += some_keys
    place = _places(keys)
    emails = [""] * len(ids)
    for some_keys, addresses in _batches(tx, _where(select(key, USERS.c.email), only)):
        for number, email in zip(map(place, some_keys), addresses, strict=True):
            emails[number] = email
    groups = tx.execute(select(GROUPS.c.id).order_by(GROUPS.c.pushed.desc(), GROUPS.c.id)).scalars().all()
    query = select(key_of_member, func.count(), _CONCATENATED).group_by(MEMBERSHIPS.c.user_id)
    if only is not None:
        query = query.where(MEMBERSHIPS.c.user_id.in_(select(USERS.c.id).where(only)))
    offsets, members = _memberships(_batches(tx, query), place, len(ids), groups)
    return UserColumns(ids, emails, groups, offsets, members, _uncommon(tx, only, key, place))


_aggregate: Callable[..., Any] = func.aggregate_strings
_CONCATENATED = _aggregate(MEMBERSHIPS.c.group_id, ",")


def _keys(tx: Connection) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the key of a user in ``users``, and in ``memberships``."""
    if tx.dialect.name != "sqlite":
        return USERS.c.id, MEMBERSHIPS.c.user_id
    return _ROWID, select(_ROWID).where(USERS.c.id == MEMBERSHIPS.c.user_id).scalar_subquery()


def _places(keys: Sequence[Any]) -> Callable[[Any], int]:
    """Return what gives the place of a key in this sequence."""
    if not keys or not isinstance(keys[0], int) or min(keys) < 0 or max(keys) > 8 * len(keys):
        return dict(zip(keys, count())).__getitem__
    places = array("I", [0]) * (max(keys) + 1)
    for place, key in enumerate(keys):
        places[key] = place
    place_of: Callable[[int], int] = places.__getitem__
    return place_of


def _memberships(
    batches: Iterator[tuple[Sequence[Any], ...]], place: Callable[[Any], int], users: int, groups: Sequence[str]
) -> tuple[array[int], array[int]]:
    """Return the offsets and the groups of users by their places, from keys, numbers of groups, and groups in a row."""
    number = dict(zip(groups, count())).__getitem__
    unordered = array("I")
    starts, ends = array("I", [0]) * users, array("I", [0]) * users
    end = 0
    for keys, sizes, texts in batches:
        unordered.extend(map(number, ",".join(texts).split(",")))
        for user, size in zip(map(place, keys), sizes, strict=True):
            starts[user] = end
            end += size
            ends[user] = end
    members = array("I")
    for start, end in zip(starts, ends, strict=True):
        members.extend(unordered[start:end])
    return array("I", accumulate(map(sub, ends, starts), initial=0)), members


def _uncommon(
    tx: Connection, only: ColumnElement[bool] | None, key: ColumnElement[Any], place: Callable[[Any], int]
) -> dict[int, Mapping[str, Any]]:
    columns = ("origin", "active", "pending", "role_attribute", "manual")
    query = _where(select(key, *(USERS.c[name] for name in columns)).where(not_(_PLAIN)), only)
    rows = sorted((place(row[0]), row) for row in tx.execute(query))
    return {user: {name: getattr(row, name) for name in columns} for user, row in rows}


def _batches(tx: Connection, query: Select[Any]) -> Iterator[tuple[tuple[Any, ...], ...]]:
    """Yield the columns of some rows at a time."""
    for batch in tx.execute(query, execution_options={"yield_per": _BATCH}).partitions():
        yield tuple(zip(*batch, strict=True))


def _where(query: Select[Any], only: ColumnElement[bool] | None) -> Select[Any]:
    return query if only is None else query.where(only)
