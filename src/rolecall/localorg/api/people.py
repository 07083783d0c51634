"""Lists of users in pages that can be read concurrently, searches for users, and the access of one user."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, or_, select, true, union

from rolecall.codec.people import UserColumns
from rolecall.localorg.api.call import Call, check_parameters
from rolecall.localorg.api.fields import Check, body_object, texts
from rolecall.localorg.api.lists import PARAMETERS, fetch, page_of, revision, streamed
from rolecall.localorg.api.user_columns import read_selected, read_user_columns
from rolecall.localorg.store.keys import BUCKETS, address, bucket
from rolecall.localorg.store.state import OrgState, access_of, read_rules
from rolecall.localorg.store.tables import MEMBERSHIPS, USERS, AnyRow
from rolecall.localorg.web import Response, json_response, refuse
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import UNSET

MAX_PARTITIONS = 64


def list_people(call: Call, tx: Connection) -> Response:
    """List all users, each once with all their groups; ``partition=i/n`` is a separate list, by hash of the id."""
    check_parameters(call, *PARAMETERS, "partition")
    part = call.query.get("partition")
    return _people(call, tx, None if part is None else _partition(part))


def search_people(call: Call, tx: Connection) -> Response:
    """List the users who match any of the criteria in the body, each once."""
    check_parameters(call, *PARAMETERS)
    return _people(call, tx, selected_users(call, tx))


def read_access(call: Call, tx: Connection) -> Response:
    """Return the access of one user, each team role with its reasons, the deciding one first (R32)."""
    check_parameters(call)
    user_access = access_of(tx, call.params["id"])
    if user_access is None:
        raise refuse(404, "no_such_person", "This org has no user with this id")
    team_roles = [
        {
            "team": granted.team,
            "role": granted.role,
            "reason": granted.reasons[0].source,
            "reasons": [reason._asdict() for reason in granted.reasons],
        }
        for granted in user_access.access.team_roles
    ]
    person = user_access.person
    access = user_access.access
    org_role = {} if access.org_role is None else {"org_role": access.org_role.role}
    body = {"id": person.id, "email": person.email, "org_admin": access.org_admin, **org_role, "combos": team_roles}
    return json_response(200, body)


def _people(call: Call, tx: Connection, only: ColumnElement[bool] | None) -> Response:
    if call.request.columns:
        return Response(200, users=_columns(tx, only))
    page = page_of(call)
    query, count = _ROWS, select(func.count()).select_from(USERS)
    if only is not None:
        query, count = query.where(only), count.where(only)
    position = None if page.cursor is None else (bucket(page.cursor), page.cursor)
    fetched = fetch(tx, query, (USERS.c.bucket, USERS.c.id), page, position)
    total = tx.execute(count).scalar_one()
    ids = [user.id for user in fetched.rows]
    return streamed(_texts(fetched.rows), ids, fetched.has_more, total, revision(tx, "people"))


def _columns(tx: Connection, only: ColumnElement[bool] | None) -> UserColumns:
    if only is None:
        return read_user_columns(tx)
    return read_selected(tx, _ROWS.where(only).order_by(USERS.c.bucket, USERS.c.id))


def _partition(text: str) -> ColumnElement[bool]:
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text, re.ASCII)
    number, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (0 <= number < of <= MAX_PARTITIONS):
        message = f"`partition` must be i/n with 0 <= i < n <= {MAX_PARTITIONS}"
        raise refuse(422 if match else 400, "bad_parameter", message, field="partition")
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
    columns = ("id", "email", "origin", "active", "pending", "role_attribute", "manual", *STATED)
    return select(*(USERS.c[name] for name in columns), groups)


STATED = ("org_role", "seat", "billing_group")
"""The columns of users that only few of them have; each is left out of a row without it."""

_ROWS = _row_query()


def _texts(users: Sequence[AnyRow]) -> Iterator[str]:
    """Yield each user as JSON text; false and empty values are omitted, except for origin, active and groups."""
    for user, email, origin, active, pending, attribute, manual, *stated, groups in users:
        ids = '","'.join(groups.split(",")) if groups else ""
        quoted = f'"{ids}"' if ids else ""
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
        for name, value in zip(STATED, stated, strict=True):
            if value is not None:
                text += f',"{name}":{encode_basestring(value)}'
        yield text + "}"


MOST = 5000
"""The most groups or emails that one search may name."""


def _only_true(value: Any) -> str | None:
    return None if value is True else "must be true, or left out"


_SEARCH_FIELDS: dict[str, Check] = {
    "groups": texts(MOST, 200),
    "emails": texts(MOST, 320),
    "org_admins": _only_true,
    "unmapped": _only_true,
    "manual": _only_true,
    "attribute_admins": _only_true,
}


def selected_users(call: Call, tx: Connection) -> ColumnElement[bool]:
    """Return the condition over ``users`` of a search. Raises Refusal 400 if the body has no criterion."""
    body = body_object(call, _SEARCH_FIELDS)
    if not body:
        raise refuse(400, "nobody_named", f"Name at least one of {', '.join(_SEARCH_FIELDS)}")
    return _any_of(_conditions(body, tx))


def _any_of(conditions: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return the condition that at least one of these holds. Each selects ids by itself, by an index where there is
    one; as one condition with `OR` they would be tried on every user."""
    selects = [select(USERS.c.id).where(condition).correlate(None) for condition in conditions]
    return USERS.c.id.in_(union(*selects))


def _conditions(body: dict[str, Any], tx: Connection) -> Iterator[ColumnElement[bool]]:
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
        yield from _org_admins(read_rules(tx))


def _in_groups(ids: Collection[str]) -> ColumnElement[bool]:
    members = select(MEMBERSHIPS.c.user_id).where(MEMBERSHIPS.c.group_id.in_(ids))
    return USERS.c.id.in_(members)


def _mapped(state: OrgState) -> list[str]:
    """Return the groups that give at least one team role now (R25); during an upgrade those are the legacy ones
    (R20)."""
    teams = state.facts.teams or frozenset()
    upgrading = state.facts.legacy_links is not None
    gives = {group.id: group.linked if upgrading else group.mapping.teams for group in state.groups.values()}
    return [group.id for group in state.groups.values() if group.pushed != upgrading and gives[group.id] & teams]


def _attribute_admin() -> ColumnElement[bool]:
    return and_(USERS.c.role_attribute.is_not(None), func.lower(USERS.c.role_attribute) == "admin")


def _org_admins(state: OrgState) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions for users who may be org admin: by group, by manual edit, at org level, or by attribute
    where it is read."""
    settings_kept = state.facts.kept
    mappings = [s.idp_groups for s in (state.settings, settings_kept) if s is not None and s.idp_groups is not UNSET]
    names = {name for groups in mappings for name, mapping in groups.items() if mapping.role == ORG_ADMIN}
    ways = [
        _in_groups([group.id for group in state.groups.values() if group.key in names]),
        and_(USERS.c.manual != "[]", USERS.c.manual.like(f"%{json.dumps(ORG_ADMIN)}%")),
        USERS.c.org_role == ORG_ADMIN,
    ]
    scim = state.settings.scim
    if scim is not UNSET and scim.endpoint != "new":
        ways.append(_attribute_admin())
    return (and_(USERS.c.active == true(), way) for way in ways)
