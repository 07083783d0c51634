"""Evaluate the guards: a pass after planning and before any write. Each has a stable name and is lifted by it alone.

Every guard looks at the whole plan, also when another has refused it already: a plan is shown, then refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rolecall.errors import Problem
from rolecall.plan.guards.escalations import escalations
from rolecall.plan.guards.guard import PASS, Finding, Guard, GuardInput
from rolecall.plan.guards.losing import max_people_losing_access
from rolecall.plan.guards.org_admins import min_org_admins, require_self, required_org_admins
from rolecall.plan.guards.overrides import apply_overrides, idle, in_force
from rolecall.plan.guards.policy import approval, foreign, older, policy
from rolecall.plan.guards.preconditions import preconditions
from rolecall.plan.guards.protect import protect
from rolecall.plan.guards.removals import max_removals, possible_rename
from rolecall.plan.guards.sign_in import sign_in
from rolecall.plan.guards.unread import observed_age, unread
from rolecall.plan.guards.upgrade import upgrade
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
"""Guards that a person answers for, where they could not be evaluated: an approval, never an allowance."""
_ALWAYS = frozenset({"policy", "approval", "preconditions"})
"""Guards that look at the rules or at the config itself; they are evaluated even where a plan changes nothing."""


def evaluate(guard_input: GuardInput) -> tuple[tuple[GuardResult, ...], tuple[Problem, ...]]:
    """Every guard's verdict, in a fixed order, and warnings about allowances. A plan that changes nothing passes."""
    plan_input = guard_input.plan_input
    allows = in_force(
        plan_input.desired.policy, plan_input.applied.policy, plan_input.lifts, plan_input.as_of, plan_input.known.meant
    )
    lifted = [
        apply_overrides(name, finding, allows, plan_input.known.means)
        for name, finding in _findings(guard_input).items()
    ]
    used = [entry for overridden in lifted for entry in overridden.used]
    cut = plan_input.selection != Selection()
    unjudged = {overridden.result.name for overridden in lifted if overridden.result.verdict == "not judged"}
    warnings = idle(plan_input.desired.policy, plan_input.lifts, used, plan_input.as_of, cut=cut, unjudged=unjudged)
    return tuple(overridden.result for overridden in lifted), tuple(warnings)


def _findings(guard_input: GuardInput) -> Mapping[str, Finding]:
    """What each guard says; `unread` last, for it answers for guards that could not be judged."""
    heard = {name: guard for name, guard in GUARDS.items() if guard_input.effective or name in _ALWAYS}
    findings = {name: guard(guard_input) for name, guard in heard.items() if name != _ANSWERS}
    if _ANSWERS in heard:
        unjudged = {name: f for name, f in findings.items() if f.verdict == "not judged" and name not in _ANSWERED}
        findings[_ANSWERS] = heard[_ANSWERS](replace(guard_input, unjudged=unjudged))
    return {name: findings.get(name, PASS) for name in GUARDS}
