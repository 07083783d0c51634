"""Serves WRITER's export of audit events from the org's own audit log, with records of both styles.

Only what WRITER's documentation lists is exported: SCIM settings, default access and IdP groups are not. The fields of
records are assumptions, since WRITER does not document them.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from rolecall.localorg.api.call import OrgRow, decode_query
from rolecall.localorg.api.handle import Route, guarded, with_headers
from rolecall.localorg.api.writer_key import admit_key
from rolecall.localorg.store import Database
from rolecall.localorg.store.audit import export_style
from rolecall.localorg.store.keys import stamp
from rolecall.localorg.store.tables import AUDIT, AnyRow
from rolecall.localorg.web import Request, Response, Router, json_response, refuse
from rolecall.model.roles import ORG_ADMIN

PATH = "/api/observability/v1/organization/{id}/audit/events/export"

ROUTER = Router((Route("GET", PATH),))


class Logged(NamedTuple):
    """An action as WRITER's log has it: area, name, and what was changed.

    ``code`` is the name in newer records, ``role`` the new role of a user, empty if the record states none; ``team`` is
    where it applies, empty for the org.
    """

    area: str
    action: str
    object: str
    code: str
    role: str = ""
    team: str = ""


def handle_export(request: Request, db: Database) -> Response:
    """Answer a request for the export. Never raises for a request."""
    return guarded(request, lambda: _answer(request, db))


def _answer(request: Request, db: Database) -> Response:
    admitted = admit_key(request, db, ROUTER)
    with db.read() as tx:
        page = _page(tx, decode_query(request.query), admitted.org)
    return with_headers(json_response(200, page), admitted.pace)


def _page(tx: Connection, query: Mapping[str, str], org: OrgRow) -> dict[str, Any]:
    """Return the next records and the cursor after them; also after entries that are not exported."""
    selected = select(AUDIT).order_by(AUDIT.c.seq).limit(org.page_limit)
    after = _position(query["cursor"]) if "cursor" in query else 0
    if "cursor" not in query and "start_date" not in query:
        after = int(tx.execute(select(func.coalesce(func.max(AUDIT.c.seq), 0))).scalar_one())
    if "start_date" in query and "cursor" not in query:
        selected = selected.where(AUDIT.c.at >= _date(query["start_date"]))
    entries = tx.execute(selected.where(AUDIT.c.seq > after)).all()
    style = export_style(tx)
    records = [record for entry in entries for record in exported(entry, org.id, style)]
    return {"data": records, "cursor": _cursor(entries[-1].seq if entries else after)}


def exported(entry: AnyRow, org: str, style: str = "both") -> Iterator[dict[str, Any]]:
    """Yield the records of one entry: none for what the log does not have, two where two settings changed."""
    for number, logged in enumerate(_logged(entry)):
        newer = style == "platform" or (style == "both" and entry.address.startswith("users/"))
        yield {**(_platform if newer else _legacy)(entry, logged, number), **_of_org(org, newer=newer)}


def _legacy(entry: AnyRow, logged: Logged, number: int) -> dict[str, Any]:
    return {
        "id": f"{entry.id}-{number}",
        "source": "legacy",
        "createdAt": entry.at,
        "user": {"email": entry.actor},
        "ipAddress": entry.source_ip,
        "area": logged.area,
        "action": logged.action,
        "result": "SUCCESS",
        "object": logged.object or None,
        **({"newRole": logged.role} if logged.role else {}),
        **({"team": logged.team} if logged.team else {}),
    }


def _platform(entry: AnyRow, logged: Logged, number: int) -> dict[str, Any]:
    return {
        "eventId": f"{entry.id}-{number}",
        "source": "platform",
        "timestamp": int(datetime.fromisoformat(entry.at).timestamp() * 1000),
        "event": {"type": logged.code, "outcome": {"status": "success"}},
        "actor": {"type": "user", "email": entry.actor},
        "target": {"type": logged.area.lower(), "name": logged.object},
        "context": {"ip": entry.source_ip},
        **({"changes": {"role": {"to": logged.role}}} if logged.role else {}),
        **({"team": {"name": logged.team}} if logged.team else {}),
    }


def _of_org(org: str, *, newer: bool) -> dict[str, Any]:
    return {"organization": {"id": org}} if newer else {"organizationId": org}


def _logged(entry: AnyRow) -> Iterator[Logged]:
    """Yield what WRITER's log has of an entry."""
    before, after = ({} if text is None else json.loads(text) for text in (entry.before, entry.after))
    section, _, key = entry.address.partition("/")
    if section == "sso":
        yield from _of_sso(before, after)
    elif section == "domains" and before and after:
        action, code = "Update domain discoverability settings", "domain_discoverability.settings.updated"
        yield Logged("SAML/Domain discoverability", action, key, code)
    elif section == "domains":
        action, code = "Updated domain management settings", "security.domain_management_settings.updated"
        yield Logged("Security", action, key, code)
    elif section == "users":
        yield from _of_user(before, after)


def _of_sso(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Logged]:
    if before.get("enabled") != after.get("enabled"):
        state = "Enabled" if after.get("enabled") else "Disabled"
        yield Logged("SAML", state, "", f"saml.{state.lower()}")
    if before.get("allow_passwords") != after.get("allow_passwords"):
        verb = "Enable" if after.get("allow_passwords") else "Disable"
        yield Logged("Sign in", f"{verb} password", "", f"sign_in.password.{verb.lower()}d")


def _of_user(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Logged]:
    names = (user.get(key) for user in (after, before) for key in ("userName", "email"))
    name = str(next(filter(None, names), ""))
    if not before:
        yield Logged("User", "Invited", name, "user.invited", _only_role(_team_roles(after)))
    elif not after or (before.get("active") is not False and after.get("active") is False):
        yield Logged("User", "Removed", name, "user.removed")
    else:
        yield from _of_roles(name, before, after)


def _of_roles(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Logged]:
    """Yield the changes of roles: at org level, which an org admin of a team has too (R21), or in each team."""
    old, new = _team_roles(before), _team_roles(after)
    admin = ORG_ADMIN in new.values()
    if before.get("org_role") != after.get("org_role") or admin != (ORG_ADMIN in old.values()):
        role = after.get("org_role") or (ORG_ADMIN if admin else _only_role(new))
        yield Logged("User", "Role changed", name, "user.role.changed", role)
        return
    for team in sorted(old.keys() | new.keys()):
        if old.get(team) != new.get(team):
            role = new.get(team, "")
            yield Logged("Team", "Role changed", name, "team.role.changed", role, team)


def _team_roles(user: Mapping[str, Any]) -> dict[str, str]:
    return {edit["team"]: edit["role"] for edit in user.get("manual") or ()}


def _only_role(roles: Mapping[str, str]) -> str:
    """Return the role of all teams; empty if they differ."""
    return next(iter(roles.values())) if len({*roles.values()}) == 1 else ""


def _cursor(position: int) -> str:
    return urlsafe_b64encode(f"after:{position}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        start, _, number = urlsafe_b64decode(cursor.encode()).decode().partition(":")
        position = int(number) if start == "after" else -1
    except ValueError:
        position = -1
    if position < 0:
        raise refuse(400, "bad_cursor", "The cursor is not one that this org gave out")
    return position


def _date(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError(text)
        return stamp(at)
    except (ValueError, OverflowError):
        raise refuse(400, "bad_parameter", "`start_date` must be an RFC 3339 time with a time zone") from None
