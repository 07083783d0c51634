"""The flags with which a plan is made again just as it was: what a digest approves."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rolecall.plan.value import Plan


def again(plan: Plan) -> Iterator[str]:
    """``--target idp_groups/A``, ``--allow max_removals=3``: each flag with its value, quoted for a shell."""
    for flag, addresses in (("--target", plan.selection.targets), ("--exclude", plan.selection.excludes)):
        yield from (f"{flag} {shlex.quote(at)}" for at in addresses)
    if plan.selection.only_expired:
        yield "--only expired"
    for lift in plan.lifts[len(plan.desired.policy.allow) :]:
        yield f"--allow {lift.guard}={lift.up_to}"
