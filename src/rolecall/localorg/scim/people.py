"""Users in the database: read, created, changed and deleted, with all consequences in the org."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from scim2_models import NotFoundException, PreconditionFailedException, Resource, UniquenessException
from sqlalchemy import Row, bindparam, or_, select

from rolecall.localorg.scim.documents import Stored, checked, document_of, role_of, user_columns
from rolecall.localorg.scim.shapes import ScimSession
from rolecall.localorg.store import keys
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS

# Statements are built once: building one costs several times what running it does.
_SHOWN = select(USERS.c.id, USERS.c.document, USERS.c.version, USERS.c.created, USERS.c.modified)
_BY_ID = _SHOWN.where(USERS.c.id == bindparam("user_id"), USERS.c.document.is_not(None))
_BY_IDS = _SHOWN.where(USERS.c.id.in_(bindparam("ids", expanding=True)))
_WHOLE = select(USERS).where(USERS.c.id == bindparam("user_id"), USERS.c.document.is_not(None))
_SAME = or_(USERS.c.email_key == bindparam("email_key"), USERS.c.user_name_key == bindparam("user_name_key"))
_KNOWN = select(USERS).where(_SAME)
_INSERT = USERS.insert()
_UPDATE = USERS.update().where(USERS.c.id == bindparam("user_id"))
_GROUPS = (
    select(MEMBERSHIPS.c.user_id, GROUPS.c.id, GROUPS.c.display_name)
    .join(GROUPS, GROUPS.c.id == MEMBERSHIPS.c.group_id)
    .where(MEMBERSHIPS.c.user_id.in_(bindparam("ids", expanding=True)), GROUPS.c.pushed)
    .order_by(GROUPS.c.created, GROUPS.c.id)
)


def read_user(session: ScimSession, user_id: str) -> Stored:
    """Return a user by id. Raises NotFoundException."""
    row = session.tx.execute(_BY_ID, {"user_id": user_id}).first()
    if row is None:
        raise NotFoundException(detail=f"User {user_id!r} not found")
    return stored_user(row)


def read_users(session: ScimSession, ids: Sequence[str]) -> list[Stored]:
    """Return users by their ids, in the order of the ids."""
    rows = session.tx.execute(_BY_IDS, {"ids": ids})
    users = {row.id: stored_user(row) for row in rows}
    return [users[user_id] for user_id in ids if user_id in users]


def groups_of(session: ScimSession, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return the groups of some users, id and name, in the order of their creation."""
    groups: dict[str, list[tuple[str, str]]] = {user_id: [] for user_id in ids}
    for user_id, group_id, name in session.tx.execute(_GROUPS, {"ids": ids}):
        groups[user_id].append((group_id, name))
    return groups


def create_user(session: ScimSession, resource: Any) -> Stored:
    """Provision a user. A user of another origin is taken over: same id, an invite's team roles removed (R11, R12)."""
    if resource.active is None:
        resource.active = True
    values, document = _values(resource, active=True)
    at = keys.now()
    rivals = _known(session, values)
    if any(rival.document is not None for rival in rivals):
        raise _taken(document)
    known = rivals[0] if rivals else None
    if known is None:
        new = keys.new_id()
        fixed = {"id": new, "manual": "[]", "version": 1, "bucket": keys.bucket(new), "created": at}
        session.tx.execute(_INSERT, {**values, **fixed, "modified": at})
        stored = Stored("User", new, document, 1, at, at)
    else:
        stored = Stored("User", known.id, document, known.version + 1, known.created, at)
        edits = "[]" if known.origin == "invite" else known.manual
        changed = {**values, "manual": edits, "version": stored.version, "modified": at}
        session.tx.execute(_UPDATE, {**changed, "user_id": known.id})
    before = None if known is None else _before(known)
    session.record("users.create", f"users/{stored.id}", before, document, "people")
    return stored


def update_user(session: ScimSession, resource: Resource[Any], expected: str | None = None) -> Stored:
    """Store a user's new state. ``active`` false removes the user from the org, true reactivates them (R24).

    Raises NotFoundException, PreconditionFailedException and UniquenessException.
    """
    old = session.tx.execute(_WHOLE, {"user_id": resource.id}).first()
    if old is None:
        raise NotFoundException(detail=f"User {resource.id!r} not found")
    if expected is not None and f'W/"{old.version}"' != expected:
        raise PreconditionFailedException
    values, document = _values(resource, active=old.active)
    if any(rival.id != old.id for rival in _known(session, values)):
        raise _taken(document)
    stored = Stored("User", old.id, document, old.version + 1, old.created, keys.now())
    changed = {**values, "version": stored.version, "modified": stored.modified}
    if old.origin == "invite" or (old.active and not values["active"]):
        changed["manual"] = "[]"
    session.tx.execute(_UPDATE, {**changed, "user_id": old.id})
    session.record(_action(old.active, values["active"]), f"users/{old.id}", _before(old), document, "people")
    return stored


def delete_user(session: ScimSession, user_id: str, expected: str | None = None) -> None:
    """Delete a user from the org for good, and from every group (R23)."""
    old = read_user(session, user_id)
    if expected is not None and old.etag != expected:
        raise PreconditionFailedException
    left = select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.user_id == user_id)
    touched = GROUPS.c.id.in_(left.scalar_subquery())
    grown = {"version": GROUPS.c.version + 1, "modified": keys.now()}
    emptied = session.tx.execute(GROUPS.update().where(touched).values(**grown)).rowcount
    session.tx.execute(USERS.delete().where(USERS.c.id == user_id))
    moves = ("people", "idp_groups") if emptied else ("people",)
    session.record("users.delete", f"users/{user_id}", old.document, None, *moves)


def stored_user(row: Any) -> Stored:
    """Return a row of ``users`` as a stored resource."""
    return Stored("User", row.id, json.loads(row.document), row.version, row.created, row.modified)


def carry_over(current: Any, replacement: Any) -> None:
    """Copy the parts that a PUT may omit to leave them unchanged: extensions, and ``active``."""
    if replacement.active is None:
        replacement.active = current.active
    for extension in type(current).get_extension_models().values():
        name = extension.__name__
        if getattr(replacement, name) is None and getattr(current, name) is not None:
            setattr(replacement, name, getattr(current, name))


def _values(resource: Any, *, active: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    role = role_of(resource)
    document = checked(document_of(resource))
    values = user_columns(type(resource), document, role, active=document.get("active", active))
    return {**values, "origin": "scim", "pending": False}, document


def _action(was: bool, now: bool) -> str:
    if was == now:
        return "users.update"
    return "users.reactivate" if now else "users.deactivate"


def _before(row: Row[Any]) -> dict[str, Any]:
    if row.document is not None:
        document: dict[str, Any] = json.loads(row.document)
        return document
    return {"email": row.email, "origin": row.origin, "active": row.active, "manual": json.loads(row.manual)}


def _known(session: ScimSession, values: dict[str, Any]) -> Sequence[Row[Any]]:
    """Return the users who already have the email or the userName (R28)."""
    return session.tx.execute(_KNOWN, {name: values[name] for name in ("email_key", "user_name_key")}).all()


def _taken(document: dict[str, Any]) -> UniquenessException:
    name = document["userName"]
    return UniquenessException(detail=f"A user with the userName {name!r}, or with the same email, already exists")
