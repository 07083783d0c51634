"""Fills the org from a snapshot of another one: settings, facts and users."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection

from rolecall.codec.settings import encode_settings, encode_value
from rolecall.errors import ConfigError, Problem
from rolecall.localorg.store import Database, audit, counters, keys
from rolecall.localorg.store.keys import address, bucket
from rolecall.localorg.store.singletons import NEW_SETTINGS, empty
from rolecall.localorg.store.state import KEPT, keep_settings
from rolecall.localorg.store.tables import (
    DOMAINS,
    GROUPS,
    MEMBERSHIPS,
    NEW_DOMAIN,
    ORG,
    ROLES,
    SETTINGS,
    TEAMS,
    USERS,
    domain_columns,
)
from rolecall.model.directory import NO_PROFILE, Directory
from rolecall.model.live import Facts, Live
from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN, role_words
from rolecall.model.settings import BLANK, UNSET, GroupMapping, Settings

_IDS = uuid.UUID("5d3f6a4e-7c2b-4d0a-9a57-0b6f2c1e8d34")
_SAFE_ID = re.compile(r"[A-Za-z0-9._:@+-]{1,100}")
_BATCH = 5000
_CACHE_KIB = 262_144
_MOST_PROBLEMS = 20
_INVITATION = (
    "correct `manual` of this user in the snapshot; if their team roles were edited after the invitation, write "
    "`origin: saml`, which may have any team roles"
)


class Loaded(NamedTuple):
    """The numbers of entries in the org after a load."""

    domains: int
    groups: int
    people: int
    memberships: int


class _Group(NamedTuple):
    id: str
    name: str
    external_id: str | None
    mapping: GroupMapping
    linked: frozenset[str]
    pushed: bool


def load(db: Database, live: Live, people: Directory) -> Loaded:
    """Empty the org, except for tokens and limits, and fill it. Sections that were not read get a new org's values.

    Ids are kept where the snapshot has them; the others follow from org and name, so that loading twice gives the
    same ids. ETags and revisions continue: none is reused.

    Raises ConfigError, and changes nothing, for invited users who have what no invitation gives (R6).
    """
    check_invitations(people)
    with db.write() as tx:
        if tx.dialect.name == "sqlite":
            tx.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
        before = tx.execute(ORG.select()).one()
        empty(tx)
        _load_org(tx, live.facts, before._asdict())
        _load_settings(tx, live.settings, live.facts)
        _load_names(tx, live)
        groups = _groups(live, people)
        _load_groups(tx, groups)
        if live.facts.kept is None and live.settings.scim is not UNSET and live.settings.scim.enabled is False:
            keep_settings(tx)  # SCIM is off: its users keep the access in force now (R33)
        memberships = _load_people(tx, live.facts.org_id, people, groups)
        domains = live.settings.domains
        loaded = Loaded(0 if domains is UNSET else len(domains), len(groups), len(people), memberships)
        audit.record(tx, audit.Actor("service", "local"), "load", "org", None, loaded._asdict())
    db.settle()
    return loaded


def check_invitations(people: Directory) -> None:
    """Refuse invited users without a team, or with two roles (R6). Raises ConfigError, naming the first 20.

    An invited user who was made org admin later keeps the invitation's role in the other teams.
    """
    problems = [
        Problem("invitation", f"{people.emails[number]} is invited {wrong} (R6)", hint=_INVITATION)
        for number, traits in people.others.items()
        if traits.origin == "invite" and traits.present and (wrong := invitation_fault(traits.manual))
    ]
    if problems:
        raise ConfigError(*problems[:_MOST_PROBLEMS])


def invitation_fault(team_roles: Sequence[TeamRole]) -> str:
    """Return what is wrong with the team roles of an invited user; empty if nothing is."""
    roles = sorted({team_role.role for team_role in team_roles} - {ORG_ADMIN})
    if not team_roles:
        return "to no team, but an invitation is to at least one"
    return f"as {' and '.join(map(role_words, roles))}, but an invitation gives one role" if len(roles) > 1 else ""


def _load_org(tx: Connection, facts: Facts, before: dict[str, Any]) -> None:
    known = {
        "id": facts.org_id or before["id"],
        "name": facts.org_name or before["name"],
        "plan": facts.plan or before["plan"],
        "scim_in_plan": "scim" in facts.features,
        "created": keys.now(),
    }
    tx.execute(ORG.insert().values(**{**before, **known}))


def _load_settings(tx: Connection, settings: Settings, facts: Facts) -> None:
    at = keys.now()
    for section, new in NEW_SETTINGS.items():
        loaded = getattr(settings, section)
        value = new if loaded is UNSET else {**new, **encode_value(section, loaded)}
        _insert_setting(tx, section, value, at)
    if facts.kept is not None and not (settings.scim is UNSET or settings.scim.enabled):
        _insert_setting(tx, KEPT, encode_settings(facts.kept), at)
    domains = {} if settings.domains is UNSET else settings.domains
    for name, domain in domains.items():
        tx.execute(
            DOMAINS.insert().values(
                name=name,
                **domain_columns({**NEW_DOMAIN, **encode_value("domains", domain)}),
                version=counters.bump(tx, "version"),
                created=at,
                modified=at,
            )
        )


def _insert_setting(tx: Connection, section: str, value: Mapping[str, Any], at: str) -> None:
    setting = {"section": section, "value": json.dumps(value), "version": counters.bump(tx, "version"), "modified": at}
    tx.execute(SETTINGS.insert().values(setting))


def _load_names(tx: Connection, live: Live) -> None:
    at, facts = keys.now(), live.facts
    teams = facts.teams if facts.teams is not None else _teams_named(live.settings)
    team_rows = [{"name": team, "id": _id(facts.org_id, "team", team), "created": at} for team in sorted(teams)]
    if team_rows:
        tx.execute(TEAMS.insert(), team_rows)
    roles = enumerate(facts.roles.values())
    tx.execute(ROLES.insert(), [{"id": r.id, "name": r.name, "level": r.level, "position": n} for n, r in roles])


def _teams_named(settings: Settings) -> frozenset[str]:
    mapped = {} if settings.idp_groups is UNSET else settings.idp_groups
    named = set(chain.from_iterable(mapping.teams for mapping in mapped.values()))
    if settings.defaults is not UNSET and settings.defaults.teams is not UNSET:
        named |= settings.defaults.teams
    return frozenset(named or NEW_SETTINGS["defaults"]["teams"])


def _groups(live: Live, people: Directory) -> dict[str, _Group]:
    """Return every group that settings, legacy links or users name, by the key they use for it."""
    facts = live.facts
    mapped = {} if live.settings.idp_groups is UNSET else live.settings.idp_groups
    scim = live.settings.scim
    endpoint = "new" if scim is UNSET or scim.endpoint is UNSET else scim.endpoint
    links = (facts.legacy_links or {}) if endpoint == "upgrading" else {}
    hidden = set(links) | (set(people.groups) - set(mapped) if endpoint == "upgrading" else set())
    groups = {}
    for key in dict.fromkeys(chain(mapped, links, people.groups)):
        known, mapping = facts.groups.get(key), mapped.get(key, BLANK)
        group_id = _own_id(known.id if known else "") or _id(facts.org_id, "group", key)
        linked = mapping.teams if endpoint == "legacy" else links.get(key, frozenset())
        external = known.external_id if known else None
        name = _name(key, known.id if known else "", facts)
        effective = BLANK if endpoint == "legacy" else mapping
        groups[key] = _Group(group_id, name, external, effective, linked, key not in hidden or key in mapped)
    return groups


def _name(key: str, group_id: str, facts: Facts) -> str:
    """Return the group's own name: keys of groups that share one end in their id."""
    match = re.fullmatch(r"(.+) \[([^\]]+)\]", key, re.DOTALL)
    if match and (match[1] in facts.homonyms or match[2] == group_id or key in (facts.legacy_links or {})):
        return match[1]
    return key


def _load_groups(tx: Connection, groups: Mapping[str, _Group]) -> None:
    from rolecall.localorg.scim.documents import loaded_group

    at = keys.now()
    group_rows = [
        {
            "id": group.id,
            **loaded_group(group.name, group.external_id),
            "version": 1,
            "mapping": None if group.mapping.blank else json.dumps(encode_value("idp_groups", group.mapping)),
            "mapping_version": counters.bump(tx, "version"),
            "linked_teams": json.dumps(sorted(group.linked)),
            "pushed": group.pushed,
            "created": at,
            "modified": at,
        }
        for group in groups.values()
    ]
    if group_rows:
        tx.execute(GROUPS.insert(), group_rows)


def _load_people(tx: Connection, org: str, people: Directory, groups: Mapping[str, _Group]) -> int:
    at, numbers = keys.now(), [groups[name].id for name in people.groups]
    mark = "?" if tx.dialect.name == "sqlite" else "%s"
    insert = f"INSERT INTO {MEMBERSHIPS.name} (group_id, user_id) VALUES ({mark}, {mark})"
    memberships = 0
    for first in range(0, len(people), _BATCH):
        batch = range(first, min(first + _BATCH, len(people)))
        user_rows = [_user(org, people, number, at) for number in batch]
        tx.execute(USERS.insert(), user_rows)
        links = sorted(
            (numbers[group], str(user["id"]))
            for number, user in zip(batch, user_rows, strict=True)
            for group in set(people.members[people.offsets[number] : people.offsets[number + 1]])
        )
        if links:
            tx.exec_driver_sql(insert, links)
        memberships += len(links)
    return memberships


def _user(org: str, people: Directory, number: int, at: str) -> dict[str, Any]:
    email, loaded_id, traits = people.emails[number], people.ids[number], people.traits(number)
    key, profile = address(email), people.profiles.get(number, NO_PROFILE)
    user_id = (_own_id(loaded_id) if loaded_id != email else None) or _id(org, "person", key)
    user: dict[str, Any] = {
        "id": user_id,
        "email": email,
        "email_key": key,
        "external_id": None,
        "active": traits.active,
        "role_attribute": traits.role_attribute,
        "document": None,
        "user_name_key": None,
        "folded": None,
    }
    if traits.origin == "scim":
        user |= _document(email, traits.active, traits.role_attribute)
    return user | {
        "origin": traits.origin,
        "pending": traits.pending,
        "manual": json.dumps([team_role._asdict() for team_role in traits.manual], separators=(",", ":")),
        "org_role": None if traits.org_role is None else traits.org_role.role,
        "seat": profile.seat or None,
        "billing_group": profile.billing_group or None,
        "version": 1,
        "bucket": bucket(user_id),
        "created": at,
        "modified": at,
    }


def _document(email: str, active: bool, role: str | None) -> dict[str, Any]:
    from rolecall.localorg.scim.documents import loaded_user

    return loaded_user(email, active=active, role=role)


def _own_id(loaded_id: str) -> str | None:
    """Return an id that can be used as it is in an address and in a list of ids."""
    return loaded_id if _SAFE_ID.fullmatch(loaded_id) else None


def _id(*names: str) -> str:
    return str(uuid.uuid5(_IDS, "\0".join(names)))
