"""Make two plans for drift: one with the effect of the drift, and one that reverts it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rolecall.drift.compare import Drift
from rolecall.model.desired import Desired, Intent
from rolecall.model.kinds import overlay, restrict, split_address
from rolecall.model.live import Live
from rolecall.model.paste import literal
from rolecall.model.policy import Manage
from rolecall.model.settings import BLANK, UNSET, Address, Settings, Value
from rolecall.plan.commands import env_flag
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.value import Plan, Selection


def plan_of_drift(plan_input: PlanInput, drifts: Sequence[Drift]) -> Plan | None:
    """Return the plan that has the effect of the drift, from the values before it, with its guards.

    None where there is nothing to revert, and for a changed endpoint: the affected users are unknown.
    """
    moved = [drift for drift in drifts if drift.kind in ("console", "both", "other_run", "idp")]
    if not moved or any(_endpoint(drift.last) != _endpoint(drift.live) for drift in moved if drift.address == "scim"):
        return None
    was = replace(plan_input.live, settings=_before(plan_input.live, moved))
    about = _about(plan_input, _managing(accepted(plan_input.desired, moved), moved), moved)
    return make(about._replace(live=was, command=f"{_command(plan_input)} --accept"))


def revert_plan(plan_input: PlanInput, drifts: Sequence[Drift]) -> Plan | None:
    """Return the plan that restores the values of the config at these addresses, and of a mapping that is not in it the
    last applied value, or else blank. Unmanaged sections are not written."""
    drifts = [drift for drift in drifts if drift.managed]
    if not drifts:
        return None
    undone = {drift.address: drift.last or BLANK for drift in drifts if drift.new_admin}
    desired = _with_entries(plan_input.desired, undone)
    plan = make(_about(plan_input, desired, drifts)._replace(command=f"{_command(plan_input)} --revert --out FILE"))
    return plan._replace(changes=tuple(change._replace(reason="drift") for change in plan.changes))


def _command(plan_input: PlanInput) -> str:
    """Return the command of the check."""
    return plan_input.command or f"rolecall drift{env_flag(plan_input.org)}"


def _managing(desired: Desired, drifts: Iterable[Drift]) -> Desired:
    """Return the config with the sections of these drifts managed, so that their effect can be computed."""
    sections = {split_address(drift.address)[0] for drift in drifts if not drift.managed}
    if not sections:
        return desired
    manage: dict[str, Manage] = {**desired.policy.manage, **dict.fromkeys(sections, "additive")}
    return desired._replace(policy=desired.policy._replace(manage=manage))


def accepted(desired: Desired, drifts: Iterable[Drift]) -> Desired:
    """Return the config with the org's values at these addresses."""
    return _with_entries(desired, {drift.address: _accepted(drift) for drift in drifts})


def _accepted(drift: Drift) -> Value | None:
    """Return the org's value, with the fields that the config has."""
    return _entry(drift.address, drift.live, drift.desired, restrict)


def _entry(
    at: Address, value: Value | None, side: Value | None, combine: Callable[[Value, Value], Value]
) -> Value | None:
    """Return a value combined with that of another side, if both have one. A group without a mapping is unmapped."""
    if split_address(at)[0] == "idp_groups":
        return value or BLANK
    return value if value is None or side is None else combine(value, side)


def _with_entries(desired: Desired, values: Mapping[Address, Value | None]) -> Desired:
    """Return the config with these values, which no longer expire; None removes a domain."""
    intents = {at: _intent(desired.intent(at), value) for at, value in values.items()}
    settings = _put(desired.settings, values)
    return desired._replace(settings=settings, intents={**desired.intents, **intents})


def _intent(intent: Intent, value: Value | None) -> Intent:
    return Intent(source=intent.source, remove=True) if value is None else intent._replace(expires=None)


def _about(plan_input: PlanInput, desired: Desired, drifts: Iterable[Drift]) -> PlanInput:
    """Return the input for these addresses only, with each group pinned: the plan may be applied after a rename."""
    plan_input = plan_input.resolved
    selection = Selection(tuple(literal(drift.address) for drift in drifts))
    return plan_input._replace(desired=desired, written=plan_input.known.pinned(desired), selection=selection)


def _before(live: Live, drifts: Iterable[Drift]) -> Settings:
    return _put(live.settings, {drift.address: _last(drift) for drift in drifts})


def _last(drift: Drift) -> Value | None:
    """Return the value before the drift, with the fields of the org's value that were not applied."""
    return _entry(drift.address, drift.last, drift.live, lambda last, live: overlay(live, last))


def _put(settings: Settings, values: Mapping[Address, Value | None]) -> Settings:
    """Return the settings with these values; None removes an entry, and leaves a singleton as it is."""
    sections: dict[str, Any] = {}
    for at, value in values.items():
        section, key = split_address(at)
        if key is None:
            sections.update({} if value is None else {section: value})
            continue
        if section not in sections:
            current = getattr(settings, section)
            sections[section] = {} if current is UNSET else dict(current)
        sections[section].pop(key, None)
        if value is not None:
            sections[section][key] = value
    return replace(settings, **sections)


def _endpoint(value: Value | None) -> object:
    return getattr(value, "endpoint", UNSET)
