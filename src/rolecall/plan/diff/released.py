"""Find settings that were applied once and are no longer managed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from rolecall.model.desired import Applied, Desired
from rolecall.model.fields import Kind
from rolecall.model.kinds import KINDS, address, known_fields, restrict, value_at, without
from rolecall.model.live import Live
from rolecall.model.policy import Manage
from rolecall.model.settings import BLANK, UNSET, Address, Value
from rolecall.plan.diff.identity import Identity


class Release(NamedTuple):
    """An address, or some fields of it, that is no longer managed.

    ``live`` is the address with the current name. ``fields`` is empty where all of it is no longer managed. ``last`` is
    what was applied; ``value`` is the live value of it, None where it was not read.
    """

    live: Address
    last: Value
    value: Value | None
    fields: tuple[str, ...] = ()


def releases(desired: Desired, live: Live, identity: Identity, skip: Collection[str]) -> Iterator[Release]:
    """Yield what was applied and is no longer managed, by kind, unless it no longer exists in the org.

    ``desired`` is that of the identity on its day; ``skip`` are patterns of ignored addresses.
    """
    for kind in KINDS:
        configured = getattr(desired.settings, kind.section) is not UNSET
        managing = desired.policy.managing(kind.section) if configured else "unmanaged"
        for release in _applied(kind, live, identity.applied):
            if identity.covers(skip, release.live):
                continue
            if managing == "unmanaged":
                yield release
            elif not kind.whole:
                yield from _managed(kind, managing, desired, release)
            elif managing == "additive" and value_at(desired.settings, release.live) is None:
                yield from () if desired.intent(release.live).remove else (release,)


def _applied(kind: Kind, live: Live, applied: Applied) -> Iterator[Release]:
    """Yield what was applied in a section, with its live value, unless it is known not to exist in the org."""
    applied_section = getattr(applied.settings, kind.section)
    if applied_section is UNSET:
        return
    read = live.covered(kind.section).state == "complete"
    section = getattr(live.settings, kind.section) if read else UNSET
    entries: Mapping[Any, Value] = applied_section if kind.keyed else {None: applied_section}
    live_entries = {} if section is UNSET else section if kind.keyed else {None: section}
    for key, last in entries.items():
        value = live_entries.get(key)
        if read and value in (None, BLANK):
            continue
        if value is not None and not kind.whole:
            value = restrict(value, last)
        yield Release(address(kind.section, key), last, value)


def _managed(kind: Kind, managing: Manage, desired: Desired, release: Release) -> Iterator[Release]:
    """Yield a release in a managed section: an entry removed from an additive one, or fields of an entry."""
    desired_value = value_at(desired.settings, release.live)
    if desired_value is None:
        if managing == "additive" and not desired.intent(release.live).remove:
            yield release
        return
    written = {field.name for field in kind.fields if field.written}
    applied_fields = known_fields(kind, release.last)
    fields = tuple(name for name in applied_fields if name in written and getattr(desired_value, name) is UNSET)
    if fields:
        still_managed = tuple(field.name for field in kind.fields if field.name not in fields)
        yield release._replace(
            fields=fields, value=None if release.value is None else without(release.value, still_managed)
        )
