"""The counts of a plan, by action and by way, and whether carrying it out needs an approval."""

from __future__ import annotations

from rolecall.plan.value import Plan


def summary(plan: Plan) -> dict[str, int]:
    """Counts by action and by way; a rename is counted as such alone."""
    renames = {change.moved for change in plan.changes if change.moved}
    counted = [change for change in plan.changes if not change.moved]
    actions = dict.fromkeys(("create", "update", "delete", "upgrade"), 0)
    for change in counted:
        actions[change.action] += 1
    ways = {name: sum(change.via == name for change in plan.changes) for name in ("api", "human", "waiting")}
    return {**actions, "rename": len(renames), "released": len(plan.released), **ways}


def needs_approval(plan: Plan) -> bool:
    """Return whether an apply of the plan needs an approval.

    It does for writes and for manual steps, and also without either where a guard does not pass: a less strict policy
    is recorded by the apply and takes effect from the next plan.
    """
    return bool(plan.writes or plan.human) or plan.verdict != "pass"
