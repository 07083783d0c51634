"""Ends a run: reads the changed sections again, and remembers what matches the configuration."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, cast

from rolecall.apply.idp import read_idp
from rolecall.apply.steps import satisfies
from rolecall.journal.port import AppliedState
from rolecall.live.port import IdpSideReader, Reader
from rolecall.model.change import Change
from rolecall.model.desired import Applied, Desired
from rolecall.model.fields import Kind
from rolecall.model.kinds import KINDS, ORG_SECTIONS, address, known_fields, split_address, value_at
from rolecall.model.live import Live
from rolecall.model.policy import Policy
from rolecall.model.run import RunFacts
from rolecall.model.settings import BLANK, UNSET, Address, Value
from rolecall.plan.diff.changes import Difference
from rolecall.plan.diff.identity import Identity, group_of


async def reread(org: Reader, live: Live, steps: Sequence[Change], idp: IdpSideReader | None = None) -> Live:
    """Return the earlier read with the sections of these steps read again. Raises OrgError when nothing can be read.

    A change to SCIM can empty the list of groups (R20), so both are read then.
    """
    written = {split_address(step.address)[0] for step in steps}
    live = await read_idp(idp, live, written)
    sections = written.intersection(ORG_SECTIONS)
    if not sections:
        return live
    again = await org.read(frozenset(sections | {"idp_groups"} if "scim" in sections else sections))
    read = again.coverage.keys() & {*ORG_SECTIONS}
    fact_sections = {"groups": "idp_groups", "homonyms": "idp_groups", "kept": "scim", "legacy_links": "scim"}
    facts = {name: getattr(again.facts, name) for name, section in fact_sections.items() if section in read}
    stale = tuple(at for at in live.versions if split_address(at)[0] in read)
    return replace(
        live,
        settings=replace(live.settings, **{name: getattr(again.settings, name) for name in read}),
        coverage={**live.coverage, **{name: again.coverage[name] for name in read}},
        facts=live.facts._replace(**facts),
        versions={**{at: tag for at, tag in live.versions.items() if at not in stale}, **again.versions},
    )


def memory_after(
    difference: Difference, live: Live, applied: Applied, facts: RunFacts, today: date | None = None
) -> AppliedState:
    """Return what a closing run remembers.

    ``difference`` is the difference between ``live`` and the desired state of the run, with expired mappings read as
    unmapped; ``applied`` is what is remembered now. Every managed address that matches is remembered under its live
    name, including unchanged ones; what is no longer managed, or exists on neither side, is forgotten.
    """
    identity, desired = difference.identity, difference.identity.desired
    values: dict[Address, Value | None] = dict(_as_desired(identity, live))
    now = {at: identity.present_address(at) for at in _addresses(applied)}
    over = {*values, *(release.live for release in difference.released if not release.fields)}
    forgotten = {at for at, name in now.items() if name in over or _is_nowhere(desired, live, name)}
    left = {at: name for at, name in now.items() if at not in forgotten}
    displaced = {name: value_at(applied.settings, at) for at, name in left.items() if at in values}
    values |= displaced
    protected = frozenset(at for at, intent in desired.intents.items() if intent.protect)
    expires = frozenset(at for at, intent in desired.intents.items() if intent.expires)
    mentioned = {*values, *protected, *expires, *difference.unmanaged}
    remembered = {**{at: at for at in mentioned}, **{at: name for at, name in left.items() if at not in values}}
    return AppliedState(
        values=values,
        forgotten=forgotten - values.keys(),
        policy=identity.written.policy,
        protected=protected,
        group_ids=group_ids(identity, applied, {*values, *left.values()}),
        ids=address_ids(identity, applied, remembered),
        unmanaged=frozenset(difference.unmanaged),
        expires=expires,
        ends={at: intent.expires for at, intent in desired.intents.items() if intent.expires},
        waiting=None if today is None else _waiting(difference, identity.applied, today),
        config=facts.config or "",
        commit=facts.commit,
    )


def _as_desired(identity: Identity, live: Live) -> Iterator[tuple[Address, Value | None]]:
    desired = identity.desired
    for kind in KINDS:
        requested = getattr(desired.settings, kind.section)
        managed = requested is not UNSET and desired.policy.managing(kind.section) != "unmanaged"
        if not managed or live.covered(kind.section).state != "complete":
            continue
        if not kind.keyed:
            value = getattr(live.settings, kind.section)
            if satisfies(value, requested):
                yield address(kind.section), requested
            elif (
                partly := _partly(kind, value, requested, getattr(identity.applied.settings, kind.section))
            ) is not None:
                yield address(kind.section), partly
            continue
        for key, value in requested.items():
            present = kind.section != "idp_groups" or key in identity.present
            if present and satisfies(value_at(live.settings, address(kind.section, key)), value):
                yield address(kind.section, key), value


def _partly(kind: Kind, value: Any, requested: Any, last: Any) -> Value | None:
    """Return what to remember of a setting that matches in some fields only; None to keep what is remembered.

    Fields that now match are remembered as they are, the others as before. An endpoint that is being upgraded is in
    transition to the desired value.
    """
    if kind.whole or UNSET in (value, last):
        return None
    fields, reached = known_fields(kind, requested), False
    for name, requested_field in fields.items():
        current, known = getattr(value, name), getattr(last, name)
        as_desired = current == requested_field or (name, current, requested_field) == ("endpoint", "upgrading", "new")
        reached = reached or (as_desired and known not in (UNSET, current))
        fields[name] = current if as_desired else known
    return cast(Value, replace(requested, **fields)) if reached else None


def _waiting(difference: Difference, applied: Applied, today: date) -> dict[Address, date]:
    """Return the day since when each group that the IdP does not push has been pending."""
    waits = (change.address for change in difference.changes if change.via_reason == "not_pushed")
    return {at: applied.waiting.get(at, today) for at in waits if at.startswith("idp_groups/")}


def _is_nowhere(desired: Desired, live: Live, at: Address) -> bool:
    return value_at(desired.settings, at) is None and value_at(live.settings, at) in (None, BLANK)


def _addresses(applied: Applied) -> Iterator[Address]:
    for kind in KINDS:
        section = getattr(applied.settings, kind.section)
        if section is not UNSET:
            yield from (address(kind.section, key) for key in section) if kind.keyed else (address(kind.section),)


def group_ids(identity: Identity, applied: Applied, remembered: Collection[Address]) -> dict[str, str | None]:
    """Return the id of each key; None for a former key that is to be forgotten.

    That is a key whose group has no ``remembered`` value at its live address. If all entries are pinned, their keys may
    be unknown to the configuration: the plan of a rollback is keyed by live names.
    """
    if all(identity.written.intent(address("idp_groups", key)).id for key in identity.names):
        return {}
    known = identity.group_ids
    live = {group: address("idp_groups", name) for name, group in identity.ids.items()}
    former = {key: group for key, group in applied.group_ids.items() if key not in identity.names}
    forgotten = [key for key, group in former.items() if live.get(group) not in remembered]
    return {**dict.fromkeys(forgotten), **known}


def address_ids(
    identity: Identity, applied: Applied, remembered: Mapping[Address, Address]
) -> dict[Address, str | None]:
    """Return the id of each remembered address and of each group in the policy; None for one to be forgotten.

    ``remembered`` maps addresses to where they are now.
    """
    meant = {
        at: Address(identity.meant(at)) for at in _named(identity.written.policy) if group_of(at) not in identity.names
    }
    ids = {at: known for at, now in {**meant, **remembered}.items() if (known := identity.id_at(now))}
    return {**{at: None for at in applied.ids if at not in ids}, **ids}


def _named(policy: Policy) -> Iterator[Address]:
    """Yield addresses of groups that a policy may name, including patterns."""
    yield from (Address(entry.address) for entry in policy.ignore)
    yield from (Address(entry.target) for entry in policy.allow if entry.target)
    for test in policy.access_tests:
        yield from (address("idp_groups", name) for name in (*(test.groups or ()), *(test.granted_by_only or ())))
