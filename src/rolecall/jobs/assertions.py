"""Assertions on a plan: what somebody promises that it does not do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from rolecall.errors import Problem
from rolecall.plan.value import Plan

Assertion = Literal["no-access-change", "no-escalation", "no-removal"]


def broken(plan: Plan, promised: Iterable[Assertion]) -> list[Problem]:
    """A problem for each promise that the plan does not keep, or that nobody can vouch for."""
    return [problem for name in dict.fromkeys(promised) for problem in _check(plan, name)]


def _check(plan: Plan, name: Assertion) -> Iterable[Problem]:
    impact = plan.impact
    if name == "no-removal":
        gone = [c.address for c in plan.changes if c.action == "delete" or c.moved]
        if gone:
            yield _no(name, f"the plan deletes, unmaps or renames {len(gone):,}: {_some(gone)}")
    if impact.people is None or impact.problem:
        why = f": {impact.problem}" if impact.problem else ""
        yield _no(name, f"users were not read completely, so it cannot be checked{why}")
    elif name == "no-access-change" and impact.changed:
        yield _no(name, f"the access of {impact.changed:,} people differs")
    elif name == "no-escalation" and impact.escalations:
        yield _no(name, f"{len(impact.escalations):,} people gain something above member")
    elif name == "no-removal" and impact.losing:
        yield _no(name, f"{impact.losing:,} people lose something they have")


def _no(name: Assertion, found: str) -> Problem:
    return Problem("assertion", f"--assert {name} does not hold: {found}")


def _some(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 3:,} more" if len(addresses) > 3 else ""
    return ", ".join(addresses[:3]) + more
