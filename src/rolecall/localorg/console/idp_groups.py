"""The IdP groups tab: one Edit and one Save for all rows; and the page of one group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select, true, tuple_

from rolecall.localorg.api.writes import etag
from rolecall.localorg.console.desk import ApiCall, Desk, segment
from rolecall.localorg.console.pages import PAGE, path_of, redirect, show
from rolecall.localorg.console.settings import roles, teams
from rolecall.localorg.store.state import mapping_of
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS
from rolecall.localorg.web import Response, dump
from rolecall.model.kinds import BY_SECTION

KIND: Final = BY_SECTION["idp_groups"]
PATH: Final = path_of(KIND)
CELLS: Final = 50_000
"""The most check boxes of teams that a page has: of all groups, unless there are very many groups and teams."""


class Row(NamedTuple):
    """A group as the form has it. ``shown`` is the mapping that the form was rendered with, as JSON."""

    id: str
    name: str
    etag: str
    shown: str
    role: str
    teams: list[str]


class EditedPage(NamedTuple):
    """The rows of a page that can be edited, and the names to choose from. ``more`` is the next page's address."""

    rows: list[Row]
    roles: list[dict[str, Any]]
    teams: list[str]
    more: str | None


def show_tab(desk: Desk, problems: list[str] | None = None) -> Response:
    """Show the IdP groups by name with their mappings, to read or, after Edit, as one form."""
    scim = desk.read(BY_SECTION["scim"].api_path)
    known = {"endpoint": scim["endpoint"], "total": _total(desk), "kind": KIND}
    if (problems or desk.parameter("edit")) and scim["endpoint"] != "legacy":
        return show(desk, "groups_edit", PATH, problems, **known, **edited_page(desk, problems)._asdict())
    listed = _names(desk, PAGE + 1)
    shown = [desk.read(f"{KIND.api_path}/{segment(row.id)}") for row in listed[:PAGE]]
    return show(desk, "groups", PATH, problems, **known, groups=shown, more=_more(listed, PAGE))


def edited_page(desk: Desk, problems: list[str] | None) -> EditedPage:
    """Return the rows of the form; after a refusal with what was entered, except for rows that have changed since."""
    known_teams = teams(desk)
    size = max(PAGE, CELLS // max(1, len(known_teams)))
    listed = _names(desk, size + 1)
    entered = _entered(desk) if problems else {}
    rows = [_row(row, entered.get(row.id)) for row in listed[:size]]
    return EditedPage(rows, roles(desk), known_teams, _more(listed, size))


def save(desk: Desk) -> Response:
    """Save every changed row, all or nothing."""
    problems = send_mappings(desk)
    return show_tab(desk, problems) if problems else redirect(f"{PATH}?done=saved")


def send_mappings(desk: Desk, *then: ApiCall) -> list[str]:
    """Send the changed rows of the form and what follows them, all or nothing; return the reasons for a refusal."""
    changed = [row for row in _entered(desk).values() if _mapping_text(row.role, row.teams) != row.shown]
    calls = [_call(row) for row in changed] + list(then)
    answers = desk.send_together(calls) if calls else []
    if not answers or not answers[-1].problems:
        return []
    refused = len(answers) - 1
    name = f"{_name(desk, changed[refused].id)}: " if refused < len(changed) else ""
    return [f"{name}{problem}" for problem in answers[-1].problems]


def group(desk: Desk) -> Response:
    """Show one group, its mapping and its first members."""
    item = desk.read(f"{KIND.api_path}/{segment(desk.params['id'])}")
    query = (
        select(USERS.c.id, USERS.c.email, USERS.c.active)
        .join(MEMBERSHIPS, MEMBERSHIPS.c.user_id == USERS.c.id)
        .where(MEMBERSHIPS.c.group_id == item["id"])
        .order_by(USERS.c.email_key)
        .limit(PAGE)
    )
    with desk.db.read() as tx:
        members = tx.execute(query).all()
    return show(desk, "group", PATH, group=item, members=members)


def _names(desk: Desk, most: int) -> list[Any]:
    """Return groups by name, from the one after the parameter ``after``."""
    after = tuple(desk.parameter("after").split("|", 1))
    columns = ("id", "name_key", "display_name", "mapping", "mapping_version")
    query = select(*(GROUPS.c[name] for name in columns)).where(GROUPS.c.pushed == true())
    if len(after) == 2:
        query = query.where(tuple_(GROUPS.c.name_key, GROUPS.c.id) > tuple_(*after))
    with desk.db.read() as tx:
        return list(tx.execute(query.order_by(GROUPS.c.name_key, GROUPS.c.id).limit(most)))


def _more(listed: list[Any], size: int) -> str | None:
    return f"{listed[size - 1].name_key}|{listed[size - 1].id}" if len(listed) > size else None


def _total(desk: Desk) -> int:
    with desk.db.read() as tx:
        query = select(func.count()).select_from(GROUPS).where(GROUPS.c.pushed == true())
        return int(tx.execute(query).scalar_one())


def _name(desk: Desk, group_id: str) -> str:
    with desk.db.read() as tx:
        return str(tx.execute(select(GROUPS.c.display_name).where(GROUPS.c.id == group_id)).scalar())


def _row(row: Any, entered: Row | None) -> Row:
    mapping = mapping_of(row.mapping)
    role, mapped = mapping.role or "", sorted(mapping.teams)
    current = Row(row.id, row.display_name, etag(row.mapping_version), _mapping_text(role, mapped), role, mapped)
    if entered is None or entered.etag != current.etag:
        return current
    return current._replace(role=entered.role, teams=entered.teams)


def _entered(desk: Desk) -> Mapping[str, Row]:
    """Return the rows of the form that was sent, by group."""
    return {row.id: row for row in _rows_of(desk.form)}


def _rows_of(form: Mapping[str, list[str]]) -> Iterator[Row]:
    for name, (shown, *_) in form.items():
        if name.startswith("shown:"):
            group_id = name.removeprefix("shown:")
            role, sent = form.get(f"role:{group_id}", [""])[0], form.get(f"teams:{group_id}", [])
            yield Row(group_id, "", form.get(f"etag:{group_id}", [""])[0], shown, role, sorted(sent))


def _mapping_text(role: str, mapped: list[str]) -> str:
    return dump([role, mapped])


def _call(row: Row) -> ApiCall:
    path = f"{KIND.api_path}/{segment(row.id)}/mapping"
    if not row.role and not row.teams:
        return ApiCall("DELETE", path, etag=row.etag)
    return ApiCall("PUT", path, {"role": row.role or None, "teams": row.teams}, row.etag)
