"""Whether a plan may be carried out: what blocks it, who approved it, and what a person says at the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rolecall.cli.approvals import PIPELINE, Approvals, read_approvals
from rolecall.cli.ask import agrees, can_ask
from rolecall.cli.facts import actor, authors, ci_run, names_in
from rolecall.cli.failure import tell
from rolecall.cli.options import Invocation
from rolecall.cli.session import now
from rolecall.errors import Blocked, Exit, Misuse, Problem, RolecallError
from rolecall.model.run import Approval
from rolecall.plan.saved.summary import renames_as_one, reviews
from rolecall.plan.value import GuardResult, Plan
from rolecall.report.builders.checks import guard_words


class Yes(NamedTuple):
    """What was said on the command line. ``digest`` is that of `--approve`, ``file`` of `--approval`."""

    auto: bool = False
    digest: str | None = None
    file: Path | None = None


class Declined(RolecallError):
    """A person said no. Nothing was written."""

    exit = Exit.ERROR


def consent(call: Invocation, plan: Plan, yes: Yes, caller: str | None = None) -> tuple[Approval, ...]:
    """The approvals to record. Raises Blocked, Stale for a wrong digest, Misuse where nobody can be asked, Declined.

    ``caller`` is whom the org takes us for, where that is known: their own approval is nobody else's.
    """
    from rolecall.jobs.apply import check_digest

    approvals = read_approvals(call, yes.file) if yes.file else Approvals()
    refuse_blocked(plan)
    _check_recorded(call, plan, approvals, caller)
    tell(approvals.rejected, as_json=call.log_format == "json", color=call.color)
    if yes.digest is not None:
        check_digest(yes.digest, plan)
    asked = [guard for guard in reviews(plan) if guard.name != _APPROVAL]
    if yes.digest is not None and (not call.ci or approvals.by_people()):
        return (*approvals.counted, _self(call, "--approve"))
    if yes.digest is not None or yes.auto:
        if asked:
            raise Blocked(*(_unanswered(call, yes, guard) for guard in asked))
        return (*approvals.counted, _self(call, "--auto-approve" if yes.digest is None else "--approve"))
    return (*approvals.counted, _asked(call, plan, asked))


_APPROVAL = "approval"


def _check_recorded(call: Invocation, plan: Plan, approvals: Approvals, caller: str | None) -> None:
    """Raise Blocked unless there is the recorded approval that `guards.approval` asks for."""
    for guard in plan.guards:
        if guard.name == _APPROVAL and guard.verdict == "review":
            by_people = approvals.by_people()
            own = authors(call, caller)
            others = [approval for approval in by_people if own.isdisjoint(names_in(approval.by))]
            if not (others if guard.limit == "other_person" else by_people):
                raise Blocked(_not_recorded(guard, by_people), *approvals.rejected)


def _not_recorded(guard: GuardResult, given: Sequence[Approval]) -> Problem:
    said = ", ".join(sorted({row.by for row in given}))
    message = f"approved only by {said}, who made or runs this change" if given else "no approval was recorded"
    needs = "by somebody other than the change's author" if guard.limit == "other_person" else "that was recorded"
    hint = f"give --approval FILE with an approval {needs}"
    return Problem("guard.approval", message, guard.source, hint)


def refuse_blocked(plan: Plan) -> None:
    """Raise Blocked for every guard that blocks and every access test that fails."""
    found = [
        Problem(f"guard.{guard.name}", f"blocked by {guard_words(guard)}", guard.source, " ".join(guard.ways) or None)
        for guard in plan.guards
        if guard.verdict == "block"
    ]
    found += [
        Problem("access_test", f"access test failed: {test.name}: {test.message}", test.source)
        for test in plan.access_tests
        if test.refuses
    ]
    if found:
        raise Blocked(*found)


def _unanswered(call: Invocation, yes: Yes, guard: GuardResult) -> Problem:
    """A review that no one answered. In CI a digest alone is the pipeline's own, whoever put it there."""
    hint = "answer with --approve DIGEST, or lift it with an allow; --auto-approve alone does not do"
    if guard.verdict == "not judged":
        hint = "approve the plan with --approve DIGEST; --auto-approve and allowances do not count for it"
    if call.ci:
        hint = "in CI, --approve counts only with --approval FILE, which records who approved the plan"
    message = f"nobody reviewed {guard_words(guard)}"
    if call.ci and yes.digest is not None:
        message = f"no approval by a person is recorded for {guard_words(guard)}"
    return Problem(f"guard.{guard.name}", message, guard.source, hint)


def _asked(call: Invocation, plan: Plan, asked: list[GuardResult]) -> Approval:
    if not can_ask(call):
        hint = "say --approve DIGEST, or --auto-approve where no guard asks for a review"
        raise Misuse(Problem("no_approval", "nobody is here to approve this plan", None, hint))
    if not agrees(_request(plan, len(asked))):
        raise Declined(Problem("declined", "not approved; nothing was written"))
    return _self(call, "prompt")


def _request(plan: Plan, number_of_reviews: int) -> str:
    """Return the question of the prompt: what a yes does."""
    number = len(renames_as_one((*plan.writes, *plan.human)))
    org = f"{plan.org.name} ({plan.org.id})"
    if not number:
        changes = sum(row.loosens for row in plan.policy_changes)
        return f"Approve {changes:,} less strict policy setting{'s' if changes != 1 else ''} for {org}?"
    noun = "change" if number == 1 else "changes"
    plural = "s" if number_of_reviews != 1 else ""
    review = f", and answer {number_of_reviews} review{plural} above," if number_of_reviews else ""
    return f"Carry out {number:,} {noun}{review} on {org}?"


def _self(call: Invocation, source: str) -> Approval:
    by = actor(call.environ)
    return Approval(f"{by}{PIPELINE}" if call.ci else by, now(), ci_run(call.environ), source)
