"""Change the role of a user manually, as an admin does in WRITER's console; the audit log has each change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from rolecall.errors import Misuse, Problem, did_you_mean
from rolecall.localorg.load import invitation_fault
from rolecall.localorg.store import Database, audit, keys
from rolecall.localorg.store.singletons import read_value
from rolecall.localorg.store.state import read_roles, read_teams
from rolecall.localorg.store.tables import USERS, AnyRow
from rolecall.model import normalise
from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ROLES, Role, role_id, role_words


class RoleEdit(NamedTuple):
    """A user's new role in a team, or at org level without one. ``role`` is an id or a name in the console, or None to
    remove the role; ``by`` is the admin who changes it, None for the command line."""

    email: str
    role: str | None
    team: str | None = None
    by: str | None = None


def edit_role(db: Database, edit: RoleEdit) -> str | None:
    """Change a role, with its entry in the audit log, and return its name in the console; None for a removed one.

    Raises Misuse for an unknown user, role or team, and for a SCIM user whose team roles are locked (R14).
    """
    with db.write() as tx:
        user = tx.execute(_USERS.where(USERS.c.email_key == keys.address(edit.email))).first()
        if user is None:
            raise _unknown("no_user", f"no user {edit.email}", edit.email, tx.execute(select(USERS.c.email)).scalars())
        known = ORG_ROLES if edit.team is None else read_roles(tx)
        role = None if edit.role is None else _role(edit.role, known)
        before = _values(user)
        after = {**before, **({"org_role": role} if edit.team is None else _edited(tx, user, edit, role))}
        if before != after:
            _store(tx, user, before, after, edit.by)
    return None if role is None else role_words(role, known)


_USERS = select(*(USERS.c[name] for name in ("id", "email", "origin", "active", "manual", "org_role", "version")))


def _values(user: AnyRow) -> dict[str, Any]:
    """Return a user as the audit log has one."""
    manual = json.loads(user.manual)
    named = {"email": user.email, "origin": user.origin, "active": user.active}
    return {**named, "manual": manual, "org_role": user.org_role}


def _role(name: str, known: Mapping[str, Role]) -> str:
    if (role := role_id(name, known)) not in known:
        raise _unknown("no_role", f"no role `{name}`", name, known)
    return role


def _edited(tx: Connection, user: AnyRow, edit: RoleEdit, role: str | None) -> dict[str, Any]:
    """Return what changes of a user by a new role in a team.

    An invited user with what no invitation gives is one whose roles were edited, as those who came by SAML (R5, R6).
    """
    teams, team = read_teams(tx), normalise.name(edit.team or "")
    if team not in teams:
        raise _unknown("no_team", f"no team `{edit.team}`", team, teams)
    scim = read_value(tx, "scim")
    if user.origin == "scim" and scim["enabled"] and not scim["manual_editing"]:
        message = f"{user.email} is a SCIM user, whose team roles are locked while manual editing is off"
        raise Misuse(Problem("role_locked", message, None, "set `scim.manual_editing: true`, or use another user"))
    elsewhere = [known for known in json.loads(user.manual) if known["team"] != team]
    manual = elsewhere if role is None else [*elsewhere, {"team": team, "role": role}]
    invited = user.origin == "invite" and not invitation_fault([TeamRole(**known) for known in manual])
    return {"manual": manual, "origin": "saml" if user.origin == "invite" and not invited else user.origin}


def _store(tx: Connection, user: AnyRow, before: dict[str, Any], after: dict[str, Any], by: str | None) -> None:
    values = {**after, "manual": json.dumps(after["manual"], separators=(",", ":"))}
    changed = {**values, "version": user.version + 1, "modified": keys.now()}
    tx.execute(USERS.update().where(USERS.c.id == user.id).values(**changed))
    actor = audit.Actor("service", "local") if by is None else audit.Actor(by, "console")
    audit.record(tx, actor, "users.update", f"users/{user.id}", before, after, moves=("people",))


def _unknown(code: str, message: str, name: str, known: Iterable[str]) -> Misuse:
    return Misuse(Problem(code, f"{message} in this org", None, did_you_mean(name, known)))
