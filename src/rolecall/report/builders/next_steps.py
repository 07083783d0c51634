"""What a reader of a plan does next: the very command, with the flags that make the same plan again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rolecall.model.paste import shell_pattern, shell_word
from rolecall.plan.saved.digest import short
from rolecall.plan.saved.summary import needs_approval
from rolecall.plan.value import Plan

FROM_A_FILE = ("rollback", "drift")
"""Reasons of changes that planning from the config would not give again: such a plan is applied from its file."""

REFUSED = "Refused"


class Step(NamedTuple):
    """What to do, under its label: words, then the command. ``aside`` is what to do instead, where that makes sense."""

    label: str
    words: str = ""
    command: str = ""
    aside_label: str = ""
    aside: str = ""


def next_step(plan: Plan, digest: str | None) -> Step | None:
    """Return what to do with a plan; None where it needs no approval, or cannot be approved."""
    if not needs_approval(plan) or plan.errored or digest is None:
        return None
    if plan.verdict == "block":
        words = "apply writes nothing while a BLOCK stands; each says its ways out."
        others = any(change.address != _about(plan) for change in (*plan.writes, *plan.human))
        return Step(REFUSED, words, "", "Leave it out", _narrow(plan, "--exclude") if others else "")
    if any(test.refuses for test in plan.access_tests):
        known = any(test.refuses and test.evaluated for test in plan.access_tests)
        return Step(REFUSED, f"apply writes nothing while an access test {'fails' if known else 'was not evaluated'}.")
    if any(change.reason in FROM_A_FILE for change in plan.changes):
        command = f"rolecall apply{_env(plan)} FILE --approve {short(digest)}"
        return Step("Go on", "save it with --out FILE, then", command)
    merge = "" if plan.org.local else "merge, then"
    flags = "".join(f" {word}" for word in again(plan))
    command = f"rolecall apply{_env(plan)}{flags} --approve {short(digest)}"
    return Step("Approve", merge, command, "Narrow it", _narrow(plan, "--target"))


def naming(plan: Plan) -> str:
    """The command that shows who."""
    return f"rolecall plan{_env(plan)} --people names"


def again(plan: Plan) -> Iterator[str]:
    """``--target idp_groups/A``, ``--allow max_removals=3``: each flag with its value, quoted for a shell."""
    for flag, addresses in (("--target", plan.selection.targets), ("--exclude", plan.selection.excludes)):
        yield from (f"{flag} {shell_word(at)}" for at in addresses)
    if plan.selection.only_expired:
        yield "--only expired"
    for lift in plan.lifts[len(plan.desired.policy.allow) :]:
        yield f"--allow {lift.guard}={lift.up_to}"


def _env(plan: Plan) -> str:
    return f" -e {shell_word(plan.org.env)}" if plan.org.env else ""


def _narrow(plan: Plan, flag: str) -> str:
    target = "" if plan.partial else _about(plan)
    return f"{flag} {shell_pattern(target)}" if target else ""


def _about(plan: Plan) -> str:
    """The address that the worst verdict is about: of several that block, the one they all are about."""
    blocking = {guard.target for guard in plan.guards if guard.verdict == "block"}
    if blocking:
        return (blocking.pop() or "") if len(blocking) == 1 else ""
    return next((guard.target for guard in plan.guards if guard.verdict == "review" and guard.target), "")
