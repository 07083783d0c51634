"""The forms: each is one request of the admin API, and what the org refuses is shown beside the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rolecall.localorg.console import pages
from rolecall.localorg.console.desk import Desk, segment
from rolecall.localorg.console.render import redirect
from rolecall.localorg.web import Response


def domain(desk: Desk) -> Response:
    """Whether a claimed domain can be found, and how people join by it."""
    body = {"discoverable": _ticked(desk, "discoverable"), "join": desk.field("join")}
    return _put(desk, f"/v1/domains/{segment(desk.params['name'])}", body, pages.domains, "/domains")


def defaults(desk: Desk) -> Response:
    """The default role and teams."""
    body = {"role": desk.field("role"), "teams": desk.form.get("teams", [])}
    return _put(desk, "/v1/access/defaults", body, pages.defaults, "/defaults")


def sso(desk: Desk) -> Response:
    """The toggles of SSO."""
    body = {name: _ticked(desk, name) for name in ("enabled", "allow_uninvited", "allow_passwords")}
    return _put(desk, "/v1/access/sso", body, pages.sso, "/sso")


def scim(desk: Desk) -> Response:
    """The toggles of SCIM."""
    body = {name: _ticked(desk, name) for name in ("enabled", "manual_editing")}
    return _put(desk, "/v1/access/scim", body, pages.scim, "/scim")


def mapping(desk: Desk) -> Response:
    """What a group gives; the button `blank` takes it away."""
    group = segment(desk.params["id"])
    path, page = f"/v1/idp-groups/{group}/mapping", f"/groups/{group}"
    if desk.field("do") == "blank":
        answer = desk.send("DELETE", path, etag=desk.field("etag"))
        return pages.group(desk, answer.problems) if answer.problems else redirect(f"{page}?saved=1")
    body = {"role": desk.field("role") or None, "teams": desk.form.get("teams", [])}
    return _put(desk, path, body, pages.group, page)


def _put(
    desk: Desk, path: str, body: dict[str, Any], again: Callable[[Desk, list[str]], Response], page: str
) -> Response:
    answer = desk.send("PUT", path, body, desk.field("etag"))
    return again(desk, answer.problems) if answer.problems else redirect(f"{page}?saved=1")


def _ticked(desk: Desk, name: str) -> bool:
    return desk.field(name) == "on"
