"""Reads the groups that a configuration assigns and pushes in the IdP: lists, or every group of `idp_groups`."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from rolecall.desired.load.merge import removes
from rolecall.desired.load.sources import Sources
from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.desired import Intent
from rolecall.model.fields import Kind
from rolecall.model.kinds import IDP_KINDS, address
from rolecall.model.settings import UNSET, Address

ALL_GROUPS = "idp_groups"
"""The value of `idp.pushes` that stands for every group of the section `idp_groups`."""


class ListedGroup(NamedTuple):
    """A group in a list of `idp`: its name, the ID that pins it, and its place."""

    name: str
    id: str | None
    where: Where


def listed_groups(kind: Kind, sources: Sources) -> list[ListedGroup] | None:
    """Return the groups that a configuration lists for a kind of the IdP; None if it does not have the key."""
    section, name = kind.path
    content = sources.effective.get(section) or {}
    if name not in content:
        return None
    if content[name] == ALL_GROUPS:
        groups = sources.effective.get(ALL_GROUPS) or {}
        return [
            ListedGroup(key, None, sources.where((ALL_GROUPS, key), key=True))
            for key, entry in groups.items()
            if not removes(entry)
        ]
    return [_listed(item, sources.where((section, name, at))) for at, item in enumerate(content[name])]


def _listed(item: Any, where: Where) -> ListedGroup:
    name, pin = (item, None) if isinstance(item, str) else (item["name"], item.get("id"))
    return ListedGroup(normalise.name(name), pin, where)


def build_idp_groups(sources: Sources) -> tuple[dict[str, Any], dict[Address, Intent]]:
    """Return the sections of the IdP that a configuration has, and the place of each group.

    Of several groups with one name, each is keyed ``name [id]``.
    """
    sections: dict[str, Any] = {}
    intents: dict[Address, Intent] = {}
    for kind in IDP_KINDS:
        groups = listed_groups(kind, sources)
        if groups is None:
            continue
        names = Counter(group.name for group in groups)
        keyed = {f"{group.name} [{group.id}]" if names[group.name] > 1 else group.name: group for group in groups}
        sections[kind.section] = {key: kind.type(group.id or UNSET) for key, group in keyed.items()}
        intents |= {address(kind.section, key): Intent(group.where, id=group.id) for key, group in keyed.items()}
    return sections, intents
