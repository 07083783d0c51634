"""Which live group a config entry means, and what an entry asks for on a given day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple

from rolecall.errors import Problem
from rolecall.model.desired import Applied, Desired, Intent
from rolecall.model.kinds import address, split_address
from rolecall.model.live import Facts
from rolecall.model.policy import Ignore
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping

SOON = timedelta(days=14)
"""How long before its last day an entry is warned of."""


class Names(NamedTuple):
    """Config entries beside the live groups they mean: ``live`` is each one's key there, None when it waits.

    ``problems`` says of some what is odd about their names.
    """

    live: Mapping[str, str | None]
    problems: Mapping[str, Problem]

    @property
    def found(self) -> Mapping[str, str]:
        """Those that are there."""
        return {key: name for key, name in self.live.items() if name is not None}

    def address(self, key: str) -> Address:
        """The address of an entry: the live name where there is one, since that is what a write goes to."""
        return address("idp_groups", self.live[key] or key)


class _Named(NamedTuple):
    """The live group that an entry means, and what is odd about its name."""

    live: str | None
    problem: Problem | None = None


def covers(patterns: Iterable[str], at: str) -> bool:
    """Whether an address is one of the patterns, or matches one as a glob."""
    return any(at == pattern or fnmatchcase(at, pattern) for pattern in patterns)


def ignored(ignores: Iterable[Ignore], as_of: date) -> tuple[str, ...]:
    """The patterns that are ignored on that day; ``until`` is the last day."""
    return tuple(entry.address for entry in ignores if entry.until is None or as_of <= entry.until)


def expired(intent: Intent, as_of: date) -> bool:
    """An entry holds through its ``expires`` day, UTC."""
    return intent.expires is not None and intent.expires < as_of


def expires_soon(intent: Intent, as_of: date) -> bool:
    """Whether an entry holds today and ends within 14 days."""
    return intent.expires is not None and as_of <= intent.expires <= as_of + SOON


def on_day(desired: Desired, as_of: date) -> Desired:
    """The desired state with every expired mapping read as blank."""
    groups = desired.settings.idp_groups
    if groups is UNSET:
        return desired
    lapsed = {
        key: BLANK
        for at, intent in desired.intents.items()
        if intent.expires is not None and expired(intent, as_of) and (key := at.partition("/")[2]) in groups
    }
    if not lapsed:
        return desired
    return replace(desired, settings=replace(desired.settings, idp_groups={**groups, **lapsed}))


def name_groups(desired: Desired, facts: Facts, applied: Applied, live: Mapping[str, GroupMapping]) -> Names:
    """Each desired group beside the live one: by pinned id, else by name, else by the id remembered from before.

    A group that waits has no live one. A pinned id under another name is a warning that says to rename the key.
    """
    groups = desired.settings.idp_groups
    if groups is UNSET:
        return Names({}, {})
    pins = {split_address(at)[1]: intent.id for at, intent in desired.intents.items() if intent.id}
    found: dict[str, str | None] = {key: key if key in live else None for key in groups}
    unsure = [key for key, name in found.items() if name is None or key in pins]
    by_id = {group.id: key for key, group in facts.groups.items()} if unsure else {}
    problems = {}
    for key in unsure:
        pin = pins.get(key)
        named = _pinned(key, pin, by_id, desired) if pin else _missing(key, facts, applied, by_id, groups)
        found[key] = named.live
        if named.problem is not None:
            problems[key] = named.problem
    return Names(found, problems)


def _pinned(key: str, pin: str, by_id: Mapping[str, str], desired: Desired) -> _Named:
    live = by_id.get(pin)
    where = desired.intent(address("idp_groups", key)).source
    if live is None:
        return _Named(None)
    if live in (key, f"{key} [{pin}]"):
        return _Named(live)
    message = f"the group with id {pin} is called `{live}` in the org, not `{key}`"
    return _Named(live, Problem("group_renamed", message, where, f"rename the key to `{live}`", "warning"))


def _missing(
    key: str, facts: Facts, applied: Applied, by_id: Mapping[str, str], desired: Mapping[str, GroupMapping]
) -> _Named:
    """An entry for which the org has no group of that name."""
    if key in facts.homonyms:
        ids = ", ".join(sorted(found for found, name in by_id.items() if name == f"{key} [{found}]"))
        message = f"two groups are called `{key}` in the org ({ids})"
        return _Named(None, Problem("group_ambiguous", message, None, "say which by its `id`"))
    known = applied.group_ids.get(key)
    renamed = by_id.get(known) if known else None
    if renamed is None or renamed in desired:
        return _Named(None)
    message = f"`{key}` is now called `{renamed}` in the IdP; nothing is unmapped"
    return _Named(renamed, Problem("group_renamed", message, None, f"rename the key to `{renamed}`", "warning"))


def live_address(at: Address, names: Mapping[str, str]) -> Address:
    """An address of the config under the name that the group has in the org; any other stays as it is."""
    section, key = split_address(at)
    return address(section, names.get(key, key)) if section == "idp_groups" and key else at
