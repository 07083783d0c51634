"""Finds the groups of a configuration in the IdP, by ID or by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from rolecall.errors import Problem, Where
from rolecall.model.desired import Desired
from rolecall.model.kinds import IDP_KINDS, address
from rolecall.model.live import IdpSide
from rolecall.model.settings import UNSET, Section


class IdpEntry(NamedTuple):
    """A group that the configuration assigns or pushes. ``id`` is None if its name decides."""

    section: Section
    key: str
    name: str
    id: str | None
    where: Where | None = None


def idp_entries(desired: Desired) -> Iterator[IdpEntry]:
    """Yield the groups of each section of the IdP that the configuration manages."""
    for kind in IDP_KINDS:
        entries = getattr(desired.settings, kind.section)
        if entries is UNSET or desired.policy.managing(kind.section) == "unmanaged":
            continue
        for key, value in entries.items():
            pin = None if value.id is UNSET else value.id
            where = desired.intent(address(kind.section, key)).source
            yield IdpEntry(kind.section, key, key.removesuffix(f" [{pin}]") if pin else key, pin, where)


def idp_references(desired: Desired, side: IdpSide | None) -> Iterator[Problem]:
    """Yield an error for each group that the IdP does not have, and for a name that several of its groups have.

    A name or an ID that could not be looked up is skipped; its section is unread.
    """
    if side is None:
        return
    for entry in idp_entries(desired):
        if entry.id is not None:
            yield from _pinned(entry, entry.id, side)
        elif (ids := side.names.get(entry.name)) is not None and len(ids) != 1:
            yield _unclear(entry, ids, side)


def _unclear(entry: IdpEntry, ids: tuple[str, ...], side: IdpSide) -> Problem:
    if not ids:
        hint = f"correct the name, create the group in {side.idp}, or remove it here"
        return Problem("idp_no_group", f"{side.idp} has no group named `{entry.name}`", entry.where, hint)
    message = f"{side.idp} has {len(ids)} groups named `{entry.name}` ({', '.join(ids)})"
    hint = f"pin the right one in `idp`: {{name: {entry.name}, id: {ids[0]}}}"
    return Problem("idp_two_groups", message, entry.where, hint)


def _pinned(entry: IdpEntry, pin: str, side: IdpSide) -> Iterator[Problem]:
    """Yield an error if a pinned group does not exist, or has another name: a push would not be made under it."""
    if pin not in side.groups:
        return
    group = side.groups[pin]
    if group is None:
        hint = f"correct the `id` of `{entry.name}`, or remove the entry"
        yield Problem("idp_no_group", f"{side.idp} has no group with the id {pin}", entry.where, hint)
    elif group.name != entry.name:
        key = ".".join(next(kind.path for kind in IDP_KINDS if kind.section == entry.section))
        message = f"`{key}`: the group with id {pin} has the name `{group.name}` in {side.idp}, not `{entry.name}`"
        yield Problem("group_renamed", message, entry.where, f"write {{name: {group.name}, id: {pin}}}")


def with_idp_ids(desired: Desired, side: IdpSide | None) -> Desired:
    """Return the desired state with the ID of each group of the IdP whose name was looked up."""
    if side is None:
        return desired
    sections: dict[Section, Any] = {}
    for entry in idp_entries(desired):
        value = getattr(desired.settings, entry.section)[entry.key]
        ids = side.names.get(entry.name, ()) if entry.id is None else ()
        resolved = type(value)(ids[0]) if len(ids) == 1 else value
        sections.setdefault(entry.section, {})[entry.key] = resolved
    return desired._replace(settings=replace(desired.settings, **sections)) if sections else desired
