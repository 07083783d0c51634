"""The forms: each is one request of the admin API, and a refusal is shown next to the form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rolecall.localorg.console import pages
from rolecall.localorg.console.desk import Desk, segment
from rolecall.localorg.console.render import redirect
from rolecall.localorg.web import Response
from rolecall.model.fields import Field
from rolecall.model.kinds import BY_SECTION


def domain(desk: Desk) -> Response:
    """Save the settings of a claimed domain."""
    kind = BY_SECTION["domains"]
    path = f"{kind.api_path}/{segment(desk.params['name'])}"
    return _put(desk, path, _body(desk, kind.section), pages.domains, pages.path_of(kind))


def singleton(desk: Desk, section: str) -> Response:
    """Save settings that the org has one of."""
    kind = BY_SECTION[section]

    def again(desk: Desk, problems: list[str]) -> Response:
        return pages.singleton(desk, section, problems)

    return _put(desk, kind.api_path, _body(desk, section), again, pages.path_of(kind))


def mapping(desk: Desk) -> Response:
    """Save the mapping of a group; the button `blank` removes it."""
    kind, group = BY_SECTION["idp_groups"], segment(desk.params["id"])
    path, page = f"{kind.api_path}/{group}/mapping", f"{pages.path_of(kind)}/{group}"
    if desk.field("do") == "blank":
        answer = desk.send("DELETE", path, etag=desk.field("etag"))
        return pages.group(desk, answer.problems) if answer.problems else redirect(f"{page}?saved=1")
    return _put(desk, path, _body(desk, kind.section), pages.group, page)


def _body(desk: Desk, section: str) -> dict[str, Any]:
    return {field.name: _value(desk, field) for field in pages.controls(BY_SECTION[section])}


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
