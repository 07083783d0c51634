"""Whether a plan may be carried out: what blocks it, who approved it, and what a person says at the prompt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.cli.ask import agrees, can_ask
from rolecall.cli.facts import actor, authors, ci_run, names_in
from rolecall.cli.options import Invocation
from rolecall.cli.session import now
from rolecall.errors import Blocked, ConfigError, Exit, Misuse, Problem, RolecallError, Where
from rolecall.model.run import Approval
from rolecall.plan.summary import renames_as_one
from rolecall.plan.value import GuardResult, Plan
from rolecall.report.verdicts import guard_words


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

    recorded = tuple(_named(call, row) for row in read_approvals(yes.file)) if yes.file else ()
    refuse_blocked(plan)
    _check_recorded(call, plan, recorded, caller)
    if yes.digest is not None:
        check_digest(yes.digest, plan)
        return (*recorded, _self(call, "--approve"))
    reviews = [guard for guard in plan.guards if guard.verdict == "review" and guard.name != _APPROVAL]
    if yes.auto:
        if reviews:
            raise Blocked(*(_unanswered(guard) for guard in reviews))
        return (*recorded, _self(call, "--auto-approve"))
    return (*recorded, _asked(call, plan, reviews))


_APPROVAL = "approval"
_PIPELINE = " (the pipeline itself)"


def _check_recorded(call: Invocation, plan: Plan, recorded: Sequence[Approval], caller: str | None) -> None:
    """Raise Blocked unless there is the recorded approval that `guards.approval` asks for."""
    for guard in plan.guards:
        if guard.name == _APPROVAL and guard.verdict == "review":
            given = [row for row in recorded if not row.by.endswith(_PIPELINE)]
            own = authors(call, caller)
            others = [row for row in given if own.isdisjoint(names_in(row.by))]
            if not (others if guard.limit == "other_person" else given):
                raise Blocked(_not_recorded(guard, given))


def _not_recorded(guard: GuardResult, given: Sequence[Approval]) -> Problem:
    said = ", ".join(sorted({row.by for row in given}))
    message = f"approved only by {said}, who made or runs this change" if given else "no approval was recorded"
    needs = "by somebody other than the change's author" if guard.limit == "other_person" else "that was recorded"
    hint = f"give --approval FILE with an approval {needs}"
    return Problem("guard.approval", message, guard.source, hint)


def _named(call: Invocation, row: Approval) -> Approval:
    """An approval that the pipeline gave itself, called that."""
    own = call.ci and not names_in(row.by).isdisjoint(names_in(actor(call.environ)))
    return row._replace(by=f"{row.by}{_PIPELINE}") if own else row


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


def read_approvals(path: Path) -> tuple[Approval, ...]:
    """``[{by, at, url, source}]``. Raises ConfigError for anything else."""
    try:
        said = json.loads(path.read_bytes())
        return tuple(_approval(row) for row in said)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = "is no list of approvals, [{by, at, url, source}]"
        raise ConfigError(Problem("approval_file", message, Where(str(path)))) from error


def _approval(row: Any) -> Approval:
    by, url, source = row["by"], row.get("url"), row.get("source")
    if (
        not isinstance(by, str)
        or not by.strip()
        or not all(part is None or isinstance(part, str) for part in (url, source))
    ):
        raise ValueError(row)
    return Approval(by, datetime.fromisoformat(row["at"]) if row.get("at") else None, url, source)


def _unanswered(guard: GuardResult) -> Problem:
    hint = "answer with --approve DIGEST, or lift it with an allow; --auto-approve alone does not do"
    return Problem(f"guard.{guard.name}", f"nobody reviewed {guard_words(guard)}", guard.source, hint)


def _asked(call: Invocation, plan: Plan, reviews: list[GuardResult]) -> Approval:
    if not can_ask(call):
        hint = "say --approve DIGEST, or --auto-approve where no guard asks for a review"
        raise Misuse(Problem("no_approval", "nobody is here to approve this plan", None, hint))
    if not agrees(_request(plan, len(reviews))):
        raise Declined(Problem("declined", "not approved; nothing was written"))
    return _self(call, "prompt")


def _request(plan: Plan, reviews: int) -> str:
    """Return the question of the prompt: what a yes does."""
    number = len(renames_as_one((*plan.writes, *plan.human)))
    org = f"{plan.org.name} ({plan.org.id})"
    if not number:
        changes = sum(row.loosens for row in plan.policy_changes)
        return f"Approve {changes:,} less strict policy setting{'s' if changes != 1 else ''} for {org}?"
    noun = "change" if number == 1 else "changes"
    review = f", and answer {reviews} review{'s' if reviews != 1 else ''} above," if reviews else ""
    return f"Carry out {number:,} {noun}{review} on {org}?"


def _self(call: Invocation, source: str) -> Approval:
    by = actor(call.environ)
    return Approval(f"{by}{_PIPELINE}" if call.ci else by, now(), ci_run(call.environ), source)
