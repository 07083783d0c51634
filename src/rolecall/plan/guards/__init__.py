"""The guards: a pass after planning and before any write. Each has a stable name and is lifted by it alone.

Every guard looks at the whole plan, also when another has refused it already: a plan is shown, then refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.errors import Problem
from rolecall.model.policy import Allow
from rolecall.plan.guards.case import PASS, Case, Finding, Guard
from rolecall.plan.guards.escalations import escalations
from rolecall.plan.guards.lift import idle, in_force, lift
from rolecall.plan.guards.losing import max_people_losing_access
from rolecall.plan.guards.org_admins import min_org_admins, require_self, required_org_admins
from rolecall.plan.guards.policy import approval, foreign, policy
from rolecall.plan.guards.protect import protect
from rolecall.plan.guards.removals import max_removals, possible_rename
from rolecall.plan.guards.sign_in import sign_in
from rolecall.plan.guards.unread import observed_age, unread
from rolecall.plan.guards.upgrade import upgrade
from rolecall.plan.value import GuardResult

__all__ = ["GUARDS", "Case", "Finding", "judge"]

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
    "possible_rename": possible_rename,
    "unread": unread,
    "observed_age": observed_age,
    "policy": policy,
    "approval": approval,
    "foreign": foreign,
}

_OF_POLICY = frozenset({"policy"})
"""Guards that look at the rules; they speak even where a plan changes nothing in the org."""


def judge(case: Case) -> tuple[tuple[GuardResult, ...], tuple[Problem, ...]]:
    """Every guard's verdict, in a fixed order, and warnings about allowances. A plan that changes nothing passes."""
    question = case.question
    allows = in_force(question.desired.policy, question.applied.policy, question.lifts, question.as_of)
    results: list[GuardResult] = []
    used: list[Allow] = []
    for name, guard in GUARDS.items():
        finding = guard(case) if case.made or name in _OF_POLICY else PASS
        lifted = lift(name, finding, allows)
        results.append(lifted.result)
        used += lifted.used
    return tuple(results), tuple(idle(question.desired.policy, question.lifts, used, question.as_of))
