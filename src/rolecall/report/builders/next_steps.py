"""Say what a reader of a plan does next: the command itself, with the flags that compute the same plan again."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.model.paste import shell_pattern, shell_word
from rolecall.plan.commands import FROM_A_FILE, env_flag, once, plan_command, plan_flags
from rolecall.plan.saved.digest import short
from rolecall.plan.saved.summary import needs_approval
from rolecall.plan.value import Plan
from rolecall.report.document import NextStep


def next_steps(plan: Plan, digest: str | None, saved: str = "") -> Iterator[NextStep]:
    """Yield what to do with a plan, the most useful first; nothing without its ``digest``.

    ``saved`` is the file that the plan is in, empty without one.
    """
    if digest is None:
        return
    if plan.what_if:
        yield NextStep("Nothing was changed", "to carry it out, change the members of the groups in the IdP.")
    elif plan.errored:
        yield NextStep("Fix the errors above, then plan again", command=_plan(plan), refused=True)
    elif not needs_approval(plan):
        yield from _nothing_to_apply(plan)
    elif refusal := _refusal(plan):
        yield NextStep("Apply is blocked", refusal, refused=True)
        yield NextStep("Then plan again", command=_plan(plan))
        yield from _exclude(plan)
    else:
        if plan.open_run is None or plan.writes or plan.policy_changes:
            yield NextStep(_label(plan, saved), command=apply_command(plan, digest, saved))
        if plan.open_run is not None:
            have = f"Run {plan.open_run} already has {'the' if plan.writes else 'these'} manual steps"
            yield NextStep(have, command=f"rolecall runbook {plan.open_run}")
            yield NextStep("When all of them are done", command=f"rolecall done {plan.open_run} all")
        elif plan.human:
            yield NextStep("Then, for instructions for the manual steps", command="rolecall runbook RUN")
        yield from _exclude(plan)


def apply_command(plan: Plan, digest: str, saved: str = "") -> str:
    """Return the command that applies a plan and approves it; nothing where apply would refuse it.

    ``saved`` is the file that the plan is in, empty without one.
    """
    if plan.errored or plan.what_if or _refusal(plan):
        return ""
    if saved or from_a_file(plan):
        file = shell_word(saved) if saved else "FILE"
        return f"rolecall apply{env_flag(plan.org)} {file} --approve {short(digest)}"
    flags = "".join(f" {flag}" for flag in plan_flags(plan.selection, once(plan)))
    return f"rolecall apply{env_flag(plan.org)}{flags} --approve {short(digest)}"


def naming_command(plan: Plan) -> str:
    """Return the command that names the users; of supposed memberships it has no user."""
    command = plan.command or f"rolecall plan{env_flag(plan.org)}"
    return f"{command}{' --if ...' if plan.what_if else ''} --people names"


def _nothing_to_apply(plan: Plan) -> Iterator[NextStep]:
    if plan.waiting:
        yield NextStep("When the IdP has pushed the pending groups", command=_plan(plan))
    elif plan.unread:
        yield NextStep("Make the missing parts readable, then plan again", command=_plan(plan))
    elif not plan.changes:
        command = f"rolecall drift{env_flag(plan.org)}"
        yield NextStep("Nothing to apply. To check for changes made outside rolecall", command=command)


def _refusal(plan: Plan) -> str:
    """Return what to resolve before apply accepts a plan; nothing where it does."""
    if plan.verdict == "block":
        return "resolve or override each BLOCK above."
    tests = [test for test in plan.access_tests if test.refuses]
    if not tests:
        return ""
    evaluated = any(test.evaluated for test in tests)
    return "fix the config or the failed access tests." if evaluated else "access tests could not be evaluated."


def _label(plan: Plan, saved: str) -> str:
    if from_a_file(plan):
        return "To apply it" if saved else "Save this plan with --out FILE, then apply it"
    what = "apply it" if plan.writes else "record the manual steps" if plan.human else "approve it"
    return f"To {what}" if plan.org.local else f"Merge this change, then {what}"


def from_a_file(plan: Plan) -> bool:
    """Return whether a plan is only applied from a file, since the config would not give it again."""
    return any(change.reason in FROM_A_FILE for change in plan.changes)


def _plan(plan: Plan) -> str:
    return plan_command(plan.org, plan.selection, once(plan), plan.command)


def _exclude(plan: Plan) -> Iterator[NextStep]:
    """Yield how to plan the other changes only, where the worst verdict is about one address among several."""
    target = "" if plan.partial or from_a_file(plan) else _about(plan)
    if target and any(change.address != target for change in (*plan.writes, *plan.human)):
        flag = f"--exclude {shell_pattern(target)}"
        yield NextStep("To plan the other changes only", command=f"{_plan(plan)} {flag}")


def _about(plan: Plan) -> str:
    """Return the address that the worst verdict is about: of several that block, the one they all are about."""
    blocking = {guard.target for guard in plan.guards if guard.verdict == "block"}
    if blocking:
        return (blocking.pop() or "") if len(blocking) == 1 else ""
    return next((guard.target for guard in plan.guards if guard.verdict == "review" and guard.target), "")
