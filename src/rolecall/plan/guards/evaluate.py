"""Evaluate the guards after planning and before any write. Each has a stable name, by which it is overridden.

Every guard checks the whole plan, even where another blocks it: a plan is shown, then refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.errors import Problem
from rolecall.plan.commands import plan_command
from rolecall.plan.coverage import USERS
from rolecall.plan.guards.escalations import escalations
from rolecall.plan.guards.guard import PASS, Finding, Guard, GuardInput
from rolecall.plan.guards.idp import (
    OF_IDP,
    assigned_and_pushed,
    deprovisions,
    idp_target,
    unpush_mapped,
)
from rolecall.plan.guards.losing import max_people_losing_access
from rolecall.plan.guards.org_admins import min_org_admins, require_self, required_org_admins
from rolecall.plan.guards.outdated import RELIED, evaluated_as_read
from rolecall.plan.guards.overrides import apply_overrides, idle, in_force
from rolecall.plan.guards.policy import approval, foreign, older, policy
from rolecall.plan.guards.preconditions import preconditions
from rolecall.plan.guards.protect import protect
from rolecall.plan.guards.removals import max_removals, possible_rename
from rolecall.plan.guards.sign_in import sign_in
from rolecall.plan.guards.unread import observed_age, unread
from rolecall.plan.guards.upgrade import upgrade
from rolecall.plan.idp_users import manages_idp
from rolecall.plan.value import GuardResult, Selection

GUARDS: Mapping[str, Guard] = {
    "min_org_admins": min_org_admins,
    "required_org_admins": required_org_admins,
    "require_self": require_self,
    "max_people_losing_access": max_people_losing_access,
    "max_removals": max_removals,
    "escalations": escalations,
    "protect": protect,
    "sign_in": sign_in,
    "upgrade": upgrade,
    "idp_target": idp_target,
    "unpush_mapped": unpush_mapped,
    "deprovisions": deprovisions,
    "assigned_and_pushed": assigned_and_pushed,
    "preconditions": preconditions,
    "possible_rename": possible_rename,
    "unread": unread,
    "observed_age": observed_age,
    "policy": policy,
    "approval": approval,
    "foreign": foreign,
    "older": older,
}

_ANSWERS = "unread"
_ANSWERED = frozenset({"policy"})
"""Guards that require approval themselves where they could not be evaluated; `unread` does not report them."""
_ALWAYS = frozenset({"policy", "approval", "preconditions"})
"""Guards that check the policy or the config itself; they are evaluated even where a plan changes nothing."""
_OF_USERS = frozenset({name for name, sections in RELIED.items() if USERS in sections} | {"unread", "observed_age"})
"""Guards about users; they are also evaluated where only memberships are supposed to change."""


def evaluate(guard_input: GuardInput) -> tuple[tuple[GuardResult, ...], tuple[Problem, ...]]:
    """Return the verdict of every guard, in a fixed order, and warnings about overrides. A plan without changes passes
    most guards."""
    plan_input = guard_input.plan_input
    desired, once, known = plan_input.desired, plan_input.lifts, plan_input.known
    overrides = in_force(desired.policy, plan_input.applied.policy, once, plan_input.as_of, known.meant)
    command = _command(guard_input)
    overridden = [
        apply_overrides(name, finding, overrides, command, known.means)
        for name, finding in _findings(guard_input).items()
    ]
    results = [item.result._replace(set_at=guard_input.place(item.result.name)) for item in overridden]
    used = [entry for item in overridden for entry in item.used]
    cut = plan_input.selection != Selection()
    unjudged = {result.name for result in results if result.verdict == "not judged"}
    warnings = idle(desired.policy, once, used, plan_input.as_of, cut=cut, unjudged=unjudged)
    return tuple(results), tuple(warnings)


def _command(guard_input: GuardInput) -> str:
    """Return the command that makes the same plan again; none for one that supposes memberships, which has users in
    its command."""
    plan_input = guard_input.plan_input
    if plan_input.what_if:
        return ""
    return plan_command(plan_input.org, plan_input.selection, plan_input.lifts, plan_input.command)


def _findings(guard_input: GuardInput) -> Mapping[str, Finding]:
    """Return the finding of each guard; `unread` is evaluated last, since it reports guards that were not evaluated."""
    of_idp = manages_idp(guard_input.plan_input.desired)
    guards = {name: guard for name, guard in GUARDS.items() if of_idp or name not in OF_IDP}
    always = _ALWAYS | _OF_USERS if guard_input.plan_input.what_if else _ALWAYS
    due = {name: guard for name, guard in guards.items() if guard_input.effective or name in always}
    findings = {
        name: evaluated_as_read(name, guard(guard_input), guard_input)
        for name, guard in due.items()
        if name != _ANSWERS
    }
    if _ANSWERS in due:
        unjudged = {name: f for name, f in findings.items() if f.verdict == "not judged" and name not in _ANSWERED}
        findings[_ANSWERS] = due[_ANSWERS](guard_input._replace(unjudged=unjudged))
    return {name: findings.get(name, PASS) for name in guards}
