"""Teams as groups of the legacy endpoint: an IdP reads them, links its groups to them, and unlinks them again (R18).

Each team that no pushed group has the name of is a row of ``groups`` with the team's id. A row that is not ``pushed``
is a team that no IdP group is linked to: SCIM shows it, and it gives nothing. SCIM never creates, renames or deletes a
team.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from scim2_models import MutabilityException
from sqlalchemy import Connection, bindparam, false, select, true

from rolecall.localorg.scim.documents import group_columns, loaded_group
from rolecall.localorg.scim.models import GROUP, Group
from rolecall.localorg.scim.session import ScimSession
from rolecall.localorg.store import clock, counters, keys
from rolecall.localorg.store.tables import GROUPS, TEAMS

_PUSHED = GROUPS.alias()
UNLINKED = GROUPS.c.pushed == false()
LISTED = ~select(true()).where(_PUSHED.c.name_key == GROUPS.c.name_key, _PUSHED.c.pushed).exists()
"""Of the teams that no IdP group is linked to, those whose name no pushed group has."""

_WITHOUT_ROW = select(TEAMS.c.id, TEAMS.c.name).where(TEAMS.c.id.not_in(select(GROUPS.c.id)))
_BY_ID = (
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
    at = clock.now()
    for team in tx.execute(_WITHOUT_ROW.order_by(TEAMS.c.name)).all():
        fixed = {"id": team.id, "version": 1, "mapping": None, "pushed": False, "created": at, "modified": at}
        version = counters.bump(tx, "version")
        linked = json.dumps([team.name], ensure_ascii=False)
        tx.execute(
            GROUPS.insert().values(**fixed, **loaded_group(team.name), mapping_version=version, linked_teams=linked)
        )


def team_of(session: ScimSession, group_id: str) -> TeamGroup | None:
    """Return the team that a group stands for; None for a group that the IdP pushed."""
    row = session.tx.execute(_BY_ID, {"group_id": group_id}).first()
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
