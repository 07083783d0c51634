"""The flows of the SCIM tab: set up, token, test, remove, upgrade; as WRITER's articles describe them."""

from __future__ import annotations

from typing import Any, Final

from rolecall.localorg.console import idp_groups
from rolecall.localorg.console.desk import Answered, ApiCall, Desk, segment
from rolecall.localorg.console.pages import path_of, redirect
from rolecall.localorg.console.settings import body_of, put, tab
from rolecall.localorg.web import Response
from rolecall.model.kinds import BY_SECTION

KIND: Final = BY_SECTION["scim"]
PATH: Final = path_of(KIND)
_TOKEN_PATH: Final = f"{KIND.api_path}/token"
_TOKEN_ETAG: Final = '"1"'
_MOST_TOKENS: Final = 2


def show_tab(desk: Desk, problems: list[str] | None = None, **values: Any) -> Response:
    """Show the tab; during the upgrade with the groups, which are mapped before it is completed (R20)."""
    upgrading = desk.read(KIND.api_path)["endpoint"] == "upgrading"
    group_rows = idp_groups.edited_page(desk, problems)._asdict() if upgrading else {}
    known = {"secret": None, "test": None, "groups_kind": idp_groups.KIND}
    return tab(desk, PATH, problems, **{**known, **group_rows, **values})


def set_up(desk: Desk) -> Response:
    """Switch SCIM on and show the three values for the IdP; the bearer token is new, unless there are two."""
    creates = len(desk.read(KIND.api_path)["tokens"]) < _MOST_TOKENS
    calls = [ApiCall("PUT", KIND.api_path, {"enabled": True}, desk.field("etag"))]
    calls += [ApiCall("POST", _TOKEN_PATH)] if creates else []
    last = desk.send_together(calls)[-1]
    if last.problems:
        return show_tab(desk, last.problems)
    return show_tab(desk, secret=last.body["token"] if creates else None)


def save_settings(desk: Desk) -> Response:
    """Save the settings of the tab."""
    return put(desk, KIND.api_path, body_of(desk, KIND), show_tab, PATH)


def create_token(desk: Desk) -> Response:
    """Create a bearer token and show it once."""
    answer = desk.send("POST", _TOKEN_PATH)
    return show_tab(desk, answer.problems) if answer.problems else show_tab(desk, secret=answer.body["token"])


def revoke_token(desk: Desk) -> Response:
    """Revoke a bearer token."""
    return _done(desk, desk.send("DELETE", f"{_TOKEN_PATH}/{segment(desk.params['id'])}", etag=_TOKEN_ETAG))


def test_connection(desk: Desk) -> Response:
    """Show whether an IdP can provision, and when SCIM last changed something."""
    settings = desk.read(KIND.api_path)
    if not settings["enabled"]:
        return show_tab(desk, test="SCIM is off: set it up first.")
    if not settings["tokens"]:
        return show_tab(desk, test="There is no bearer token: create one.")
    events = desk.read(f"/v1/audit-log?order=desc&limit={min(100, desk.org.page_limit)}")["data"]
    last = next((event["at"] for event in events if event["channel"] == "scim"), None)
    return show_tab(desk, test="The endpoint is ready. Test the connection in your IdP.", last=last)


def remove_configuration(desk: Desk) -> Response:
    """Switch SCIM off."""
    return _done(desk, desk.send("PUT", KIND.api_path, {"enabled": False}, desk.field("etag")))


def start_upgrade(desk: Desk) -> Response:
    """Start the upgrade: the groups must be pushed again."""
    answer = desk.send("POST", f"{KIND.api_path}/upgrade", etag=desk.field("etag"))
    return show_tab(desk, answer.problems) if answer.problems else redirect(PATH)


def complete_upgrade(desk: Desk) -> Response:
    """Save the mappings of the flow and complete the upgrade, all or nothing; the button `save` only saves them."""
    saves = desk.field("do") == "save"
    completion = ApiCall("POST", f"{KIND.api_path}/upgrade/complete", etag=desk.field("etag"))
    problems = idp_groups.send_mappings(desk, *([] if saves else [completion]))
    if problems:
        return show_tab(desk, problems)
    return redirect(f"{PATH}?done=saved" if saves else f"{idp_groups.PATH}?done=upgraded")


def _done(desk: Desk, answer: Answered) -> Response:
    return show_tab(desk, answer.problems) if answer.problems else redirect(f"{PATH}?done=saved")
