"""Pages as HTML, the frame of every page, and the pages that only show: overview, users, one user, the audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, select, true, tuple_

from rolecall.localorg.console import session
from rolecall.localorg.console.desk import Desk, segment
from rolecall.localorg.store.keys import address
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS
from rolecall.localorg.web import Response, refuse
from rolecall.model import console
from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION, ORG_KINDS
from rolecall.model.roles import ORG_ROLES, role_words

if TYPE_CHECKING:
    from jinja2 import Environment


_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)

SOURCES: Final[Mapping[str, str]] = {
    "default": "default access",
    "saml": "default access, by SAML",
    "invite": "invitation",
    "manual": "manual edit",
    "attribute": "role attribute",
}


ORIGINS: Final[Mapping[str, str]] = {
    "scim": "SCIM",
    "saml": "SAML",
    "invite": "invitation",
    "discovery": "domain discovery",
}


def page(template: str, status: int = 200, headers: tuple[tuple[str, str], ...] = (), **values: Any) -> Response:
    """Return a template as an answer."""
    html = environment().get_template(f"{template}.html").render(**values)
    body = html.encode()
    sent = (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))), *HEADERS, *headers)
    return Response(status, sent, body)


def redirect(where: str, *headers: tuple[str, str]) -> Response:
    """Return the answer to a form that was saved: a redirect to its page."""
    return Response(303, (("Location", where), ("Content-Length", "0"), *HEADERS, *headers))


def stylesheet() -> Response:
    """Return the one stylesheet."""
    body = files(__package__).joinpath("templates/console.css").read_bytes()
    kind = ("Content-Type", "text/css; charset=utf-8")
    return Response(200, (kind, ("Content-Length", str(len(body))), ("Cache-Control", "no-cache")), body)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the environment of the templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    jinja = Environment(
        loader=PackageLoader("rolecall.localorg.console"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals.update(console=console)
    jinja.filters.update(
        role=lambda role: role_words(role, ORG_ROLES),
        origin=lambda name: ORIGINS.get(name, name),
        source=source_words,
        day=moment,
        pretty=pretty,
    )
    return jinja


def source_words(source: str) -> str:
    """Return the source of access as text."""
    kind, _, name = source.partition(":")
    return f"group {name}" if kind == "group" else SOURCES.get(source, source)


def moment(at: str) -> str:
    """Return a time as text: 22 Nov 2026, 10:03 UTC."""
    from datetime import datetime

    return datetime.fromisoformat(at.replace("Z", "+00:00")).strftime("%-d %b %Y, %H:%M UTC")


def pretty(value: Any) -> str:
    """Return a JSON value on several lines."""
    return json.dumps(value, ensure_ascii=False, indent=1)


PAGE: Final = 50
"""The number of entries that a page of a list has."""

MESSAGES: Final = {"saved": "Saved.", "upgraded": console.UPGRADED}
"""The message of a page after a form was accepted, by the parameter `done`."""


def path_of(kind: Kind) -> str:
    """Return the address of the tab that a kind is on: ``/admin/idp-groups``."""
    return tab_path(kind.tab)


def tab_path(tab: str) -> str:
    """Return the path of a tab of the admin settings."""
    return f"/admin/{tab.lower().replace(' ', '-')}"


TABS: Final = {tab_path(kind.tab): kind.tab for kind in ORG_KINDS}
"""The tabs of Admin > Access & provisioning, by address."""

_MENU: Final = (
    ("/", "Overview"),
    (next(iter(TABS)), console.PAGE),
    ("/people", "People"),
    ("/audit", "Audit log"),
)


def show(desk: Desk, template: str, current: str, problems: list[str] | None = None, **values: Any) -> Response:
    """Render a page for the signed-in user; ``problems`` are the org's reasons for refusing a form."""
    return page(
        template,
        422 if problems else 200,
        org=desk.org,
        who=desk.who,
        current=current,
        menu=_MENU,
        tabs=TABS,
        proof=session.proof(desk.session.id),
        problems=problems or [],
        done="" if problems else MESSAGES.get(desk.parameter("done"), ""),
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
        scim_kind=BY_SECTION["scim"],
        groups=desk.read("/v1/idp-groups?limit=1")["total"],
        events=desk.read("/v1/audit-log?order=desc&limit=5")["data"],
    )


def people(desk: Desk) -> Response:
    """Show users by email, 50 a page; ``q`` searches for a part of the email."""
    part, after = address(desk.parameter("q")), tuple(desk.parameter("after").split("|", 1))
    query = select(USERS.c.id, USERS.c.email, USERS.c.email_key, USERS.c.origin, USERS.c.active, USERS.c.pending)
    matches = USERS.c.email_key.contains(part, autoescape=True) if part else true()
    if len(after) == 2:
        query = query.where(tuple_(USERS.c.email_key, USERS.c.id) > tuple_(*after))
    with desk.db.read() as tx:
        total = tx.execute(select(func.count()).select_from(USERS).where(matches)).scalar_one()
        users = tx.execute(query.where(matches).order_by(USERS.c.email_key, USERS.c.id).limit(PAGE + 1)).all()
    more = f"{users[PAGE - 1].email_key}|{users[PAGE - 1].id}" if len(users) > PAGE else None
    return show(desk, "people", "/people", people=users[:PAGE], total=total, more=more, q=desk.parameter("q"))


def person(desk: Desk) -> Response:
    """Show the access of one user and the reasons for it."""
    with desk.db.read() as tx:
        user = tx.execute(select(USERS).where(USERS.c.id == desk.params["id"])).first()
        if user is None:
            raise refuse(404, "no_such_person", "This org has no user with this id")
        inside = and_(MEMBERSHIPS.c.user_id == user.id, GROUPS.c.pushed == true())
        columns = select(GROUPS.c.id, GROUPS.c.display_name, GROUPS.c.mapping, GROUPS.c.linked_teams)
        joined = columns.join(MEMBERSHIPS, MEMBERSHIPS.c.group_id == GROUPS.c.id).where(inside)
        member_of = tx.execute(joined.order_by(GROUPS.c.name_key)).all()
    access = desk.read(f"/v1/people/{segment(user.id)}/access")
    manual = json.loads(user.manual)
    return show(desk, "person", "/people", person=user, access=access, manual=manual, groups=member_of)


def audit(desk: Desk) -> Response:
    """Show who changed what, newest first."""
    after = desk.parameter("after")
    query = f"/v1/audit-log?order=desc&limit={PAGE}" + (f"&after={segment(after)}" if after else "")
    listing = desk.read(query)
    more = listing["last_id"] if listing["has_more"] else None
    return show(desk, "audit", "/audit", events=listing["data"], total=listing["total"], more=more)
