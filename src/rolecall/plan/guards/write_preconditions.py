"""Check the preconditions of each write (R1, R3, R4, R20, R21, R33, R34), step by step.

Each step is checked against the org as the steps before it leave it, so that a claim, SSO and SCIM may be in one plan.
Steps that rolecall writes come before all manual steps, so none of them may depend on a manual step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rolecall.errors import Problem, Where, clause
from rolecall.model.change import Change
from rolecall.model.kinds import split_address
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, Address, Scim
from rolecall.plan.forecast import State, follow
from rolecall.plan.guards.precondition_rules import (
    UPGRADE_WITHOUT_SCIM,
    Moment,
    Unmet,
    Unread,
    demands,
    teams_of,
)
from rolecall.plan.inputs import PlanInput
from rolecall.plan.resolve import covers, ignored


class Refusal(NamedTuple):
    """A change, or a setting of the config, that the org would reject: ``message`` and ``fix`` are sentences."""

    address: Address
    message: str
    fix: str
    source: Where | None = None

    def problem(self) -> Problem:
        """Return it as an error of ``validate --online``."""
        return Problem("precondition", clause(self.message), self.source, clause(self.fix))


class CheckedPreconditions(NamedTuple):
    """The changes that the org would reject, and settings that a step depends on and that were not read."""

    refusals: tuple[Refusal, ...] = ()
    unread: tuple[str, ...] = ()


def check_preconditions(plan_input: PlanInput, changes: Iterable[Change]) -> CheckedPreconditions:
    """Check ``changes`` in the order in which they are made. Pending changes are not made."""
    listed = list(changes)
    by_api = [change for change in listed if change.via == "api"]
    manual = [change for change in listed if change.via == "human"]
    start = State(plan_input.live.settings, plan_input.live.facts)
    results = [*_walk(start, by_api, manual, plan_input.live)]
    if manual:
        results += _walk(follow(start, filter(_decides, by_api)), manual, [], plan_input.live)
    refusals = [result for result in results if isinstance(result, Refusal)]
    if all(refusal.message != UPGRADE_WITHOUT_SCIM.message for refusal in refusals):
        refusals += _stuck_upgrade(follow(start, filter(_decides, listed)), listed)
    unread = {result.name: None for result in results if isinstance(result, Unread)}
    return CheckedPreconditions((*_unreachable(plan_input), *refusals), tuple(unread))


def _walk(state: State, steps: list[Change], later: list[Change], live: Live) -> Iterator[Refusal | Unread]:
    teams = teams_of(live)
    moment = Moment(state.settings, state.facts, live, teams)
    for step in steps:
        for demand in demands(step, moment):
            yield demand if isinstance(demand, Unread) else _refusal(demand, step, later)
        if _decides(step):
            state = follow(state, [step])
            moment = Moment(state.settings, state.facts, live, teams)


def _decides(step: Change) -> bool:
    """Return whether another step may depend on this one; none depends on a mapping."""
    return split_address(step.address)[0] != "idp_groups"


def _refusal(unmet: Unmet, step: Change, later: list[Change]) -> Refusal:
    manual = next((change for change in later if unmet.satisfied_by(change)), None)
    fix = unmet.fix
    if manual is not None:
        fix = f"{manual.address} is a manual step. Do it first."
    return Refusal(step.address, unmet.message, fix, step.intent.source)


def _unreachable(plan_input: PlanInput) -> Iterator[Refusal]:
    """Yield a refusal where the config sets the legacy endpoint again (R20): no write can reach it."""
    desired, live = plan_input.desired, plan_input.live
    desired_scim, current = desired.settings.scim, live.settings.scim
    address = Address("scim")
    if not isinstance(desired_scim, Scim) or desired_scim.endpoint != "legacy" or not _in_plan(plan_input, address):
        return
    if current is UNSET or current.endpoint in (UNSET, "legacy"):
        return
    yield Refusal(
        address,
        f"scim.endpoint is `{current.endpoint}` in the org and cannot be changed back to `legacy` (R20).",
        "Set `scim.endpoint: new`.",
        desired.intent(address).source,
    )


def _stuck_upgrade(after: State, changes: list[Change]) -> Iterator[Refusal]:
    """Yield a refusal where the plan leaves SCIM off during the upgrade: the org would not complete it (R20)."""
    step = next((change for change in changes if change.action == "upgrade"), None)
    scim = after.settings.scim
    if step is not None and isinstance(scim, Scim) and scim.enabled is False and scim.endpoint != "new":
        unmet = UPGRADE_WITHOUT_SCIM
        yield Refusal(step.address, unmet.message, unmet.fix, step.intent.source)


def _in_plan(plan_input: PlanInput, address: Address) -> bool:
    selection = plan_input.selection
    skipped = (*ignored(plan_input.desired.policy.ignore, plan_input.as_of), *selection.excludes)
    managed = plan_input.desired.policy.managing(split_address(address)[0]) != "unmanaged"
    selected = not selection.targets or covers(selection.targets, address)
    return managed and selected and not selection.only_expired and not covers(skipped, address)
