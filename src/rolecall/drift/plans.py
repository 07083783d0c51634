"""The two plans around a drift: the one that would have done it, and the one that undoes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rolecall.drift.compare import Drift
from rolecall.model.comparison import overlay, restrict
from rolecall.model.desired import Desired, Intent
from rolecall.model.kinds import split_address
from rolecall.model.live import Live
from rolecall.model.paste import literal
from rolecall.model.policy import Manage
from rolecall.model.settings import BLANK, UNSET, Address, Settings, Value
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.value import Plan, Selection


def did(plan_input: PlanInput, rows: Sequence[Drift]) -> Plan | None:
    """The plan that would have brought the drift about, from what stood there before; guards and all.

    None where there is nothing to undo, and for a moved endpoint: whom that touched cannot be told from one end.
    """
    moved = [row for row in rows if row.kind in ("console", "both", "other_run", "idp")]
    if not moved or any(_endpoint(row.last) != _endpoint(row.live) for row in moved if row.address == "scim"):
        return None
    was = replace(plan_input.live, settings=_before(plan_input.live, moved))
    return make(replace(_about(plan_input, _managing(accepted(plan_input.desired, moved), moved), moved), live=was))


def revert(plan_input: PlanInput, rows: Sequence[Drift]) -> Plan | None:
    """The plan that brings these addresses back to what the config asks for, a mapping that it does not list to what
    was last applied, else to blank. Nothing in a section that the config leaves unmanaged is written."""
    rows = [row for row in rows if row.managed]
    if not rows:
        return None
    wanted = plan_input.desired
    for row in rows:
        if row.new_admin:
            wanted = _with_entry(wanted, row.address, row.last or BLANK)
    made = make(_about(plan_input, wanted, rows))
    return replace(made, changes=tuple(replace(change, reason="drift") for change in made.changes))


def _managing(desired: Desired, rows: Iterable[Drift]) -> Desired:
    """With the sections of these drifts managed, whatever the config says, so that their effect can be worked out."""
    sections = {split_address(row.address)[0] for row in rows if not row.managed}
    if not sections:
        return desired
    manage: dict[str, Manage] = {**desired.policy.manage, **dict.fromkeys(sections, "additive")}
    return replace(desired, policy=replace(desired.policy, manage=manage))


def accepted(desired: Desired, rows: Iterable[Drift]) -> Desired:
    """The config as it would be if it asked for what the org has at these addresses."""
    for row in rows:
        section, _ = split_address(row.address)
        live: Value | None = row.live
        if section == "idp_groups":
            live = live or BLANK
        elif live is not None and row.desired is not None:
            live = restrict(live, row.desired)
        desired = _with_entry(desired, row.address, live)
    return desired


def _with_entry(desired: Desired, at: Address, value: Value | None) -> Desired:
    """With this value at an address, which then no longer expires; None takes a domain out."""
    intent = desired.intent(at)._replace(expires=None)
    if value is None:
        intent = Intent(source=intent.source, remove=True)
    settings = _put(desired.settings, at, value)
    return replace(desired, settings=settings, intents={**desired.intents, at: intent})


def _about(plan_input: PlanInput, desired: Desired, rows: Iterable[Drift]) -> PlanInput:
    """The question for these addresses alone, with each group pinned: the plan may be applied after a rename."""
    plan_input = plan_input.resolved
    targets = tuple(literal(row.address) for row in rows)
    return replace(plan_input, desired=desired, written=plan_input.known.pinned(desired), selection=Selection(targets))


def _before(live: Live, rows: Iterable[Drift]) -> Settings:
    settings = live.settings
    for row in rows:
        section, _ = split_address(row.address)
        last: Any = row.last
        if section == "idp_groups":
            last = last or BLANK
        elif last is not None and row.live is not None:
            last = overlay(row.live, last)
        settings = _put(settings, row.address, last)
    return settings


def _put(settings: Settings, at: str, value: Value | None) -> Settings:
    section, key = split_address(at)
    said: Any = value
    if key is not None:
        held = getattr(settings, section)
        others = {} if held is UNSET else {name: entry for name, entry in held.items() if name != key}
        said = others if value is None else {**others, key: value}
    put: dict[str, Any] = {} if said is None else {section: said}
    return replace(settings, **put)


def _endpoint(value: Value | None) -> object:
    return getattr(value, "endpoint", UNSET)
