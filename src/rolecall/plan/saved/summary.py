"""The counts of a plan, by action and by way, whether an apply of it needs an approval, and of which org it is."""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.plan.commands import FIND_CAUSE
from rolecall.plan.value import AccessTestResult, GuardResult, OrgRef, Plan


def summary(plan: Plan) -> dict[str, int]:
    """Return the counts by action and by way; a rename counts as one, though it takes two writes."""
    changes = renames_as_one(plan.changes)
    actions = dict.fromkeys(("create", "update", "delete", "upgrade"), 0)
    for change in changes:
        if not change.moved:
            actions[change.action] += 1
    renames = sum(change.moved is not None for change in changes)
    ways = {name: sum(change.via == name for change in changes) for name in ("api", "human", "waiting")}
    return {**actions, "rename": renames, "released": len(plan.released), **ways}


def renames_as_one(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes without the delete of each rename whose change at the new address is among them."""
    listed = tuple(changes)
    arrived = {change.moved for change in listed if change.moved and change.address == change.moved.after}
    return tuple(c for c in listed if not (c.moved in arrived and c.moved and c.address != c.moved.after))


def needs_approval(plan: Plan) -> bool:
    """Return whether an apply of the plan needs an approval.

    It does for writes and for manual steps, and also without either where a guard does not pass: a less strict policy
    is recorded by the apply and takes effect from the next plan.
    """
    return bool(plan.writes or plan.human) or plan.verdict != "pass"


def reviews(plan: Plan) -> tuple[GuardResult, ...]:
    """Return the guards that an approval has to answer: `review`, and a policy that could not be compared with the one
    applied last. `unread` reports the other guards that are not evaluated."""
    return tuple(
        guard
        for guard in plan.guards
        if guard.verdict == "review" or (guard.verdict == "not judged" and guard.name == "policy")
    )


def failed_test(test: AccessTestResult) -> Problem:
    """Return the problem of an access test for which a plan must not be applied."""
    if not test.evaluated:
        message = f"access test {test.name!r} could not be evaluated: {test.message}"
        return Problem("access_test", message, test.source, FIND_CAUSE)
    hint = "change the configuration or the test; to see why a user has access: rolecall why EMAIL"
    return Problem("access_test", f"access test {test.name!r} failed: {test.text}", test.source, hint)


def other_org_words(org: OrgRef, org_id: str, name: str) -> str:
    """Return that a plan for ``org`` is of another org than the one at hand, with both names and ids."""
    return f"the plan is for {org.name} ({org.id}); this configuration is for {name} ({org_id})"
