"""The order of changes: what others need first, grants before revokes, and last what nothing needs any more.

wave 0   domains claimed, SSO on, SCIM on, upgrade started      what others need (R1)
wave 1   mappings that only give more                           widening
wave 2   mappings that give and take
wave 3   the default, manual editing
wave 4   mappings that only give less                           narrowing
wave 5   upgrade completed, SCIM off, SSO off, domains dropped  what nothing needs any more
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rolecall.model.change import Change
from rolecall.model.kinds import split_address
from rolecall.model.roles import MEMBER, ORG_ADMIN, RANK
from rolecall.model.settings import UNSET, Defaults, GroupMapping, Scim, Settings, Sso

Atom = tuple[str, str]


def order(changes: Iterable[Change], live: Settings) -> tuple[Change, ...]:
    """The changes with their waves, sorted; equal input in any order gives the same result."""
    default_role = _default_role(live)
    placed = [replace(change, wave=wave(change, default_role)) for change in changes]
    return tuple(sorted(placed, key=_place))


def wave(change: Change, default_role: str = MEMBER) -> int:
    """The wave a change belongs to. ``default_role`` is what a mapping without a role gives (R31)."""
    match change.after or change.before:
        case GroupMapping():
            return _mapping_wave(change, default_role)
        case Defaults():
            return 3
        case Scim(endpoint=endpoint) if change.action == "upgrade":
            return 0 if endpoint == "upgrading" else 5
        case Scim() | Sso():
            return _switch_wave(change)
        case _:
            return 5 if change.action == "delete" else 0


def _switch_wave(change: Change) -> int:
    after = change.after
    if isinstance(after, Scim | Sso) and after.enabled is False:
        return 5
    if isinstance(after, Scim) and after.enabled is UNSET and after.manual_editing is not UNSET:
        return 3
    return 0


def _mapping_wave(change: Change, default_role: str) -> int:
    before, after = _atoms(change.before, default_role), _atoms(change.after, default_role)
    if before <= after:
        return 1
    return 4 if after <= before else 2


def _atoms(value: object, default_role: str) -> frozenset[Atom]:
    """What a mapping gives, closed downward: team admin holds member, org admin adds one org-wide atom."""
    if not isinstance(value, GroupMapping):
        return frozenset()
    role = value.role or default_role
    rank = RANK.get(role)
    if rank is None:
        return frozenset((team, role) for team in value.teams)
    held = {(team, lower) for team in value.teams for lower, r in RANK.items() if r <= rank and lower != ORG_ADMIN}
    return frozenset(held | {("", ORG_ADMIN)} if role == ORG_ADMIN else held)


def _default_role(live: Settings) -> str:
    said = live.defaults.role if live.defaults is not UNSET else UNSET
    return MEMBER if said is UNSET else said


def _place(change: Change) -> tuple[int, int, str, str]:
    rank = _NEEDED_FIRST[split_address(change.address)[0]]
    return change.wave, -rank if change.wave == 5 else rank, change.address, change.action


_NEEDED_FIRST = {"domains": 0, "sso": 1, "scim": 2, "defaults": 3, "idp_groups": 4}
