"""The pages that show the org, and their forms: each form is one request of the admin API.

A refusal is shown next to the form.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import and_, func, select, true, tuple_

from rolecall.localorg.console import session
from rolecall.localorg.console.desk import Desk, segment
from rolecall.localorg.console.render import page, redirect
from rolecall.localorg.store.keys import address, fold
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS
from rolecall.localorg.web import Response, refuse
from rolecall.model.fields import Field, Kind
from rolecall.model.kinds import BY_SECTION, KINDS

PAGE: Final = 50


def show(desk: Desk, template: str, current: str, problems: list[str] | None = None, **values: Any) -> Response:
    """Render a page for a user who is signed in; ``problems`` are what the org said to a form that was refused."""
    return page(
        template,
        422 if problems else 200,
        org=desk.org,
        who=desk.who,
        current=current,
        pages=[("/", "Overview"), *((path_of(kind), kind.label) for kind in KINDS), *_MORE_PAGES],
        proof=session.proof(desk.session.id),
        problems=problems or [],
        saved=bool(desk.parameter("saved")) and not problems,
        **values,
    )


def overview(desk: Desk) -> Response:
    """Show the org at a glance."""
    return show(
        desk,
        "overview",
        "/",
        facts=desk.read("/v1/org"),
        domains=desk.read("/v1/domains")["total"],
        defaults=desk.read("/v1/access/defaults"),
        sso=desk.read("/v1/access/sso"),
        scim=desk.read("/v1/access/scim"),
        groups=desk.read("/v1/idp-groups?limit=1")["total"],
        events=desk.read("/v1/audit-log?order=desc&limit=5")["data"],
    )


def domains(desk: Desk, problems: list[str] | None = None) -> Response:
    """Show the claimed domains, each as a form."""
    kind = BY_SECTION["domains"]
    return show(desk, "domains", path_of(kind), problems, domains=_all(desk, kind.api_path), **_fields(desk, kind))


def singleton(desk: Desk, section: str, problems: list[str] | None = None) -> Response:
    """Show settings that the org has one of, as a form."""
    kind = BY_SECTION[section]
    settings = desk.read(kind.api_path)
    return show(desk, "singleton", path_of(kind), problems, kind=kind, settings=settings, **_fields(desk, kind))


def controls(kind: Kind) -> list[Field]:
    """Return the fields that a form has: those that an update may change and, unless it changes all, no free text."""
    return [field for field in kind.fields if field.updated and (kind.whole or field.type not in ("text", "document"))]


def path_of(kind: Kind) -> str:
    """Return the address of the page of a kind: ``/groups``, ``/sso``."""
    return f"/{kind.noun}s" if kind.keyed else f"/{kind.section}"


_MORE_PAGES = (("/people", "People"), ("/audit", "Audit log"))


def _fields(desk: Desk, kind: Kind) -> dict[str, Any]:
    """Return what a form of a kind needs: its fields, and the names to choose from."""
    shown = controls(kind)
    named = {field.type for field in shown}
    return {
        "controls": shown,
        "facts": [field for field in kind.fields if field not in shown],
        "roles": _roles(desk) if "role" in named else [],
        "teams": _teams(desk) if "teams" in named else [],
    }


def groups(desk: Desk) -> Response:
    """Show IdP groups by name, with their mappings."""
    after = tuple(desk.parameter("after").split("|", 1))
    query = select(GROUPS.c.id, GROUPS.c.name_key, GROUPS.c.display_name).where(GROUPS.c.pushed == true())
    if len(after) == 2:
        query = query.where(tuple_(GROUPS.c.name_key, GROUPS.c.id) > tuple_(*after))
    with desk.db.read() as tx:
        total = tx.execute(select(func.count()).select_from(GROUPS).where(GROUPS.c.pushed == true())).scalar_one()
        rows = tx.execute(query.order_by(GROUPS.c.name_key, GROUPS.c.id).limit(PAGE + 1)).all()
    shown = [desk.read(f"/v1/idp-groups/{segment(row.id)}") for row in rows[:PAGE]]
    more = f"{rows[PAGE - 1].name_key}|{rows[PAGE - 1].id}" if len(rows) > PAGE else None
    return show(desk, "groups", "/groups", groups=shown, total=total, more=more)


def group(desk: Desk, problems: list[str] | None = None) -> Response:
    """Show one group, its mapping as a form, and its first members."""
    group_item = desk.read(f"/v1/idp-groups/{segment(desk.params['id'])}")
    query = (
        select(USERS.c.id, USERS.c.email, USERS.c.active)
        .join(MEMBERSHIPS, MEMBERSHIPS.c.user_id == USERS.c.id)
        .where(MEMBERSHIPS.c.group_id == group_item["id"])
        .order_by(USERS.c.email_key)
        .limit(PAGE)
    )
    with desk.db.read() as tx:
        members = tx.execute(query).all()
    legacy = desk.read("/v1/access/scim")["endpoint"] == "legacy"
    fields = _fields(desk, BY_SECTION["idp_groups"])
    return show(desk, "group", "/groups", problems, group=group_item, members=members, legacy=legacy, **fields)


def people(desk: Desk) -> Response:
    """Show users by e-mail, 50 a page; ``q`` searches for a part of the e-mail."""
    part, after = address(desk.parameter("q")), tuple(desk.parameter("after").split("|", 1))
    query = select(USERS.c.id, USERS.c.email, USERS.c.email_key, USERS.c.origin, USERS.c.active, USERS.c.pending)
    matches = USERS.c.email_key.contains(part, autoescape=True) if part else true()
    if len(after) == 2:
        query = query.where(tuple_(USERS.c.email_key, USERS.c.id) > tuple_(*after))
    with desk.db.read() as tx:
        total = tx.execute(select(func.count()).select_from(USERS).where(matches)).scalar_one()
        rows = tx.execute(query.where(matches).order_by(USERS.c.email_key, USERS.c.id).limit(PAGE + 1)).all()
    more = f"{rows[PAGE - 1].email_key}|{rows[PAGE - 1].id}" if len(rows) > PAGE else None
    return show(desk, "people", "/people", people=rows[:PAGE], total=total, more=more, q=desk.parameter("q"))


def person(desk: Desk) -> Response:
    """Show the access of one user and the reasons for it."""
    with desk.db.read() as tx:
        row = tx.execute(select(USERS).where(USERS.c.id == desk.params["id"])).first()
        if row is None:
            raise refuse(404, "no_such_person", "This org has nobody under this id")
        inside = and_(MEMBERSHIPS.c.user_id == row.id, GROUPS.c.pushed == true())
        columns = select(GROUPS.c.id, GROUPS.c.display_name, GROUPS.c.mapping, GROUPS.c.linked_teams)
        joined = columns.join(MEMBERSHIPS, MEMBERSHIPS.c.group_id == GROUPS.c.id).where(inside)
        member_of = tx.execute(joined.order_by(GROUPS.c.name_key)).all()
    access = desk.read(f"/v1/people/{segment(row.id)}/access")
    manual = json.loads(row.manual)
    return show(desk, "person", "/people", person=row, access=access, manual=manual, groups=member_of)


def audit(desk: Desk) -> Response:
    """Show who changed what, newest first."""
    after = desk.parameter("after")
    query = f"/v1/audit-log?order=desc&limit={PAGE}" + (f"&after={segment(after)}" if after else "")
    listing = desk.read(query)
    more = listing["last_id"] if listing["has_more"] else None
    return show(desk, "audit", "/audit", events=listing["data"], total=listing["total"], more=more)


def _teams(desk: Desk) -> list[str]:
    return sorted((str(team["name"]) for team in _all(desk, "/v1/teams")), key=fold)


def _roles(desk: Desk) -> list[dict[str, Any]]:
    rank = {"member": 0, "team_admin": 1, "org_admin": 2}
    return sorted(_all(desk, "/v1/roles"), key=lambda role: (rank.get(role["id"], 3), role["name"]))


def _all(desk: Desk, path: str) -> list[dict[str, Any]]:
    """Return every item of a small list."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = desk.read(f"{path}?limit={min(100, desk.org.page_limit)}{after}")
        items += answer["data"]
        if not answer["has_more"]:
            return items
        after = f"&after={segment(answer['last_id'])}"


def save_domain(desk: Desk) -> Response:
    """Save the settings of a claimed domain."""
    kind = BY_SECTION["domains"]
    path = f"{kind.api_path}/{segment(desk.params['name'])}"
    return _put(desk, path, _body(desk, kind.section), domains, path_of(kind))


def save_singleton(desk: Desk, section: str) -> Response:
    """Save settings that the org has one of."""
    kind = BY_SECTION[section]

    def again(desk: Desk, problems: list[str]) -> Response:
        return singleton(desk, section, problems)

    return _put(desk, kind.api_path, _body(desk, section), again, path_of(kind))


def save_mapping(desk: Desk) -> Response:
    """Save the mapping of a group; the button `blank` removes it."""
    kind, group_id = BY_SECTION["idp_groups"], segment(desk.params["id"])
    path, page_path = f"{kind.api_path}/{group_id}/mapping", f"{path_of(kind)}/{group_id}"
    if desk.field("do") == "blank":
        answer = desk.send("DELETE", path, etag=desk.field("etag"))
        return group(desk, answer.problems) if answer.problems else redirect(f"{page_path}?saved=1")
    return _put(desk, path, _body(desk, kind.section), group, page_path)


def _body(desk: Desk, section: str) -> dict[str, Any]:
    return {field.name: _value(desk, field) for field in controls(BY_SECTION[section])}


def _value(desk: Desk, field: Field) -> Any:
    match field.type:
        case "flag":
            return desk.field(field.name) == "on"
        case "teams":
            return desk.form.get(field.name, [])
        case _:
            return desk.field(field.name) or (None if field.nullable else "")


def _put(
    desk: Desk, path: str, body: dict[str, Any], again: Callable[[Desk, list[str]], Response], page: str
) -> Response:
    answer = desk.send("PUT", path, body, desk.field("etag"))
    return again(desk, answer.problems) if answer.problems else redirect(f"{page}?saved=1")
