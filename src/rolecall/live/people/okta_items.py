"""Reads what Okta has for one group of a section: its assignment to the app, or the mapping that pushes it.

Okta has no ETags. The version of an item is the item itself, as text: the journal keeps it as the previous value, and a
write compares it with what Okta has right before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from rolecall.model.settings import Section

Json = Any
LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "idp_assignments": ("groups", "200"),
    "idp_pushes": ("group-push/mappings", "100"),
}
"""The list of each section, below the app, and the size of a page."""
OFF = "INACTIVE"
"""The status of a mapping that pushes nothing."""
GROUP: Final[Mapping[str, str]] = {"idp_assignments": "id", "idp_pushes": "sourceGroupId"}
"""The key of an item that has the ID of its group."""
COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "idp_assignments": ("id", "profile"),
    "idp_pushes": ("id", "sourceGroupId", "targetGroupId"),
}
"""The keys that admins set. Okta itself numbers priorities again, and changes the status of a push that fails."""
ALSO_RECORDED: Final[Mapping[str, tuple[str, ...]]] = {"idp_assignments": ("priority",), "idp_pushes": ("status",)}


class OktaItem(NamedTuple):
    """An assignment or a mapping. ``id`` is its own ID; ``off``: it is a mapping that pushes nothing; ``target`` is the
    app's group that it pushes to."""

    id: str
    group: str
    version: str
    off: bool = False
    target: str = ""


def item_of(section: Section, entry: Json) -> OktaItem:
    """Return the item of an entry of a list. Raises KeyError if it lacks what every item has."""
    version = {name: entry.get(name) for name in (*COMPARED[section], *ALSO_RECORDED[section])}
    off = section == "idp_pushes" and entry["status"] == OFF
    text = json.dumps(version, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return OktaItem(str(entry["id"]), str(entry[GROUP[section]]), text, off, str(entry.get("targetGroupId") or ""))


def same_item(section: Section, first: str, second: str) -> bool:
    """Return whether two versions are the same, apart from what Okta changes by itself."""
    first_keys, second_keys = json.loads(first), json.loads(second)
    return all(first_keys.get(name) == second_keys.get(name) for name in COMPARED[section])


def id_of(version: str) -> str:
    """Return the ID of the item that a version is."""
    return str(json.loads(version).get("id"))
