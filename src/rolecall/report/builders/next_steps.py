"""What a reader of a plan does next: the command itself, with the flags that compute the same plan again."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.model.paste import shell_pattern, shell_word
from rolecall.plan.saved.digest import short
from rolecall.plan.saved.summary import needs_approval
from rolecall.plan.value import Plan
from rolecall.report.document import NextStep

FROM_A_FILE = ("rollback", "drift")
"""Reasons of changes that planning from the config would not give again: such a plan is applied from its file."""


def next_step(plan: Plan, digest: str | None) -> NextStep | None:
    """Return what to do with a plan; None where it needs no approval, or cannot be approved."""
    if not needs_approval(plan) or plan.errored or digest is None:
        return None
    if plan.verdict == "block":
        text = "apply writes nothing while a BLOCK stands; each says its ways out."
        more = any(change.address != _about(plan) for change in (*plan.writes, *plan.human))
        return _refused(text, "Leave it out", _narrow(plan, "--exclude") if more else "")
    if any(test.refuses for test in plan.access_tests):
        known = any(test.refuses and test.evaluated for test in plan.access_tests)
        return _refused(f"apply writes nothing while an access test {'fails' if known else 'was not evaluated'}.")
    if any(change.reason in FROM_A_FILE for change in plan.changes):
        command = f"rolecall apply{_env(plan)} FILE --approve {short(digest)}"
        return NextStep("Go on", "save it with --out FILE, then", command)
    merge = "" if plan.org.local else "merge, then"
    flags = "".join(f" {flag}" for flag in plan_flags(plan))
    command = f"rolecall apply{_env(plan)}{flags} --approve {short(digest)}"
    return NextStep("Approve", merge, command, instead_label="Narrow it", instead=_narrow(plan, "--target"))


def _refused(text: str, label: str = "", flag: str = "") -> NextStep:
    return NextStep("Refused", text, instead_label=label, instead=flag, refused=True)


def naming_command(plan: Plan) -> str:
    """Return the command that names the users."""
    return f"rolecall plan{_env(plan)} --people names"


def plan_flags(plan: Plan) -> Iterator[str]:
    """Yield ``--target idp_groups/A``, ``--allow max_removals=3``: each flag with its value, quoted for a shell."""
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
    """Return the address that the worst verdict is about: of several that block, the one they all are about."""
    blocking = {guard.target for guard in plan.guards if guard.verdict == "block"}
    if blocking:
        return (blocking.pop() or "") if len(blocking) == 1 else ""
    return next((guard.target for guard in plan.guards if guard.verdict == "review" and guard.target), "")
