"""Finds who wrote each field of a drifted setting last, in the log of an org that states the values of its writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from rolecall.drift.compare import Drift
from rolecall.model.kinds import BY_SECTION, FieldChange, field_address, field_changes, split_address
from rolecall.model.outcome import Event


class FieldWrite(NamedTuple):
    """The last write of one field: its address, such as ``sso.name``, who wrote it and when."""

    address: str
    by: str
    at: datetime


def field_writes(drift: Drift, events: Sequence[Event], own: Callable[[str], bool]) -> tuple[FieldWrite, ...]:
    """Return the last write of each field that drifted; empty if the setting's last write explains all of them.

    ``events`` are the writes of its address since it was applied, newest first. ``own`` says whether a run of this
    journal made the write with a key; such a write explains no drift.
    """
    writes = []
    for change in _changes(drift):
        event = next((event for event in events if _changes_field(event, change.path)), None)
        if event is not None and not (event.key and own(event.key)):
            writes.append(FieldWrite(field_address(drift.address, change.path), event.actor, event.at))
    last = {(event.actor, event.at) for event in events[:1]}
    return tuple(writes) if {(write.by, write.at) for write in writes} - last else ()


def _changes(drift: Drift) -> Iterator[FieldChange]:
    """Yield the fields that differ from the last apply, without those that either value does not have."""
    section = split_address(drift.address)[0]
    if drift.last is None or drift.live is None:
        return
    for change in field_changes(section, drift.last, drift.live):
        if BY_SECTION[section].whole or (change.before is not None and change.after is not None):
            yield change


def _changes_field(event: Event, name: str) -> bool:
    """Return whether a write changed a field; one that created or deleted the entry changed all of them."""
    if not isinstance(event.before, dict) or not isinstance(event.after, dict):
        return True
    return bool(event.before.get(name) != event.after.get(name))
