"""Order the changes: first what others need, grants before revokes, last what nothing needs anymore.

wave 0   domains claimed, SSO on, SCIM on, upgrade started      what others need (R1)
wave 1   mappings that only give more                           widening
wave 2   mappings that give and take                            by the users who need them, see ``risk``
wave 3   default access, manual editing                         manual editing where it affects the fewest users
wave 4   mappings that only give less                           narrowing
wave 5   upgrade completed, SCIM off, SSO off, domains dropped  what nothing needs anymore

In wave 1, new mappings that give most of the current default access go first; in wave 4, deletes that give most of the
new one go last. Widening first means that an interrupted run leaves more access, not less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from rolecall.access.rules import Rules, mapping_team_roles
from rolecall.model.change import Change
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.settings import Address, Defaults, GroupMapping, Scim, Sso, Value
from rolecall.plan.forecast import AccessForecast
from rolecall.plan.order.risk import Risk, at_risk, with_levels
from rolecall.plan.order.swap import improved
from rolecall.plan.order.transients import Timeline, weight


class Ordered(NamedTuple):
    """Changes in the order in which they will be made, pending ones at the end.

    ``risks`` are the users affected by the order. ``limited`` if the search for a better order reached its limit.
    """

    changes: tuple[Change, ...]
    risks: tuple[Risk, ...]
    timeline: Timeline
    limited: bool = False


def order(changes: Iterable[Change], forecast: AccessForecast) -> Ordered:
    """Return the changes with their waves and levels; the order of the input does not matter."""
    placed = [change._replace(wave=wave(change, forecast.before), level=0) for change in changes]
    steps = sorted((c for c in placed if c.via != "waiting"), key=lambda change: _place(change, forecast))
    waiting = sorted((c for c in placed if c.via == "waiting"), key=lambda change: _place(change, forecast))
    risks, limited = at_risk(forecast), False
    if risks:
        steps = sorted_by_hand_over(steps, risks, forecast)
        steps = _toggled(steps, risks, forecast)
        steps, limited = improved(steps, risks, Timeline(forecast, steps))
    leveled = with_levels(steps, risks)
    return Ordered((*leveled, *waiting), risks, Timeline(forecast, leveled), limited)


def wave(change: Change, rules: Rules) -> int:
    """Return the wave of a change, under the rules before the plan."""
    match change.after or change.before:
        case GroupMapping():
            return _mapping_wave(change, rules)
        case Defaults():
            return 3
        case Scim(endpoint=endpoint) if change.action == "upgrade":
            return 0 if endpoint == "upgrading" else 5
        case Scim() | Sso():
            return _switch_wave(change)
        case _:
            return 5 if change.action == "delete" else 0


def toggles(change: Change) -> bool:
    """Return whether this is the change of manual editing, and no switch of SCIM itself."""
    before, after = change.before, change.after
    if not isinstance(before, Scim) or not isinstance(after, Scim) or change.action == "upgrade":
        return False
    return before.manual_editing != after.manual_editing and before.enabled == after.enabled


def _switch_wave(change: Change) -> int:
    before, after = change.before, change.after
    if isinstance(after, Scim | Sso) and after.enabled is False and getattr(before, "enabled", None) is not False:
        return 5
    return 3 if toggles(change) else 0


def _mapping_wave(change: Change, rules: Rules) -> int:
    before, after = _granted(change.before, rules), _granted(change.after, rules)
    if before & after == before:
        return 1
    return 4 if before & after == after else 2


def _granted(value: Value | None, rules: Rules) -> int:
    """Return the current entitlements of a mapping, under the current default role (R31), of teams that exist
    (R25)."""
    if not isinstance(value, GroupMapping):
        return 0
    team_roles = mapping_team_roles(value, rules.settings.defaults)
    return rules.entitlements.access_bits(
        rules.entitlements.union(team_role for team_role in team_roles if rules.exists(team_role))
    )


def _place(change: Change, forecast: AccessForecast) -> tuple[int, int, int, str, str]:
    section, key = split_address(change.address)
    rank = BY_SECTION[section].write_rank * (-1 if change.wave == 5 else 1)
    shared = 0
    if section == "idp_groups" and change.wave == 1:
        granted = forecast.after.scim.masks.get(key or "", 0) & forecast.before.scim.default_mask
        shared = -forecast.before.entitlements.access_bits(granted).bit_count()
    elif section == "idp_groups" and change.wave == 4:
        granted = forecast.before.scim.masks.get(key or "", 0) & forecast.after.scim.default_mask
        shared = forecast.before.entitlements.access_bits(granted).bit_count()
    return change.wave, rank, shared, change.address, change.action


def _toggled(steps: Sequence[Change], risks: Sequence[Risk], forecast: AccessForecast) -> list[Change]:
    """Return the steps with manual editing at the end of the wave with the fewest transients; wave 3 in a tie."""
    toggle = next((change for change in steps if toggles(change)), None)
    edited = [risk for risk in risks if risk.traits.manual]
    if toggle is None or not edited:
        return list(steps)
    without_toggle = [change for change in steps if change is not toggle]

    def at(number: int) -> list[Change]:
        cut = next((place for place, change in enumerate(without_toggle) if change.wave > number), len(without_toggle))
        return [*without_toggle[:cut], toggle._replace(wave=number), *without_toggle[cut:]]

    return min(
        (at(number) for number in (3, 0, 1, 2, 4)), key=lambda ordered: weight(Timeline(forecast, ordered), edited)
    )


MIXED = 2


def sorted_by_hand_over(steps: Sequence[Change], risks: Iterable[Risk], forecast: AccessForecast) -> list[Change]:
    """Return the steps with wave 2 in topological order; in a circle the first address comes first."""
    mixed = {change.address: change for change in steps if change.wave == MIXED}
    if len(mixed) < 2:
        return list(steps)
    listed = iter(_topological(sorted(mixed), _needs(mixed, risks, forecast)))
    return [mixed[next(listed)] if change.wave == MIXED else change for change in steps]


def _needs(
    mixed: Mapping[Address, Change], risks: Iterable[Risk], forecast: AccessForecast
) -> dict[Address, set[Address]]:
    """Return for each address those that must come after it, because they take its access away."""
    old, new = forecast.before.scim.masks, forecast.after.scim.masks
    gives, takes = {}, {}
    for at in mixed:
        name = at.partition("/")[2]
        was, will = old.get(name, 0), new.get(name, 0)
        gives[at], takes[at] = will & ~was, was & ~will
    after: dict[Address, set[Address]] = {at: set() for at in mixed}
    for risk in risks:
        own = [at for at in risk.steps if at in mixed]
        for giver in own:
            shared = gives[giver] & risk.handover
            if shared:
                after[giver].update(taker for taker in own if takes[taker] & shared)
    return after


def _topological(addresses: Sequence[Address], after: Mapping[Address, set[Address]]) -> list[Address]:
    waits = dict.fromkeys(addresses, 0)
    for followers in after.values():
        for at in followers:
            waits[at] += 1
    free = [at for at in addresses if not waits[at]]
    heapify(free)
    circled = iter(addresses)
    done: dict[Address, None] = {}
    while len(done) < len(addresses):
        at = heappop(free) if free else next(at for at in circled if at not in done)
        if at in done:
            continue
        done[at] = None
        for follower in after[at]:
            waits[follower] -= 1
            if not waits[follower] and follower not in done:
                heappush(free, follower)
    return list(done)
