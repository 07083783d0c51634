"""Apply a plan that was approved: plan again on fresh reads, and carry out what still fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rolecall.apply.run import Fresh, Means, carry_out
from rolecall.apply.steps import Progress
from rolecall.errors import Problem, Stale
from rolecall.jobs.plan import PlanRequest, Wanted, plan
from rolecall.journal.port import Holder, Journal, Waiting
from rolecall.live.port import Org, People
from rolecall.model.run import Approval, Run, RunFacts, RunKind, RunReport
from rolecall.plan.digest import digest, matches, short
from rolecall.plan.value import Plan


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """One apply. ``now`` is a clock, in UTC; ``stop`` says that no further step may be begun."""

    approved: Plan
    wanted: Wanted
    org: Org
    people: People | None
    journal: Journal
    holder: Holder
    now: Callable[[], datetime]
    facts: RunFacts = RunFacts()
    approvals: tuple[Approval, ...] = ()
    parallelism: int = 8
    lock_timeout: float = 0
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None
    waiting: Waiting | None = None
    redact: Callable[[Plan], Plan] = lambda plan: plan
    kind: RunKind = "apply"
    recovering: Callable[[Sequence[Run]], None] = lambda _: None
    began: Callable[[int, int], None] = lambda _run, _writes: None


async def apply(request: ApplyRequest) -> RunReport:
    """Carry the approved plan out. Raises Stale before anything is sent when it no longer fits."""
    means = Means(
        org=request.org,
        journal=request.journal,
        again=lambda: _again(request),
        now=request.now,
        holder=request.holder,
        facts=request.facts,
        approvals=request.approvals,
        parallelism=request.parallelism,
        lock_timeout=request.lock_timeout,
        stop=request.stop,
        progress=request.progress,
        waiting=request.waiting,
        redact=request.redact,
        kind=request.kind,
        recovering=request.recovering,
        began=request.began,
    )
    return await carry_out(request.approved, means)


async def _again(request: ApplyRequest) -> Fresh:
    """The same planner on fresh reads, from the desired values of the approved plan and for its day.

    Another org than the approved one is no error here: verifying finds it, and leaves with 5.
    """
    approved = request.approved
    asked = PlanRequest(
        wanted=replace(request.wanted, desired=approved.desired, pin=None),
        org=request.org,
        people=request.people,
        now=request.now(),
        as_of=approved.as_of,
        applied=request.journal.applied,
        lifts=approved.lifts[len(approved.desired.policy.allow) :],
        targets=tuple(change.address for change in approved.changes) if approved.partial else (),
        excludes=("*",) if approved.partial and not approved.changes else (),
    )
    planned = await plan(asked)
    return Fresh(planned.plan, planned.live, planned.question.applied, planned.question.directory)


def check_digest(said: str, made: Plan) -> None:
    """Raise Stale unless what a person approved is the digest of this plan."""
    found = digest(made)
    if not matches(said, found):
        message = f"approved was {said}, but the plan is now {short(found)}"
        raise Stale(Problem("digest", message, None, "look at the plan again, and approve that"))
