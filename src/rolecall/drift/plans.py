"""Make two plans for drift: one with the effect of the drift, and one that reverts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    return make(replace(about, live=was, command=f"{_command(plan_input)} --accept"))


def revert_plan(plan_input: PlanInput, drifts: Sequence[Drift]) -> Plan | None:
    """Return the plan that restores the values of the config at these addresses, and of a mapping that is not in it the
    last applied value, or else blank. Unmanaged sections are not written."""
    drifts = [drift for drift in drifts if drift.managed]
    if not drifts:
        return None
    desired = plan_input.desired
    for drift in drifts:
        if drift.new_admin:
            desired = _with_entry(desired, drift.address, drift.last or BLANK)
    plan = make(replace(_about(plan_input, desired, drifts), command=f"{_command(plan_input)} --revert --out FILE"))
    return replace(plan, changes=tuple(replace(change, reason="drift") for change in plan.changes))


def _command(plan_input: PlanInput) -> str:
    """Return the command of the check."""
    return plan_input.command or f"rolecall drift{env_flag(plan_input.org)}"


def _managing(desired: Desired, drifts: Iterable[Drift]) -> Desired:
    """Return the config with the sections of these drifts managed, so that their effect can be computed."""
    sections = {split_address(drift.address)[0] for drift in drifts if not drift.managed}
    if not sections:
        return desired
    manage: dict[str, Manage] = {**desired.policy.manage, **dict.fromkeys(sections, "additive")}
    return replace(desired, policy=replace(desired.policy, manage=manage))


def accepted(desired: Desired, drifts: Iterable[Drift]) -> Desired:
    """Return the config with the org's values at these addresses."""
    for drift in drifts:
        section, _ = split_address(drift.address)
        live: Value | None = drift.live
        if section == "idp_groups":
            live = live or BLANK
        elif live is not None and drift.desired is not None:
            live = restrict(live, drift.desired)
        desired = _with_entry(desired, drift.address, live)
    return desired


def _with_entry(desired: Desired, at: Address, value: Value | None) -> Desired:
    """Return the config with this value at an address, which no longer expires; None removes a domain."""
    intent = desired.intent(at)._replace(expires=None)
    if value is None:
        intent = Intent(source=intent.source, remove=True)
    settings = _put(desired.settings, at, value)
    return replace(desired, settings=settings, intents={**desired.intents, at: intent})


def _about(plan_input: PlanInput, desired: Desired, drifts: Iterable[Drift]) -> PlanInput:
    """Return the input for these addresses only, with each group pinned: the plan may be applied after a rename."""
    plan_input = plan_input.resolved
    selection = Selection(tuple(literal(drift.address) for drift in drifts))
    return replace(plan_input, desired=desired, written=plan_input.known.pinned(desired), selection=selection)


def _before(live: Live, drifts: Iterable[Drift]) -> Settings:
    settings = live.settings
    for drift in drifts:
        section, _ = split_address(drift.address)
        last: Any = drift.last
        if section == "idp_groups":
            last = last or BLANK
        elif last is not None and drift.live is not None:
            last = overlay(drift.live, last)
        settings = _put(settings, drift.address, last)
    return settings


def _put(settings: Settings, at: str, value: Value | None) -> Settings:
    section, key = split_address(at)
    changed: Any = value
    if key is not None:
        section_values = getattr(settings, section)
        remaining = (
            {} if section_values is UNSET else {name: entry for name, entry in section_values.items() if name != key}
        )
        changed = remaining if value is None else {**remaining, key: value}
    put: dict[str, Any] = {} if changed is None else {section: changed}
    return replace(settings, **put)


def _endpoint(value: Value | None) -> object:
    return getattr(value, "endpoint", UNSET)
