"""Compare the org with the last apply and with the config, and find the audit log event behind each difference.

With b last applied, d desired and l live:

    l = d                   in_sync     converged if b differs
    no b                    differs     it is unknown which side changed
    l = b, d differs        unapplied   changed in the config; an apply is due
    d = b, l differs        console     changed in the org
    all three differ        both
    l not read              unknown, as is an address in sync with a managed field that was not read

A console change that was written with another journal, or by a run that is not in this one, is ``other_run``; a group
that was deleted, or that has another id, is ``idp``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Literal, NamedTuple

from rolecall.codec.settings import encode_value
from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.desired import Applied, Desired
from rolecall.model.fields import Kind
from rolecall.model.kinds import KINDS, address, agrees, split_address, unread_fields, value_at
from rolecall.model.live import Live
from rolecall.model.outcome import Event
from rolecall.model.record import Key
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping, Value
from rolecall.model.sighting import Roster
from rolecall.plan.diff.changes import Difference, difference
from rolecall.plan.diff.identity import Identity, group_of, identify
from rolecall.plan.resolve import on_day
from rolecall.plan.saved.digest import canonical

DriftClass = Literal["in_sync", "converged", "differs", "unapplied", "console", "both", "other_run", "idp", "unknown"]

DRIFTED: frozenset[DriftClass] = frozenset({"console", "both", "other_run", "idp"})
"""The classes that are drift; ``differs`` and ``unapplied`` are only on request."""


@dataclass(frozen=True)
class Drift:
    """Compare the three values of one address. None means no entry, or an unmapped group.

    ``id`` is the org's id of the group, or the one it had when last applied. ``event`` is the org's last write to it,
    if its audit log has it; ``source`` is the entry's place in the config. ``managed`` is false in a section with
    ``manage: unmanaged``, which rolecall never writes. ``applied_as`` is its address at the last apply, None if
    unknown.
    """

    address: Address
    kind: Annotated[DriftClass, Key("class")]
    last: Value | None
    desired: Value | None
    live: Value | None
    event: Event | None = None
    source: Where | None = None
    new_admin: bool = False
    managed: bool = True
    id: str | None = None
    applied_as: Address | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Return 16 hex digits that identify this drift as long as it exists. A group is identified by its id, so that
        a rename does not make another drift."""
        return self._digest(self.address if self.id is None else f"{split_address(self.address)[0]}#{self.id}")

    @cached_property
    def former_fingerprints(self) -> tuple[str, ...]:
        """Return the fingerprints that 0.1.0 gave this drift, by its address now and at the last apply. What was
        recorded under one of them still counts."""
        addresses = (self.address, self.applied_as) if self.id is not None else ()
        return tuple(dict.fromkeys(self._digest(at) for at in addresses if at is not None))

    def _digest(self, subject: str) -> str:
        section = split_address(self.address)[0]
        values = [encode_value(section, value) for value in (self.last, self.desired, self.live)]
        return sha256(canonical([subject, self.kind, *values])).hexdigest()[:16]


class Lifecycle(NamedTuple):
    """The ids of groups that the IdP pushed since a moment, and the names of those that it removed."""

    pushed: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Memory:
    """Hold the last applied values, and which of the org's writes were made by the runs of this journal.

    ``baseline`` is true when a file or a commit replaces a journal; ``lifecycle`` is then
    what the org's log says of groups since, None if it was not read. ``keys`` are the
    Idempotency-Keys of those writes.
    ``whole`` are the sections that are known whole: what ``applied`` does not have there was not there.
    """

    applied: Applied
    recorded: frozenset[Address] = frozenset()
    journal: str = ""
    keys: frozenset[str] = frozenset()
    baseline: bool = False
    lifecycle: Lifecycle | None = None
    whole: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold every managed address with its class, and the unmanaged mappings."""

    difference: Difference
    entries: tuple[Drift, ...] = ()
    unmanaged: tuple[Address, ...] = ()

    def of(self, *kinds: DriftClass) -> tuple[Drift, ...]:
        return tuple(drift for drift in self.entries if drift.kind in kinds)


def compare(
    desired: Desired, live: Live, memory: Memory, as_of: date, events: Mapping[Address, Event] | None = None
) -> Comparison:
    """Classify every managed address on a day (UTC). ``events`` are the org's last writes by live address."""
    return compare_resolved(identify(desired, live, memory.applied), live, memory, as_of, events)


def compare_resolved(
    identity: Identity, live: Live, memory: Memory, as_of: date, events: Mapping[Address, Event] | None = None
) -> Comparison:
    """Classify as ``compare`` does, with labels that are already resolved."""
    desired, past = on_day(identity.desired, as_of), _resolved(memory, identity)
    differences = difference(identity, live, as_of)
    if memory.baseline:
        differences = differences._replace(released=())
    entries = [
        _classified(at, desired, live, past, identity, (events or {}).get(at))
        for at in sorted(set(_managed(desired, live)))
        if not identity.covers(differences.ignored, at)
    ]
    entries += _new_admins(desired, live, past, differences, events or {})
    was = {identity.present_address(at): at for at in (*memory.applied.ids, *sorted(memory.recorded))}
    entries = [replace(entry, applied_as=was.get(entry.address)) for entry in entries]
    return Comparison(differences, tuple(entries), differences.unmanaged)


def _resolved(memory: Memory, identity: Identity) -> Memory:
    """Return the memory keyed by live names."""
    return replace(memory, applied=identity.applied, recorded=frozenset(map(identity.present_address, memory.recorded)))


def _managed(desired: Desired, live: Live) -> Iterator[Address]:
    """Yield the addresses in the config, and in an authoritative section also those that only the org has."""
    for kind in KINDS:
        desired_section, live_section = getattr(desired.settings, kind.section), getattr(live.settings, kind.section)
        if desired_section is UNSET or desired.policy.managing(kind.section) == "unmanaged":
            continue
        if not kind.keyed:
            yield address(kind.section)
            continue
        yield from (address(kind.section, key) for key in desired_section)
        if desired.policy.managing(kind.section) == "authoritative" and live_section is not UNSET:
            yield from (
                address(kind.section, key)
                for key, value in live_section.items()
                if key not in desired_section and _solid(value)
            )
    yield from (at for at, intent in desired.intents.items() if intent.remove and managed(desired, at))


def managed(desired: Desired, at: Address) -> bool:
    """Return whether the config manages the section of an address."""
    section, _ = split_address(at)
    return getattr(desired.settings, section) is not UNSET and desired.policy.managing(section) != "unmanaged"


def _classified(
    at: Address, desired: Desired, live: Live, memory: Memory, identity: Identity, event: Event | None
) -> Drift:
    kind = _kind(at)
    last_id = _last_id(at, desired, memory)
    known_id = identity.id_at(at) or last_id
    d = _solid(value_at(desired.settings, at))
    source = desired.intent(at).source
    if live.covered(kind.section).state != "complete":
        return Drift(at, "unknown", None, d, None, source=source, id=known_id)
    last = _solid(value_at(memory.applied.settings, at))
    live_value = _solid(value_at(live.settings, at))
    known = at in memory.recorded or kind.section in memory.whole
    unread = d is not None and live_value is not None and unread_fields(live_value, d)
    drift_class = classify(last, d, live_value, known=known or (event is not None and _swept(at, memory, desired)))
    if unread and drift_class in ("in_sync", "converged"):
        return Drift(at, "unknown", last, d, live_value, source=source, id=known_id)
    if drift_class in ("console", "both", "differs") and _idp(at, live, last_id):
        drift_class = "idp"
    elif drift_class == "console" and event is not None and _other_run(event, memory):
        drift_class = "other_run"
    if (
        drift_class in ("console", "both")
        and live_value is None
        and event is None
        and _not_yet_pushed(at, memory, identity)
    ):
        drift_class = "unapplied"
    return Drift(at, drift_class, last, d, live_value, event if drift_class in DRIFTED else None, source, id=known_id)


def _not_yet_pushed(at: Address, memory: Memory, identity: Identity) -> bool:
    """Return whether the org had no such group at the baseline, by its log: the mapping was never applied."""
    name, known = group_of(at), identity.id_at(at)
    if name is None or memory.lifecycle is None:
        return False
    if known is not None:
        return known in memory.lifecycle.pushed
    return memory.applied.unmanaged is None and name not in memory.lifecycle.removed


def classify(last: Value | None, desired: Value | None, live: Value | None, *, known: bool) -> DriftClass:
    """Return the class of one address by its three values. ``known``: there is a last applied value."""
    if equal(live, desired):
        return "converged" if known and not equal(live, last) else "in_sync"
    if not known:
        return "differs"
    if equal(live, last):
        return "unapplied"
    return "console" if equal(last, desired) else "both"


def equal(first: Value | None, second: Value | None) -> bool:
    """Return whether two values agree on every field that both have. No entry equals only no entry."""
    if first is None or second is None:
        return first is second
    return agrees(first, second) and agrees(second, first)


def _last_id(at: Address, desired: Desired, memory: Memory) -> str | None:
    """Return the id of the group that an address meant at the last apply; its pin if the journal has none."""
    ids, key = memory.applied.group_ids, group_of(at)
    return None if key is None else memory.applied.ids.get(at) or ids.get(key) or desired.intent(at).id


def _idp(at: Address, live: Live, last_id: str | None) -> bool:
    """Return whether the group was deleted, or another group has its name."""
    group = live.facts.groups.get(group_of(at) or "")
    return last_id is not None and (group is None or group.id != last_id)


def _swept(at: Address, memory: Memory, desired: Desired) -> bool:
    """Return whether the last apply left no entry: the section was authoritative, and the config had none. Then the
    writes in the org's log since are not rolecall's."""
    section = split_address(at)[0]
    policies = (memory.applied.policy, desired.policy)
    return value_at(desired.settings, at) is None and all(
        policy is not None and policy.managing(section) == "authoritative" for policy in policies
    )


def _other_run(event: Event, memory: Memory) -> bool:
    parts = (event.key or "").split("/")
    return len(parts) >= 4 and parts[0] == "rolecall" and event.key not in memory.keys


def _new_admins(
    desired: Desired, live: Live, memory: Memory, differences: Difference, events: Mapping[Address, Event]
) -> Iterator[Drift]:
    """Yield new unmanaged mappings that give org admin, which are drift; other unmanaged mappings are not.

    A mapping that is no longer managed is new if the applied one gave less.
    """
    known = memory.applied.unmanaged
    if known is None:
        return
    released = {
        release.live: release.last for release in differences.released if isinstance(release.last, GroupMapping)
    }
    writable = desired.policy.managing("idp_groups") != "unmanaged"
    for at in differences.unmanaged:
        mapping, last = value_at(live.settings, at), released.get(at, BLANK)
        admin = isinstance(mapping, GroupMapping) and mapping.role == ORG_ADMIN
        if admin and at not in known and last.role != ORG_ADMIN:
            event, known_id = events.get(at), differences.identity.id_at(at)
            yield Drift(at, "console", _solid(last), None, mapping, event, None, True, writable, known_id)


def _kind(at: Address) -> Kind:
    section = split_address(at)[0]
    return next(kind for kind in KINDS if kind.section == section)


def _solid(value: Value | None) -> Value | None:
    return None if value == BLANK else value


GROUPS = "groups/"
"""The prefix of addresses of events about groups themselves; the id follows."""


def lifecycle(events: Iterable[Event]) -> Lifecycle:
    """Return which groups the IdP pushed and removed, by the org's log."""
    groups = [event for event in events if event.address.startswith(GROUPS)]
    names = (
        event.before.get("displayName") for event in groups if event.after is None and isinstance(event.before, dict)
    )
    return Lifecycle(
        frozenset(event.address.removeprefix(GROUPS) for event in groups if event.before is None),
        frozenset(normalise.name(name) for name in names if isinstance(name, str)),
    )


def attributed(events: Sequence[Event], identity: Identity, roster: Roster | None) -> Iterator[tuple[Address, Event]]:
    """Yield each event, newest first, with the live address of what was written. ``events`` are oldest first.

    Names are followed back through the renames in the log. Without any, the names of the last check and of the last
    apply are used.
    """
    names = {known: _bare(name, known) for name, known in identity.ids.items()}
    live = {known: address("idp_groups", name) for name, known in identity.ids.items()}
    last_names = {} if roster is None else {group.name: known for known, group in roster.groups.items()}
    for event in reversed(events):
        name = group_of(event.address)
        if name is None:
            _step_back(names, event)
            yield Address(event.address), event
            continue
        holders = [known for known, current in names.items() if current == name]
        if len(holders) == 1 and holders[0] in live:
            yield live[holders[0]], event
        elif not holders and last_names.get(name) in live:
            yield live[last_names[name]], event
        else:
            yield identity.present_address(Address(event.address)), event


def _step_back(names: dict[str, str], event: Event) -> None:
    """Set the name of a group back to the one before an event about the group itself."""
    known = event.address.removeprefix(GROUPS)
    if not event.address.startswith(GROUPS):
        return
    before = event.before.get("displayName") if isinstance(event.before, dict) else None
    if isinstance(before, str):
        names[known] = normalise.name(before)
    elif event.before is None:
        names.pop(known, None)


def _bare(name: str, known: str) -> str:
    """Return the name without the id that distinguishes two groups of the same name."""
    return name.removesuffix(f" [{known}]")
