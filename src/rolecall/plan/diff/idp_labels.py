"""Key the groups of the IdP alike in the configuration, in the IdP as it was read, and in what was applied: by ID.

A group is its ID, which its value has. Its key is its name in the IdP, or ``name [id]`` where another group of the
section has that name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rolecall.errors import Problem
from rolecall.model.desired import Applied, Desired
from rolecall.model.kinds import IDP_SECTIONS, address
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, Address, Section, Settings

Keys = dict[Section, dict[str, str]]
"""The key of each group by a former key, in each section."""


@dataclass(frozen=True, slots=True)
class IdpLabels:
    """Both sides keyed alike. ``past`` has the address now of each address of the journal, ``problems`` what is odd."""

    desired: Desired
    applied: Applied
    past: Mapping[Address, Address] = field(default_factory=dict)
    problems: Mapping[Address, Problem] = field(default_factory=dict)


def idp_labels(desired: Desired, live: Live, applied: Applied) -> IdpLabels:
    """Key the groups of the IdP. Returns the same objects for a configuration and a journal without any."""
    sections = [name for name in IDP_SECTIONS if _of(desired.settings, name) or _of(applied.settings, name)]
    if not sections:
        return IdpLabels(desired, applied)
    applied = _with_ids(applied, desired, live, sections)
    written: Keys = {}
    recorded: Keys = {}
    for section in sections:
        live_groups = _of(live.settings, section)
        by_id = {value.id: key for key, value in live_groups.items()}
        taken = {*live_groups}
        written[section] = _keyed(_of(desired.settings, section), by_id, taken)
        recorded[section] = _keyed(_of(applied.settings, section), by_id, taken)
    problems = dict(_moved(desired, applied, written))
    past = {address(name, key): address(name, now) for name, keys in recorded.items() for key, now in keys.items()}
    return IdpLabels(_desired(desired, written), _applied(applied, recorded, past), past, problems)


def _with_ids(applied: Applied, desired: Desired, live: Live, sections: list[Section]) -> Applied:
    """Return what was applied with the IDs that names have now: a baseline that is a configuration has names alone."""
    named: dict[str, Any] = {}
    for section in sections:
        groups = _of(applied.settings, section)
        if all(value.id is not UNSET for value in groups.values()):
            continue
        known = {**_of(desired.settings, section), **_of(live.settings, section)}
        named[section] = {key: known.get(key, value) if value.id is UNSET else value for key, value in groups.items()}
    return replace(applied, settings=replace(applied.settings, **named)) if named else applied


def _keyed(groups: Mapping[str, Any], by_id: dict[Any, str], taken: set[str]) -> dict[str, str]:
    """Return the key of each group, and add it to those that are known."""
    keys = {}
    for key, value in groups.items():
        if value.id is UNSET:
            keys[key] = key
            continue
        if value.id not in by_id:
            name = key.removesuffix(f" [{value.id}]")
            by_id[value.id] = f"{name} [{value.id}]" if name in taken else name
            taken.add(by_id[value.id])
        keys[key] = by_id[value.id]
    return keys


def _moved(desired: Desired, applied: Applied, keys: Keys) -> Iterator[tuple[Address, Problem]]:
    """Yield an error for each name that means another group than at the last apply, unless its ID is pinned."""
    for section in keys:
        for key, last in _of(applied.settings, section).items():
            value = _of(desired.settings, section).get(key)
            intent = desired.intent(address(section, key))
            if value is None or intent.id or UNSET in (value.id, last.id) or value.id == last.id:
                continue
            message = f"`{key}` meant the group with id {last.id} at the last apply, and now means {value.id}"
            hint = f"check both groups in the IdP, then pin the right one: {{name: {key}, id: {value.id}}}"
            yield address(section, keys[section][key]), Problem("idp_other_group", message, intent.source, hint)


def _desired(desired: Desired, keys: Keys) -> Desired:
    changed = {
        address(section, key): address(section, now)
        for section, names in keys.items()
        for key, now in names.items()
        if key != now
    }
    if not changed:
        return desired
    return desired._replace(
        settings=_settings(desired.settings, keys),
        intents={changed.get(at, at): intent for at, intent in desired.intents.items()},
    )


def _applied(applied: Applied, keys: Keys, past: Mapping[Address, Address]) -> Applied:
    if all(at == now for at, now in past.items()):
        return applied
    return replace(
        applied,
        settings=_settings(applied.settings, keys),
        protected=frozenset(past.get(at, at) for at in applied.protected),
        config={past.get(at, at): name for at, name in applied.config.items()},
    )


def _settings(settings: Settings, keys: Keys) -> Settings:
    sections: dict[str, Any] = {
        section: {keys[section][key]: value for key, value in _of(settings, section).items()}
        for section in keys
        if getattr(settings, section) is not UNSET
    }
    return replace(settings, **sections)


def _of(settings: Settings, section: Section) -> Mapping[str, Any]:
    entries = getattr(settings, section)
    return {} if entries is UNSET else entries
