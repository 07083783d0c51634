"""IdP groups and their mappings. Groups exist once the IdP has pushed them; the admin API creates none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, func, select, true

from rolecall.codec.api import Item, encode_item
from rolecall.localorg.api.call import Call, Written, check_parameters
from rolecall.localorg.api.fields import body_object, check_role, checks_of, known_teams
from rolecall.localorg.api.lists import list_table
from rolecall.localorg.api.singletons import require_scim_plan
from rolecall.localorg.api.writes import check_match, etag
from rolecall.localorg.store import counters
from rolecall.localorg.store.singletons import read_value
from rolecall.localorg.store.state import mapping_of
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, AnyRow
from rolecall.localorg.web import Response, dump, json_response, refuse
from rolecall.model.live import Group
from rolecall.model.settings import GroupMapping


def list_groups(call: Call, tx: Connection) -> Response:
    """List the pushed groups, by id."""
    legacy = _is_legacy(tx)
    return list_table(call, tx, "idp_groups", _groups(), GROUPS.c.id, lambda row: _item(row, legacy))


def read_group(call: Call, tx: Connection) -> Response:
    """Return one group."""
    check_parameters(call)
    row = _group(call, tx)
    return json_response(200, _item(row, _is_legacy(tx)), (("ETag", etag(row.mapping_version)),))


def update_mapping(call: Call, tx: Connection) -> Written:
    """Map a group to one role and one or more teams, or to teams alone (R31). The mapping is written whole."""
    row = _begin(call, tx)
    body = body_object(call, checks_of("idp_groups"), ("teams",))
    role, teams = body.get("role"), known_teams(tx, body["teams"])
    if role is not None:
        check_role(tx, role)
    if not teams:
        what = "a role without a team gives no access" if role else "remove a mapping with DELETE"
        raise refuse(422, "teams_needed", f"A mapping names at least one team: {what} (R4, R21)", field="teams")
    return _write(tx, row, "update", dump({**body, "role": role, "teams": teams}))


def delete_mapping(call: Call, tx: Connection) -> Written:
    """Remove a group's mapping: its users fall back to default access and are not locked out (R10, R22)."""
    row = _begin(call, tx)
    if row.mapping is None:
        raise refuse(404, "no_mapping", f"The group `{row.display_name}` has no mapping")
    done = _write(tx, row, "delete", None)
    return done._replace(body={"id": row.id, "deleted": True, "etag": done.etag})


def _begin(call: Call, tx: Connection) -> AnyRow:
    check_parameters(call)
    require_scim_plan(call)
    row = _group(call, tx)
    check_match(call, etag(row.mapping_version))
    if _is_legacy(tx):
        raise refuse(
            409,
            "legacy_endpoint",
            "Groups of the legacy endpoint give the teams that they are linked to and cannot be mapped; "
            "upgrade the endpoint first (R18, R20)",
        )
    return row


def _write(tx: Connection, row: AnyRow, action: str, mapping: str | None) -> Written:
    version = counters.bump(tx, "version")
    tx.execute(GROUPS.update().where(GROUPS.c.id == row.id).values(mapping=mapping, mapping_version=version))
    counters.bump(tx, "idp_groups")
    after = tx.execute(_groups().where(GROUPS.c.id == row.id)).one()
    current, changed = _item(row, legacy=False), _item(after, legacy=False)
    return Written(
        f"idp_groups/{row.display_name}", action, current["mapping"], changed["mapping"], changed, etag(version)
    )


def _group(call: Call, tx: Connection) -> AnyRow:
    row = tx.execute(_groups().where(GROUPS.c.id == call.params["id"])).first()
    if row is None:
        raise refuse(404, "no_such_group", "This org has no such IdP group; a group exists once the IdP has pushed it")
    return row


def _groups() -> Select[Any]:
    count = (
        select(func.count())
        .select_from(MEMBERSHIPS)
        .where(MEMBERSHIPS.c.group_id == GROUPS.c.id)
        .scalar_subquery()
        .label("member_count")
    )
    columns = ("id", "display_name", "external_id", "mapping", "mapping_version", "linked_teams")
    return select(*(GROUPS.c[name] for name in columns), count).where(GROUPS.c.pushed == true())


def _is_legacy(tx: Connection) -> bool:
    return bool(read_value(tx, "scim")["endpoint"] == "legacy")


def _item(row: AnyRow, legacy: bool) -> dict[str, Any]:
    import json

    mapping = GroupMapping(teams=frozenset(json.loads(row.linked_teams))) if legacy else mapping_of(row.mapping)
    group = Group(row.id, row.external_id, row.member_count)
    return encode_item("idp_groups", Item(row.display_name, mapping, etag(row.mapping_version), group))
