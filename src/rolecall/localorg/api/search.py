"""Whom ``POST /v1/people/search`` means, as one condition: the union of its parts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select, true

from rolecall.localorg.api.call import Call
from rolecall.localorg.api.fields import Check, body_object, texts
from rolecall.localorg.store.keys import address
from rolecall.localorg.store.state import State, read_rules
from rolecall.localorg.store.tables import MEMBERSHIPS, USERS
from rolecall.localorg.web import refuse
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import UNSET

MOST = 5000
"""How many groups or e-mails one search may name."""


def _only_true(value: Any) -> str | None:
    return None if value is True else "must be true, or left out"


_FIELDS: dict[str, Check] = {
    "groups": texts(MOST, 200),
    "emails": texts(MOST, 320),
    "org_admins": _only_true,
    "unmapped": _only_true,
    "manual": _only_true,
    "attribute_admins": _only_true,
}


def wanted(call: Call, tx: Connection) -> ColumnElement[bool]:
    """The condition over ``users``. Raises Refusal 400 when the body names nobody."""
    body = body_object(call, _FIELDS)
    if not body:
        raise refuse(400, "nobody_named", f"Name at least one of {', '.join(_FIELDS)}")
    return or_(*_parts(body, tx))


def _parts(body: dict[str, Any], tx: Connection) -> Iterator[ColumnElement[bool]]:
    if "groups" in body:
        yield _in_groups(body["groups"])
    if "emails" in body:
        yield USERS.c.email_key.in_({address(email) for email in body["emails"]})
    if "manual" in body:
        yield USERS.c.manual != "[]"
    if "attribute_admins" in body:
        yield _attribute_admin()
    if "unmapped" in body:
        no_group = or_(USERS.c.origin != "scim", not_(_in_groups(_mapped(read_rules(tx)))))
        yield and_(USERS.c.active == true(), no_group)
    if "org_admins" in body:
        yield _org_admins(read_rules(tx))


def _in_groups(ids: Collection[str]) -> ColumnElement[bool]:
    members = select(MEMBERSHIPS.c.user_id).where(MEMBERSHIPS.c.group_id.in_(ids))
    return USERS.c.id.in_(members)


def _mapped(state: State) -> list[str]:
    """Groups that give at least one combo now (R25); while upgrading those are the legacy ones (R20)."""
    teams = state.facts.teams or frozenset()
    upgrading = state.facts.legacy_links is not None
    gives = {group.id: group.linked if upgrading else group.mapping.teams for group in state.groups.values()}
    return [group.id for group in state.groups.values() if group.pushed != upgrading and gives[group.id] & teams]


def _attribute_admin() -> ColumnElement[bool]:
    return and_(USERS.c.role_attribute.is_not(None), func.lower(USERS.c.role_attribute) == "admin")


def _org_admins(state: State) -> ColumnElement[bool]:
    """Everybody who may be org admin: by a group mapped to it, by hand, or by attribute where that is still read."""
    kept = state.facts.kept
    held = [s.idp_groups for s in (state.settings, kept) if s is not None and s.idp_groups is not UNSET]
    names = {name for groups in held for name, mapping in groups.items() if mapping.role == ORG_ADMIN}
    ways = [
        _in_groups([group.id for group in state.groups.values() if group.key in names]),
        USERS.c.manual.like(f"%{json.dumps(ORG_ADMIN)}%"),
    ]
    scim = state.settings.scim
    if scim is not UNSET and scim.endpoint != "new":
        ways.append(_attribute_admin())
    return and_(USERS.c.active == true(), or_(*ways))
