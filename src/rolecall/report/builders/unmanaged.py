"""Describe what a plan does not change: settings no longer managed, and mappings that are not in the config."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rolecall.model.kinds import field_changes, split_address
from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import GroupMapping
from rolecall.plan.headline import access_words
from rolecall.plan.value import Released, Unmanaged
from rolecall.report.builders.changes import gives_org_admin, scalar
from rolecall.report.document import Note
from rolecall.report.phrases import count, listed, mapping_words, visible

_SHOWN = 5


def released_words(released: Sequence[Released]) -> Iterable[str]:
    """Yield a sentence for each address that is no longer managed, the first few; then a count of the others."""
    for item in released[:_SHOWN]:
        users = "" if item.people is None else f"; {count(item.people, 'user')}"
        can_unmap = isinstance(item.value, GroupMapping) and not item.unmanaged
        unmap = f" {unmap_words([item.address])}" if can_unmap else ""
        yield f"No longer managed: {released_what(item)}. Unchanged in the org: {released_value(item)}{users}.{unmap}"
    if len(released) > _SHOWN:
        yield f"No longer managed: {len(released) - _SHOWN:,} more"


def unmap_words(addresses: Sequence[str]) -> str:
    """Return how to unmap a group of an additive section: ``To unmap it, add `Writer-Sales: blank`.``"""
    key = visible(addresses[0].partition("/")[2])
    name = key if len(addresses) == 1 and re.fullmatch(r"\w[\w .-]*", key) else "NAME"
    return f"To unmap {'it' if len(addresses) == 1 else 'one'}, add `{name}: blank`."


def left_words(unmanaged: Sequence[Unmanaged]) -> Iterable[str]:
    """Yield a sentence that names mapped groups which are not in the config and which an additive section leaves
    unchanged."""
    names = [item.address for item in unmanaged if not item.released]
    if names:
        yield f"Mapped in the org but not in the config, unchanged: {listed(names, _SHOWN)}. {unmap_words(names)}"


def released_what(item: Released) -> str:
    """Return ``idp_groups/A, removed from config``, with the fields where only some were removed; or that its section
    is unmanaged, whether or not the config has the entry."""
    if item.unmanaged:
        return f"{visible(item.address)} (manage.{split_address(item.address)[0]} is unmanaged)"
    return f"{visible(item.address)}{released_fields(item)}, removed from config"


def released_fields(item: Released) -> str:
    """Return the fields where only some of a setting are no longer managed: `` (name, idp)``."""
    return f" ({', '.join(item.fields)})" if item.fields else ""


def released_value(item: Released) -> str:
    """Return what the org has there: ``team_admin on Marketing``, ``allow_passwords: false``."""
    if item.value is None:
        return "value not read"
    if isinstance(item.value, GroupMapping):
        return mapping_words(item.value.role, item.value.teams)
    section, _ = split_address(item.address)
    fields = field_changes(section, None, item.value)
    return ", ".join(f"{field.path}: {scalar(field.path, field.after)}" for field in fields) or "nothing"


def unmanaged_notes(unmanaged: Sequence[Unmanaged]) -> Iterable[Note]:
    """Yield how many mappings are unmanaged, and a warning for each of them that gives org admin."""
    if not unmanaged:
        return
    admins = [item for item in unmanaged if gives_org_admin(item.role)]
    giving = (
        f"{len(admins):,} of them {'gives' if len(admins) == 1 else 'give'} org admin"
        if admins
        else "none gives org admin"
    )
    total = count(len(unmanaged), "mapped group")
    yield Note(f"Unmanaged: {total}, {giving}. To list them: rolecall access --unmanaged")
    for item in admins[:_SHOWN]:
        users = "" if item.people is None else f" to {count(item.people, 'user')}"
        state = "no longer managed" if item.released else f"{'new and ' if item.new else ''}unmanaged"
        access = visible(access_words([TeamRole(team, ORG_ADMIN) for team in item.teams]))
        yield Note(f"{visible(item.address)} is {state} and gives {access}{users}", "warn")
    if len(admins) > _SHOWN:
        yield Note(f"and {len(admins) - _SHOWN:,} more that give org admin", "warn")
