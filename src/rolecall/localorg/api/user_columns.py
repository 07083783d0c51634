"""Users as columns, straight from SQL, for a caller in this process: the list of users without its JSON."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, count
from operator import sub
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, not_, select

from rolecall.codec.people import UserColumns
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS

_BATCH = 5_000
"""Rows that are fetched at once."""

_TRAITS = ("origin", "active", "pending", "role_attribute", "manual", "org_role", "seat", "billing_group")
_PLAIN_VALUES = ["scim", True, False, None, "[]", None, None, None]
_PLAIN = and_(*(USERS.c[name].is_not_distinct_from(value) for name, value in zip(_TRAITS, _PLAIN_VALUES, strict=True)))
_ROWID: ColumnElement[int] = literal_column("users.rowid")


def read_user_columns(tx: Connection) -> UserColumns:
    """Return all users in the order of their list.

    SQL reads each table in the order that is quickest there, so each column comes with a key of the user, and is put
    in order here. In SQLite that is the number of the row: small numbers are looked up several times faster than ids.
    """
    key, key_of_member = _keys(tx)
    ids: list[str] = []
    keys: list[Any] = []
    for some_ids, some_keys in _batches(tx, select(USERS.c.id, key).order_by(USERS.c.bucket, USERS.c.id)):
        ids += some_ids
        keys += some_keys
    place = _places(keys)
    emails = [""] * len(ids)
    for some_keys, addresses in _batches(tx, select(key, USERS.c.email)):
        for number, email in zip(map(place, some_keys), addresses, strict=True):
            emails[number] = email
    groups = _groups(tx)
    memberships = select(key_of_member, func.count(), _CONCATENATED).group_by(MEMBERSHIPS.c.user_id)
    offsets, members = _memberships(_batches(tx, memberships), place, len(ids), groups)
    return UserColumns(ids, emails, groups, offsets, members, _uncommon(tx, key, place))


def read_selected(tx: Connection, query: Select[Any]) -> UserColumns:
    """Return the users selected by a query of rows of the list, in its order. Reading a part of all users is faster row
    by row."""
    ids: list[str] = []
    emails: list[str] = []
    offsets, members = array("I", [0]), array("I")
    uncommon: dict[int, Mapping[str, Any]] = {}
    groups = _groups(tx)
    number = dict(zip(groups, count())).__getitem__
    for user_id, email, *traits, group_ids in tx.execute(query, execution_options={"yield_per": _BATCH}):
        if traits != _PLAIN_VALUES:
            uncommon[len(ids)] = dict(zip(_TRAITS, traits, strict=True))
        ids.append(user_id)
        emails.append(email)
        members.extend(map(number, group_ids.split(",") if group_ids else ()))
        offsets.append(len(members))
    return UserColumns(ids, emails, groups, offsets, members, uncommon)


def _groups(tx: Connection) -> Sequence[str]:
    """Return the ids of all groups, first those that are pushed in the order of their list."""
    return tx.execute(select(GROUPS.c.id).order_by(GROUPS.c.pushed.desc(), GROUPS.c.id)).scalars().all()


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


def _uncommon(tx: Connection, key: ColumnElement[Any], place: Callable[[Any], int]) -> dict[int, Mapping[str, Any]]:
    query = select(key, *(USERS.c[name] for name in _TRAITS)).where(not_(_PLAIN))
    numbered = sorted((place(user), traits) for user, *traits in tx.execute(query))
    return {user: dict(zip(_TRAITS, traits, strict=True)) for user, traits in numbered}


def _batches(tx: Connection, query: Select[Any]) -> Iterator[tuple[tuple[Any, ...], ...]]:
    """Yield the columns of some rows at a time, as the driver returns them: for text and whole numbers only.

    SQLite's driver reads as its cursor is asked, so its rows need not become rows of SQLAlchemy, which takes as long as
    to read them. Others are asked for a few rows at a time through SQLAlchemy, or they send all at once.
    """
    if tx.dialect.name != "sqlite":
        for partition in tx.execute(query, execution_options={"yield_per": _BATCH}).partitions():
            yield tuple(zip(*partition, strict=True))
        return
    with tx.execute(query) as result:
        cursor = result.cursor
        assert cursor is not None
        while batch := cursor.fetchmany(_BATCH):
            yield tuple(zip(*batch, strict=True))
