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
    group_rows = tx.execute(query).all()
    names = {
        True: Counter(_name(group) for group in group_rows if group.pushed),
        False: Counter(_name(group) for group in group_rows),
    }
    selected = group_rows if only is None else [group for group in group_rows if group.id in only]
    return {group.id: _group(group, endpoint, names[group.pushed][_name(group)] > 1) for group in selected}


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
    role_rows = tx.execute(select(ROLES).order_by(ROLES.c.position))
    return {role.id: Role(role.id, role.name, "org" if role.level == "org" else "team") for role in role_rows}


def read_kept(tx: Connection) -> Settings | None:
    """Return the settings that stay in force for SCIM users while SCIM is off (R33)."""
    text = tx.execute(select(SETTINGS.c.value).where(SETTINGS.c.section == KEPT)).scalar()
    return None if text is None else decode_settings(json.loads(text), read_roles(tx))


def keep_settings(tx: Connection) -> None:
    """Store the settings in force: SCIM is being switched off (R33)."""
    settings = read_rules(tx).settings
    setting = {"section": KEPT, "value": json.dumps(encode_settings(settings)), "version": 0, "modified": ""}
    drop_kept_settings(tx)
    tx.execute(SETTINGS.insert().values(setting))


def drop_kept_settings(tx: Connection) -> None:
    """Delete the stored settings: SCIM is on again."""
    tx.execute(SETTINGS.delete().where(SETTINGS.c.section == KEPT))


def _domains(tx: Connection) -> dict[str, Any]:
    return {domain.name: domain_value(domain) for domain in tx.execute(select(DOMAINS))}


def _name(group: AnyRow) -> str:
    return normalise.name(group.display_name)


def _group(group: AnyRow, endpoint: str, shared: bool) -> GroupRow:
    key = f"{_name(group)} [{group.id}]" if shared else _name(group)
    linked = frozenset(json.loads(group.linked_teams))
    mapping = GroupMapping(teams=linked) if endpoint == "legacy" else mapping_of(group.mapping)
    return GroupRow(group.id, key, mapping, linked, group.pushed)


class UserAccess(NamedTuple):
    """A user and their access."""

    person: Person
    access: Access


def access_of(tx: Connection, user_id: str) -> UserAccess | None:
    """Return the user with an id, and their access with its reasons (R1 to R36); None when there is none."""
    user = tx.execute(_PEOPLE.where(USERS.c.id == user_id)).first()
    return None if user is None else _user_access(tx, user)


def access_by_email(tx: Connection, email: str) -> UserAccess | None:
    """Return the same by email, compared without case (R28)."""
    user = tx.execute(_PEOPLE.where(USERS.c.email_key == address(email))).first()
    return None if user is None else _user_access(tx, user)


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


def _user_access(tx: Connection, user: AnyRow) -> UserAccess:
    member_of = select(MEMBERSHIPS.c.group_id).where(MEMBERSHIPS.c.user_id == user.id)
    ids = set(tx.execute(member_of).scalars())
    state = read_rules(tx, ids)
    person = person_of(user, ids, state)
    return UserAccess(person, effective(compile_access(state.settings, state.facts), person))


def person_of(user: AnyRow, group_ids: set[str], state: OrgState) -> Person:
    """Return a row of ``users`` and the ids of the user's groups as the model's ``Person``."""
    groups = tuple(sorted(state.groups[group].key for group in group_ids if group in state.groups))
    manual = tuple(TeamRole(edit["team"], edit["role"]) for edit in json.loads(user.manual))
    org_role = None if user.org_role is None else OrgRole(user.org_role)
    traits = Traits(user.origin, user.active, user.pending, user.role_attribute, manual, org_role)
    return Person(user.email, user.id, groups, traits)
