"""Check what a pipeline asserts about the result of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rolecall.errors import Problem
from rolecall.plan.value import Plan

Assertion = Literal["no-access-change", "no-escalation", "no-removal"]


def broken(plan: Plan, promised: Iterable[Assertion]) -> list[Problem]:
    """Return a problem for each assertion that does not hold or could not be checked."""
    return [problem for name in dict.fromkeys(promised) for problem in _check(plan, name)]


def _check(plan: Plan, name: Assertion) -> Iterable[Problem]:
    impact = plan.impact
    if name == "no-removal":
        removed = [c.address for c in plan.changes if c.action == "delete" or c.moved]
        if removed:
            yield _no(name, f"the plan deletes, unmaps or renames {_entries(len(removed))}: {_some(removed)}")
    if impact.people is None or impact.problem:
        why = f": {impact.problem}" if impact.problem else ""
        yield _no(name, f"it could not be checked, since users were not read completely{why}")
    elif name == "no-access-change" and impact.changed:
        yield _no(name, f"the access of {_users(impact.changed)} changes")
    elif name == "no-escalation" and impact.escalations:
        yield _no(name, f"{_users(len(impact.escalations))} would gain a role above member")
    elif name == "no-removal" and impact.losing:
        yield _no(name, f"{_users(impact.losing)} would lose access")


def _users(number: int) -> str:
    return "1 user" if number == 1 else f"{number:,} users"


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def _no(name: Assertion, reason: str) -> Problem:
    return Problem("assertion", f"--assert {name} failed: {reason}")


def _some(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 3:,} more" if len(addresses) > 3 else ""
    return ", ".join(addresses[:3]) + more
