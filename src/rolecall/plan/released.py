"""Settings that were applied once and that the config no longer asks for: they stay as they are, and are reported."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from rolecall.model.desired import Applied, Desired
from rolecall.model.fields import restrict, said_fields, without
from rolecall.model.kinds import KINDS, Kind, address, split_address, value_at
from rolecall.model.live import Live
from rolecall.model.policy import Manage
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping, Value
from rolecall.plan.resolve import covers


class Release(NamedTuple):
    """An address, or some fields of it, that is no longer managed.

    ``at`` is the address in the journal's memory, ``live`` the same under the name that the org has now. ``fields`` is
    empty where all of it was let go of. ``last`` is what was applied; ``value`` what the org has of that, None where it
    was not read.
    """

    at: Address
    live: Address
    last: Value
    value: Value | None
    fields: tuple[str, ...] = ()


def releases(
    desired: Desired, live: Live, applied: Applied, named: Collection[str], skip: Collection[str]
) -> Iterator[Release]:
    """Yield what was applied and is no longer asked for, by kind. What the org does not have any more is left out.

    ``named`` are the live keys of the groups that the config lists; ``skip`` are patterns of ignored addresses.
    """
    for kind in KINDS:
        asked = getattr(desired.settings, kind.section) is not UNSET
        managing = desired.policy.managing(kind.section) if asked else "unmanaged"
        for at in _addresses(applied, kind):
            row = _release(live, applied, at)
            if row is None or covers(skip, row.at) or covers(skip, row.live):
                continue
            if managing == "unmanaged":
                yield row
            elif split_address(row.live)[1] not in named or not kind.whole:
                yield from _managed(kind, managing, desired, row)


def live_key(key: str, live: Live, applied: Applied) -> str | None:
    """Return the name that a group of the journal's memory has in the org: by its id where both sides know it, else
    the same name. None where the org no longer has that group."""
    known, groups = applied.group_ids.get(key), live.facts.groups
    if not known or not groups or (key in groups and groups[key].id in ("", known)):
        return key
    return next((name for name, group in groups.items() if group.id == known), None)


def _managed(kind: Kind, managing: Manage, desired: Desired, row: Release) -> Iterator[Release]:
    """The row, where the config manages the section: an entry that an additive one dropped, or fields of an entry."""
    wanted = value_at(desired.settings, row.at)
    if wanted is None:
        if managing == "additive" and not desired.intent(row.at).remove:
            yield row
        return
    fields = _dropped(kind, row.last, wanted)
    if fields:
        others = tuple(field.name for field in kind.fields if field.name not in fields)
        yield row._replace(fields=fields, value=None if row.value is None else without(row.value, others))


def _release(live: Live, applied: Applied, at: Address) -> Release | None:
    """What was applied at an address, and what the org has of it now; None where the org is known to have nothing."""
    section, key = split_address(at)
    last, there = value_at(applied.settings, at) or BLANK, at
    if section == "idp_groups":
        name = live_key(key or "", live, applied)
        if name is None:
            return None
        there = address(section, name)
    if live.covered(section).state != "complete":
        return Release(at, there, last, None)
    value = value_at(live.settings, there)
    if value is None or value == BLANK:
        return None
    return Release(at, there, last, value if isinstance(last, GroupMapping) else restrict(value, last))


def _dropped(kind: Kind, last: Value, wanted: Value) -> tuple[str, ...]:
    """Fields that were applied and that the config no longer speaks of; a mapping is one value."""
    if kind.whole:
        return ()
    written = {field.name for field in kind.fields if field.written}
    return tuple(name for name in said_fields(kind, last) if name in written and getattr(wanted, name) is UNSET)


def _addresses(applied: Applied, kind: Kind) -> Iterator[Address]:
    held = getattr(applied.settings, kind.section)
    if held is not UNSET:
        yield from (address(kind.section, key) for key in held) if kind.keyed else (address(kind.section),)
