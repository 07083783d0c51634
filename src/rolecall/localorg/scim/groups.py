"""Groups in the database: pushed, changed, deleted; and teams as groups of the legacy endpoint (R18).

Members are in the join table only. Each team is a row of ``groups`` with the team's id. A row that is not ``pushed`` is
a team that no IdP group is linked to: SCIM shows it, unless a pushed group has its name, and it gives no access. SCIM
never creates, renames or deletes a team.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from scim2_models import MutabilityException, NotFoundException, PreconditionFailedException, Resource
from sqlalchemy import Connection, bindparam, false, select, true

from rolecall.localorg.scim import members
from rolecall.localorg.scim.documents import Stored, checked, document_of, group_columns, loaded_group
from rolecall.localorg.scim.models import GROUP, Group
from rolecall.localorg.scim.shapes import ScimSession
from rolecall.localorg.store import counters, keys
from rolecall.localorg.store.tables import GROUPS, TEAMS
from rolecall.model import normalise

# Statements are built once: building one costs several times what running it does.
_SHOWN = select(GROUPS.c.id, GROUPS.c.document, GROUPS.c.version, GROUPS.c.created, GROUPS.c.modified)
_BY_ID = _SHOWN.add_columns(GROUPS.c.pushed).where(GROUPS.c.id == bindparam("group_id"), GROUPS.c.document.is_not(None))
_BY_IDS = _SHOWN.where(GROUPS.c.id.in_(bindparam("ids", expanding=True)))
_UPDATE = GROUPS.update().where(GROUPS.c.id == bindparam("group_id"))


def read_group(session: ScimSession, group_id: str) -> Stored:
    """Return a group by id, without its members. Raises NotFoundException, for one hidden by an upgrade too (R20)."""
    row = session.tx.execute(_BY_ID, {"group_id": group_id}).first()
    if row is None or not (row.pushed or session.endpoint() == "legacy"):
        raise NotFoundException(detail=f"Group {group_id!r} not found")
    return stored_group(row)


def read_groups(session: ScimSession, ids: Sequence[str]) -> list[Stored]:
    """Return groups by their ids, in the order of the ids."""
    rows = session.tx.execute(_BY_IDS, {"ids": ids})
    groups = {row.id: stored_group(row) for row in rows}
    return [groups[group_id] for group_id in ids if group_id in groups]


def create_group(session: ScimSession, resource: Resource[Any], member_ids: Sequence[str]) -> Stored:
    """Create a group that the IdP pushes: it has no mapping until an admin maps it."""
    document = checked(document_of(resource))
    new, at = keys.new_id(), keys.now()
    session.tx.execute(
        GROUPS.insert().values(
            id=new,
            version=1,
            mapping=None,
            mapping_version=counters.bump(session.tx, "version"),
            linked_teams=_linked(session, document),
            pushed=True,
            created=at,
            modified=at,
            **group_columns(type(resource), document),
        )
    )
    added = members.replace(session, new, member_ids).added
    after = {**document, **_audited_members(added, "members")}
    session.record("groups.create", f"groups/{new}", None, after, *_changed_lists(added))
    return Stored("Group", new, document, 1, at, at)


def update_group(session: ScimSession, resource: Resource[Any] | None, old: Stored, changes: members.Delta) -> Stored:
    """Store a group's new state and its members' changes; ``resource`` None leaves its own attributes unchanged.

    A write to a team that no IdP group is linked to links it (R18). Raises MutabilityException for a team's new name.
    """
    document = old.document if resource is None else checked(document_of(resource))
    team = team_of(session, old.id)
    if team is not None:
        document = check_name(team, document)
    links = team is not None and not team.linked
    if document == old.document and not changes and not links:
        return old
    stored = Stored("Group", old.id, document, old.version + 1, old.created, keys.now())
    values: dict[str, Any] = {"version": stored.version, "modified": stored.modified}
    if resource is not None and document != old.document:
        values |= group_columns(type(resource), document)
        if team is None and document["displayName"] != old.document["displayName"]:
            values["linked_teams"] = _linked(session, document)
    if links:
        values["pushed"] = True
    session.tx.execute(_UPDATE, {**values, "group_id": old.id})
    before, after = _audited_members(changes.removed, "removed"), _audited_members(changes.added, "added")
    if links or document != old.document:
        before, after = {**old.document, **before}, {**document, **after}
    action = "groups.link" if links else "groups.update"
    session.record(action, f"groups/{old.id}", None if links else before, after, *_changed_lists(changes))
    return stored


def delete_group(session: ScimSession, group_id: str, expected: str | None = None) -> None:
    """Delete a group and its mapping, or unlink it from its team; its users lose the access it gave (R18, R22, R25)."""
    old = read_group(session, group_id)
    check_version(old, expected)
    team = team_of(session, group_id)
    if team is not None and not team.linked:
        return
    removed = members.clear(session, group_id).removed
    if team is None:
        session.tx.execute(GROUPS.delete().where(GROUPS.c.id == group_id))
    else:
        values = {**unlinked_columns(team), "version": old.version + 1, "modified": keys.now()}
        session.tx.execute(_UPDATE, {**values, "group_id": group_id})
    before = {**old.document, **_audited_members(removed, "members")}
    action = "groups.delete" if team is None else "groups.unlink"
    session.record(action, f"groups/{group_id}", before, None, *_changed_lists(removed))


def check_version(old: Stored, expected: str | None) -> None:
    """Refuse a resource that is not at the expected version. Raises PreconditionFailedException."""
    if expected is not None and old.etag != expected:
        raise PreconditionFailedException


def without_members(resource: Any) -> Resource[Any]:
    """Return the same group without its members, which are in the join table."""
    resource.members = None
    group: Resource[Any] = resource
    return group


def stored_group(row: Any) -> Stored:
    """Return a row of ``groups`` as a stored resource."""
    return Stored("Group", row.id, json.loads(row.document), row.version, row.created, row.modified)


def _changed_lists(members_changed: object) -> tuple[str, ...]:
    """Return the lists that a write to a group changes: users list their groups."""
    return ("idp_groups", "people") if members_changed else ("idp_groups",)


def _audited_members(ids: Sequence[str], key: str) -> dict[str, Any]:
    """Return members as the audit log has them: all if they are few, else the first hundred and their number."""
    if not ids:
        return {}
    return {key: sorted(ids)} if len(ids) <= 100 else {key: sorted(ids)[:100], f"{key}_total": len(ids)}


def _linked(session: ScimSession, document: dict[str, Any]) -> str:
    """Return the team that a group of the legacy endpoint is linked to, by its name (R18); SCIM never creates a
    team."""
    if session.endpoint() != "legacy":
        return "[]"
    name = normalise.name(document["displayName"])
    team = session.tx.execute(select(TEAMS.c.name).where(TEAMS.c.name == name)).scalar()
    return json.dumps([] if team is None else [team], ensure_ascii=False)


_PUSHED = GROUPS.alias()
UNLINKED = GROUPS.c.pushed == false()
LISTED = ~select(true()).where(_PUSHED.c.name_key == GROUPS.c.name_key, _PUSHED.c.pushed).exists()
"""Of the teams that no IdP group is linked to, those whose name no pushed group has."""

_WITHOUT_ROW = select(TEAMS.c.id, TEAMS.c.name).where(TEAMS.c.id.not_in(select(GROUPS.c.id)))
_TEAM_BY_ID = (
    select(TEAMS.c.name, GROUPS.c.pushed)
    .join(GROUPS, GROUPS.c.id == TEAMS.c.id)
    .where(TEAMS.c.id == bindparam("group_id"))
)


class TeamGroup(NamedTuple):
    """The team that a group stands for, and whether an IdP group is linked to it."""

    name: str
    linked: bool


def lacks_teams(tx: Connection) -> bool:
    """Return whether a team has no group yet: one that was loaded, or made before teams were listed."""
    return tx.execute(_WITHOUT_ROW.limit(1)).first() is not None


def add_teams(tx: Connection) -> None:
    """Create the group of each team that has none."""
    at = keys.now()
    for team in tx.execute(_WITHOUT_ROW.order_by(TEAMS.c.name)).all():
        fixed = {"id": team.id, "version": 1, "mapping": None, "pushed": False, "created": at, "modified": at}
        version = counters.bump(tx, "version")
        linked = json.dumps([team.name], ensure_ascii=False)
        tx.execute(
            GROUPS.insert().values(**fixed, **loaded_group(team.name), mapping_version=version, linked_teams=linked)
        )


def team_of(session: ScimSession, group_id: str) -> TeamGroup | None:
    """Return the team that a group stands for; None for a group that the IdP pushed."""
    row = session.tx.execute(_TEAM_BY_ID, {"group_id": group_id}).first()
    return None if row is None else TeamGroup(row.name, row.pushed)


def check_name(team: TeamGroup, document: dict[str, Any]) -> dict[str, Any]:
    """Return a team's document with the team's own name. Raises MutabilityException for another name."""
    if keys.fold(document["displayName"]) != keys.fold(team.name):
        raise MutabilityException(
            attribute="displayName",
            mutability="readOnly",
            operation="replace",
            detail=f"{team.name!r} is a team: SCIM does not rename teams. In Okta, turn off renaming of app groups",
        )
    return {**document, "displayName": team.name}


def unlinked_columns(team: TeamGroup) -> dict[str, Any]:
    """Return the columns of a team that no IdP group is linked to any more: nothing of what the IdP wrote is left."""
    return {**group_columns(Group, {"schemas": [GROUP], "displayName": team.name}), "pushed": False}
