"""The org's settings and facts in the model's types, and the access that follows from them for one user."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from rolecall.access import Access, compile_access, effective
from rolecall.codec.settings import decode_settings, encode_settings
from rolecall.localorg.store.keys import address
from rolecall.localorg.store.singletons import read_value
from rolecall.localorg.store.tables import (
    DOMAINS,
    GROUPS,
    MEMBERSHIPS,
    ROLES,
    SETTINGS,
    TEAMS,
    USERS,
    AnyRow,
    domain_value,
)
from rolecall.model import normalise
from rolecall.model.directory import Person, Traits
from rolecall.model.kinds import FOR_ALL_USERS, SINGLETONS
from rolecall.model.live import Facts
from rolecall.model.policy import OrgRole, TeamRole
from rolecall.model.roles import Role
from rolecall.model.settings import GroupMapping, Settings

KEPT = "kept"
"""The settings row with the settings in force when SCIM was switched off (R33); it exists only while SCIM is off."""


class GroupRow(NamedTuple):
    """A group as settings need it: its key, its mapping now, and the teams it was linked to (R18)."""

    id: str
    key: str
    mapping: GroupMapping
    linked: frozenset[str]
    pushed: bool


class OrgState(NamedTuple):
    """Settings, facts and groups (by id) of the org, as the access rules read them."""

    settings: Settings
    facts: Facts
    groups: Mapping[str, GroupRow]


def read_state(tx: Connection) -> OrgState:
    """Return the current state, with every section."""
    ruled = read_rules(tx)
    more = {kind.section: read_value(tx, kind.section) for kind in SINGLETONS if not kind.decides_access}
    settings = decode_settings({**more, "domains": _domains(tx)})
    added = {section: getattr(settings, section) for section in (*more, "domains")}
    return ruled._replace(settings=replace(ruled.settings, **added))


def read_rules(tx: Connection, group_ids: Collection[str] | None = None) -> OrgState:
    """Return what the access rules read: the sections that decide access, and with ``group_ids`` only those groups."""
    roles, singletons = read_roles(tx), {section: read_value(tx, section) for section in FOR_ALL_USERS}
    scim = singletons["scim"]
    groups = read_groups(tx, str(scim["endpoint"]), group_ids)
    settings = decode_settings(singletons, roles)
    pushed = {group.key: group.mapping for group in groups.values() if group.pushed}
    links = {group.key: group.linked for group in groups.values() if not group.pushed}
    facts = Facts(
        teams=read_teams(tx),
        roles=roles,
        legacy_links=links if scim["endpoint"] == "upgrading" else None,
        kept=None if scim["enabled"] else read_kept(tx),
    )
    return OrgState(replace(settings, idp_groups=pushed), facts, groups)


def read_groups(tx: Connection, endpoint: str, only: Collection[str] | None = None) -> dict[str, GroupRow]:
    """Return groups by id. Two that share a name are keyed ``name [id]``; so is a legacy one whose name was pushed
    again."""
    query = _GROUPS
    if only is not None:
        query = query.where(GROUPS.c.name_key.in_(select(GROUPS.c.name_key).where(GROUPS.c.id.in_(only))))
    rows = tx.execute(query).all()
    names = {
        True: Counter(_name(row) for row in rows if row.pushed),
        False: Counter(_name(row) for row in rows),
    }
    selected = rows if only is None else [row for row in rows if row.id in only]
    return {row.id: _group(row, endpoint, names[row.pushed][_name(row)] > 1) for row in selected}


_GROUPS = select(GROUPS.c.id, GROUPS.c.display_name, GROUPS.c.mapping, GROUPS.c.linked_teams, GROUPS.c.pushed)


def mapping_of(text: str | None) -> GroupMapping:
    """Return a stored mapping; null is unmapped."""
    parts = json.loads(text) if text else {}
    fields: dict[str, Any] = {name: frozenset(p) if isinstance(p, list) else p for name, p in parts.items()}
    return GroupMapping(**fields)


def read_teams(tx: Connection) -> frozenset[str]:
    """Return the names of the org's teams."""
    return frozenset(tx.execute(select(TEAMS.c.name)).scalars())


def read_roles(tx: Connection) -> dict[str, Role]:
    """Return the org's roles by id, in their order."""
    rows = tx.execute(select(ROLES).order_by(ROLES.c.position))
    return {row.id: Role(row.id, row.name, "org" if row.level == "org" else "team") for row in rows}


def read_kept(tx: Connection) -> Settings | None:
    """Return the settings that stay in force for SCIM users while SCIM is off (R33)."""
    text = tx.execute(select(SETTINGS.c.value).where(SETTINGS.c.section == KEPT)).scalar()
    return None if text is None else decode_settings(json.loads(text), read_roles(tx))


def keep_settings(tx: Connection) -> None:
    """Store the settings in force: SCIM is being switched off (R33)."""
    settings = read_rules(tx).settings
    row = {"section": KEPT, "value": json.dumps(encode_settings(settings)), "version": 0, "modified": ""}
    drop_kept_settings(tx)
    tx.execute(SETTINGS.insert().values(row))


def drop_kept_settings(tx: Connection) -> None:
    """Delete the stored settings: SCIM is on again."""
    tx.execute(SETTINGS.delete().where(SETTINGS.c.section == KEPT))


def _domains(tx: Connection) -> dict[str, Any]:
    return {row.name: domain_value(row) for row in tx.execute(select(DOMAINS))}


def _name(row: AnyRow) -> str:
    return normalise.name(row.display_name)


def _group(row: AnyRow, endpoint: str, shared: bool) -> GroupRow:
    key = f"{_name(row)} [{row.id}]" if shared else _name(row)
    linked = frozenset(json.loads(row.linked_teams))
    mapping = GroupMapping(teams=linked) if endpoint == "legacy" else mapping_of(row.mapping)
    return GroupRow(row.id, key, mapping, linked, row.pushed)


class UserAccess(NamedTuple):
    """A user and their access."""

    person: Person
    access: Access


def access_of(tx: Connection, user_id: str) -> UserAccess | None:
    """Return the user with an id, and their access with its reasons (R1 to R36); None when there is none."""
    row = tx.execute(_PEOPLE.where(USERS.c.id == user_id)).first()
    return None if row is None else _user_access(tx, row)


def access_by_email(tx: Connection, email: str) -> UserAccess | None:
    """Return the same by email, compared without case (R28)."""
    row = tx.execute(_PEOPLE.where(USERS.c.email_key == address(email))).first()
    return None if row is None else _user_access(tx, row)


_PEOPLE = select(
    USERS.c.id,
    USERS.c.email,
    USERS.c.origin,
    USERS.c.active,
    USERS.c.pending,
    USERS.c.role_attribute,
    USERS.c.manual,
    USERS.c.org_role,
)


def _user_access(tx: Connection, row: AnyRow) -> UserAccess:
    member_of = select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.user_id == row.id)
    ids = set(tx.execute(member_of).scalars())
    state = read_rules(tx, ids)
    person = person_of(row, ids, state)
    return UserAccess(person, effective(compile_access(state.settings, state.facts), person))


def person_of(row: AnyRow, group_ids: set[str], state: OrgState) -> Person:
    """Return a row of ``users`` and the ids of the user's groups as the model's ``Person``."""
    groups = tuple(sorted(state.groups[group].key for group in group_ids if group in state.groups))
    manual = tuple(TeamRole(edit["team"], edit["role"]) for edit in json.loads(row.manual))
    org_role = None if row.org_role is None else OrgRole(row.org_role)
    traits = Traits(row.origin, row.active, row.pending, row.role_attribute, manual, org_role)
    return Person(row.email, row.id, groups, traits)
