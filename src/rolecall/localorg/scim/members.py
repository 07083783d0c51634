"""The members of groups: changes that requests ask for, applied to the join table without reading the group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from scim2_models import InvalidPathException, InvalidValueException, NoTargetException, ScimFilter
from scim2_models.path import AttrPath, CompareOperator, Comparison, FilterNode, LogicalExpr, LogicalOperator, ValuePath
from sqlalchemy import BindParameter, bindparam, func, select

from rolecall.localorg.scim.filters import compile_entries
from rolecall.localorg.scim.models import GROUP, Group
from rolecall.localorg.scim.shapes import MemberEntries, ScimSession
from rolecall.localorg.store.tables import MEMBERSHIPS, USERS

CHUNK: Final = 500
"""The most ids in one statement."""

_MINE = MEMBERSHIPS.c.group_id == bindparam("group_id")
_SOME: BindParameter[Any] = bindparam("ids", expanding=True)
_IN_ORDER = select(MEMBERSHIPS.c.user_id).where(_MINE).order_by(MEMBERSHIPS.c.user_id).subquery()
# One row of all ids: 10,000 rows would take several times as long to come out of the driver. No id has a comma.
_LISTED = {
    "sqlite": select(func.group_concat(_IN_ORDER.c.user_id, ",")),
    "postgresql": select(func.string_agg(_IN_ORDER.c.user_id, ",")),
}
_KNOWN = select(USERS.c.id).where(USERS.c.id.in_(_SOME))
_AMONG = select(MEMBERSHIPS.c.user_id).where(_MINE, MEMBERSHIPS.c.user_id.in_(_SOME))
_INSERT = MEMBERSHIPS.insert()
_REMOVE = MEMBERSHIPS.delete().where(_MINE, MEMBERSHIPS.c.user_id.in_(_SOME)).returning(MEMBERSHIPS.c.user_id)
_CLEAR = MEMBERSHIPS.delete().where(_MINE).returning(MEMBERSHIPS.c.user_id)

_PATH = re.compile(rf"(?:{re.escape(GROUP)}:)?members(?:\[(?P<filter>.*)\])?(?:\.(?P<sub>[$\w-]+))?", re.I | re.S)


class MemberOp(NamedTuple):
    """One PATCH operation on members. Without ids and filter, a ``remove`` removes all."""

    op: Literal["add", "remove", "replace"]
    ids: tuple[str, ...] | None = None
    where: FilterNode | None = None


class Delta(NamedTuple):
    """The members added and removed."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def then(self, later: Delta) -> Delta:
        """Return both changes, one after the other."""
        added = (set(self.added) - set(later.removed)) | (set(later.added) - set(self.removed))
        removed = (set(self.removed) - set(later.added)) | (set(later.removed) - set(self.added))
        return Delta(tuple(sorted(added)), tuple(sorted(removed)))


def take(payload: dict[str, Any]) -> tuple[str, ...]:
    """Take ``members`` out of a group's payload, and return their ids."""
    keys = [key for key in payload if key.lower() == "members"]
    return tuple(dict.fromkeys(user_id for key in keys for user_id in ids_of(payload.pop(key))))


def entries(resource: Any) -> list[dict[str, Any]]:
    """Return the ``members`` of a group's model as a payload."""
    return [entry.model_dump(by_alias=True, exclude_none=True) for entry in getattr(resource, "members", None) or ()]


def split(operations: Iterable[Any]) -> tuple[list[MemberOp], list[Any]]:
    """Return the operations on members, and the others unchanged. Raises InvalidPathException,
    InvalidValueException."""
    ours: list[MemberOp] = []
    more: list[Any] = []
    for operation in operations:
        kind = str(operation.get("op", "")).lower() if isinstance(operation, Mapping) else ""
        if kind not in ("add", "remove", "replace"):
            more.append(operation)
        elif operation.get("path"):
            match = _PATH.fullmatch(str(operation["path"]).strip())
            if match is None:
                more.append(operation)
            elif (member_op := _pathed(kind, match, operation)) is not None:
                ours.append(member_op)
        else:
            remaining = _pathless(kind, operation, ours)
            more += [] if remaining is None else [remaining]
    return ours, more


def apply(session: ScimSession, group_id: str, operations: Sequence[MemberOp]) -> Delta:
    """Do the operations in order and return what changed in the end. Raises InvalidValueException: no such user."""
    delta = Delta()
    for operation in operations:
        delta = delta.then(_apply(session, group_id, operation))
    return delta


def replace(session: ScimSession, group_id: str, ids: Sequence[str]) -> Delta:
    """Make these ids the only members."""
    current = set(members_of(session, group_id))
    requested = set(ids)
    removed = _remove(session, group_id, sorted(current - requested))
    return _add(session, group_id, [user_id for user_id in ids if user_id not in current]).then(removed)


def clear(session: ScimSession, group_id: str) -> Delta:
    """Remove all members."""
    return Delta(removed=tuple(session.tx.execute(_CLEAR, {"group_id": group_id}).scalars()))


def ids_of(value: Any) -> Iterator[str]:
    """Yield the user ids of a ``members`` value: objects with ``value``, or ``$ref`` alone. Raises
    InvalidValueException."""
    if value is None:
        return
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, str):
            yield entry
            continue
        named = {str(key).lower(): part for key, part in entry.items()} if isinstance(entry, Mapping) else {}
        reference, kind = named.get("$ref"), named.get("type")
        if str(kind or "User").lower() != "user" or "/groups/" in str(reference or "").lower():
            raise InvalidValueException(detail="The members of a group are users, not groups")
        user_id = named.get("value") or (str(reference).rstrip("/").rpartition("/")[2] if reference else None)
        if not isinstance(user_id, str) or not user_id:
            raise InvalidValueException(detail="Each member needs a `value`: the id of a user")
        yield user_id


def _pathed(kind: Any, match: re.Match[str], operation: Mapping[str, Any]) -> MemberOp | None:
    where, sub, value = match["filter"], match["sub"], operation.get("value")
    if sub is not None and (where is None or sub.lower() not in ("display", "type", "$ref", "value")):
        raise InvalidPathException(path=operation["path"], detail=f"{operation['path']!r} cannot be changed on its own")
    if sub is not None and sub.lower() != "value":
        return None  # the org's own words for a member: there is nothing to store
    node = None if where is None else _filter(where)
    if kind == "remove":
        if node is None and value is not None:
            return MemberOp("remove", tuple(ids_of(value)))
        return MemberOp("remove", None, node)
    if node is None and value is None and (kind == "add" or "value" not in operation):
        raise InvalidValueException(detail=f"value is required for {kind} operations")
    entry = value.get("value") if isinstance(value, Mapping) and node is not None else value
    ids = tuple(ids_of(entry)) if node is None or isinstance(entry, str) else ()
    return MemberOp(kind, ids, node)


def _pathless(kind: Any, operation: Mapping[str, Any], ours: list[MemberOp]) -> Mapping[str, Any] | None:
    """Take members out of the value of an operation without a path; None when nothing is left of it."""
    value = operation.get("value")
    if not isinstance(value, Mapping) or kind == "remove":
        return operation
    names = [key for key in value if key.lower() in ("members", f"{GROUP}:members".lower())]
    if not names:
        return operation
    ours += [MemberOp(kind, tuple(ids_of(value[name]))) for name in names]
    remaining = {key: part for key, part in value.items() if key not in names}
    return {**operation, "value": remaining} if remaining else None


def _filter(text: str) -> FilterNode:
    node = ScimFilter[Group](f"members[{text}]").ast
    if not isinstance(node, ValuePath):
        raise InvalidPathException(path=f"members[{text}]", detail="a member is selected by one filter")
    return node.val_filter


def _apply(session: ScimSession, group_id: str, operation: MemberOp) -> Delta:
    if operation.where is not None:
        return _apply_where(session, group_id, operation, operation.where)
    if operation.op == "replace":
        return replace(session, group_id, operation.ids or ())
    if operation.op == "add":
        return _add(session, group_id, operation.ids or ())
    return clear(session, group_id) if operation.ids is None else _remove(session, group_id, operation.ids)


def _apply_where(session: ScimSession, group_id: str, operation: MemberOp, where: FilterNode) -> Delta:
    matched = _selected(session, group_id, where)
    if operation.op == "remove":
        return _remove(session, group_id, matched)
    named = _named(where)
    if not matched and named is None:
        raise NoTargetException(detail="no member matches the filter of the path")
    requested = operation.ids or matched or tuple(named or ())
    removed = _remove(session, group_id, [user_id for user_id in matched if user_id not in requested])
    return _add(session, group_id, requested).then(removed)


def _selected(session: ScimSession, group_id: str, where: FilterNode) -> tuple[str, ...]:
    if (named := _named(where)) is not None:
        return tuple(named)
    entries = MemberEntries(session.dialect)
    predicate = compile_entries(where, AttrPath("members"), Group, entries, session.dialect)
    query = select(entries.links.c.user_id).where(predicate, entries.links.c.group_id == group_id)
    return tuple(session.tx.execute(query).scalars())


def _named(where: FilterNode) -> list[str] | None:
    """Return the ids in ``value eq "a" or value eq "b"``; None for any other filter."""
    terms = where.terms if isinstance(where, LogicalExpr) and where.op == LogicalOperator.or_ else (where,)
    ids = []
    for term in terms:
        if not isinstance(term, Comparison) or term.op != CompareOperator.eq or not isinstance(term.value, str):
            return None
        if term.attr_path.attr.lower() != "value" or term.attr_path.sub_attr:
            return None
        ids.append(term.value)
    return ids


def _add(session: ScimSession, group_id: str, ids: Sequence[str]) -> Delta:
    added: list[str] = []
    for some in _chunks(ids):
        known = set(session.tx.execute(_KNOWN, {"ids": some}).scalars())
        if missing := [user_id for user_id in some if user_id not in known]:
            raise InvalidValueException(detail=f"This org has no user with the id {missing[0][:100]!r}")
        members = set(session.tx.execute(_AMONG, {"group_id": group_id, "ids": some}).scalars())
        if fresh := [user_id for user_id in some if user_id not in members]:
            session.tx.execute(_INSERT, [{"group_id": group_id, "user_id": user_id} for user_id in fresh])
        added += fresh
    return Delta(added=tuple(added))


def _remove(session: ScimSession, group_id: str, ids: Sequence[str]) -> Delta:
    removed: list[str] = []
    for some in _chunks(ids):
        removed += session.tx.execute(_REMOVE, {"group_id": group_id, "ids": some}).scalars()
    return Delta(removed=tuple(removed))


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    whole = list(dict.fromkeys(ids))
    return (whole[start : start + CHUNK] for start in range(0, len(whole), CHUNK))


def members_of(session: ScimSession, group_id: str) -> list[str]:
    """Return the ids of the members of a group, in their order."""
    ids = session.tx.execute(_LISTED[session.dialect.name], {"group_id": group_id}).scalar()
    return ids.split(",") if ids else []
