"""The tabs of Admin > Access & provisioning and their forms; each form is one request of the admin API.

A refusal is shown on the page of the form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rolecall.localorg.console.desk import Desk, segment
from rolecall.localorg.console.pages import TABS, path_of, redirect, show
from rolecall.localorg.store.keys import fold
from rolecall.localorg.web import Response
from rolecall.model.fields import Field, Kind
from rolecall.model.kinds import BY_SECTION
from rolecall.model.roles import ORG_ADMIN

Again = Callable[[Desk, list[str]], Response]
"""Shows the page of a form again, with the reasons for its refusal."""


def tab(desk: Desk, path: str, problems: list[str] | None = None, **values: Any) -> Response:
    """Show the settings of one tab, each kind as a form."""
    parts = [_part(desk, kind) for kind in BY_SECTION.values() if kind.side == "org" and path_of(kind) == path]
    return show(desk, "tab", path, problems, title=TABS[path], parts=parts, **values)


def _part(desk: Desk, kind: Kind) -> dict[str, Any]:
    """Return what the template of a kind shows: the kind, its entries or its settings, and what its form needs."""
    shown = {"entries": all_items(desk, kind.api_path)} if kind.keyed else {"settings": desk.read(kind.api_path)}
    return {"kind": kind, **shown, **_fields(desk, kind)}


def set_up_sso(desk: Desk, problems: list[str] | None = None) -> Response:
    """Show the page on which SSO is set up: the values for the IdP, and the form."""
    kind = BY_SECTION["sso"]
    claimed = desk.read(BY_SECTION["domains"].api_path)["total"]
    return show(desk, "set_up_sso", path_of(kind), problems, part=_part(desk, kind), claimed=claimed)


def remove_sso(desk: Desk) -> Response:
    """Switch SSO off."""
    kind = BY_SECTION["sso"]
    answer = desk.send("PUT", kind.api_path, {"enabled": False}, desk.field("etag"))
    return tab(desk, path_of(kind), answer.problems) if answer.problems else redirect(f"{path_of(kind)}?done=saved")


def _fields(desk: Desk, kind: Kind) -> dict[str, Any]:
    """Return what a form of a kind needs: its fields, and the names to choose from."""
    controls = [field for field in kind.fields if field.updated]
    named = {field.type for field in controls}
    excluded = ORG_ADMIN if kind.section == "defaults" else None  # R3
    return {
        "controls": controls,
        "facts": [field for field in kind.fields if field not in controls],
        "roles": [role for role in roles(desk) if role["id"] != excluded] if "role" in named else [],
        "teams": teams(desk) if "teams" in named else [],
    }


def teams(desk: Desk) -> list[str]:
    """Return the names of the org's teams, sorted."""
    return sorted((str(team["name"]) for team in all_items(desk, "/v1/teams")), key=fold)


def roles(desk: Desk) -> list[dict[str, Any]]:
    """Return the org's roles, the built-in ones first."""
    rank = {"member": 0, "team_admin": 1, "org_admin": 2}
    return sorted(all_items(desk, "/v1/roles"), key=lambda role: (rank.get(role["id"], 3), role["name"]))


def all_items(desk: Desk, path: str) -> list[dict[str, Any]]:
    """Return every item of a small list."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = desk.read(f"{path}?limit={min(100, desk.org.page_limit)}{after}")
        items += answer["data"]
        if not answer["has_more"]:
            return items
        after = f"&after={segment(answer['last_id'])}"


def save_singleton(desk: Desk, section: str) -> Response:
    """Save settings that the org has one of, from the tab or from the page that sets them up."""
    kind = BY_SECTION[section]

    def again(desk: Desk, problems: list[str]) -> Response:
        return set_up_sso(desk, problems) if desk.field("set_up") else tab(desk, path_of(kind), problems)

    return put(desk, kind.api_path, body_of(desk, kind), again, path_of(kind))


def claim_domain(desk: Desk) -> Response:
    """Claim a domain with the settings of the form."""
    kind = BY_SECTION["domains"]
    answer = desk.send("POST", kind.api_path, {"name": desk.field("name").strip(), **body_of(desk, kind)})
    return _domains(desk, answer.problems) if answer.problems else redirect(f"{path_of(kind)}?done=saved")


def save_domain(desk: Desk) -> Response:
    """Save the settings of a claimed domain; the button `remove` gives up the claim."""
    kind = BY_SECTION["domains"]
    path = f"{kind.api_path}/{segment(desk.params['name'])}"
    if desk.field("do") == "remove":
        answer = desk.send("DELETE", path, etag=desk.field("etag"))
        return _domains(desk, answer.problems) if answer.problems else redirect(f"{path_of(kind)}?done=saved")
    return put(desk, path, body_of(desk, kind), _domains, path_of(kind))


def _domains(desk: Desk, problems: list[str]) -> Response:
    return tab(desk, path_of(BY_SECTION["domains"]), problems)


def body_of(desk: Desk, kind: Kind) -> dict[str, Any]:
    """Return the body of an update from the fields of a form. A document that is left empty stays unchanged."""
    values = {field.name: _value(desk, field) for field in kind.fields if field.updated}
    return {name: value for name, value in values.items() if value is not None}


def _value(desk: Desk, field: Field) -> Any:
    sent = desk.form.get(field.name)
    match field.type:
        case "flag":
            return sent == ["on"]
        case "teams":
            return sent or []
        case "document":
            return sent[0] if sent and sent[0] else None
        case _ if sent and sent[0] == field.custom and field.custom:
            return desk.field(f"{field.name}.custom").strip() or field.custom
        case _:
            return sent[0] if sent else None


def put(desk: Desk, path: str, body: dict[str, Any], again: Again, page: str) -> Response:
    """Send an update; redirect to the page, or show the form again with the reasons for the refusal."""
    answer = desk.send("PUT", path, body, desk.field("etag"))
    return again(desk, answer.problems) if answer.problems else redirect(f"{page}?done=saved")
