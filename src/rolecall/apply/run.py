"""Runs one apply, from acquiring the lock to closing the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from rolecall.apply.close import memory_after, reread
from rolecall.apply.idp import finish
from rolecall.apply.resume import LOOK_BACK, open_run, open_run_words, settled_already
from rolecall.apply.settle import changed_since, confirm, left_open, lines, recover, unconfirmed
from rolecall.apply.steps import ApplyContext, Numbered, Sender, numbered
from rolecall.apply.verify import VerifiedPlan, lapsed, stricter_here, verify
from rolecall.errors import OrgError, Problem, Stale
from rolecall.journal.port import Journal, JournalError, OrgLock
from rolecall.model.change import Change
from rolecall.model.desired import Applied
from rolecall.model.directory import Directory
from rolecall.model.live import Live
from rolecall.model.run import (
    Approval,
    Opening,
    PlannedStep,
    Run,
    RunFacts,
    RunKind,
    RunOutcome,
    RunReport,
    Step,
    StepOutcome,
    StepState,
)
from rolecall.plan.commands import new_plan
from rolecall.plan.diff.changes import diff
from rolecall.plan.impact.meanwhile import meanwhile
from rolecall.plan.order.risk import levels
from rolecall.plan.order.visits import StepNumber, step_numbers
from rolecall.plan.resolve import on_day
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import encode_plan
from rolecall.plan.saved.summary import other_org_words, renames_as_one
from rolecall.plan.value import Plan


@dataclass(frozen=True, slots=True)
class Fresh:
    """A plan made from fresh reads, and the reads.

    ``whole`` is the same plan from the approved state, if steps of it were applied before, else None. ``here`` is the
    same plan evaluated with the local configuration's policy, if that differs.
    """

    plan: Plan
    live: Live
    applied: Applied
    directory: Directory | None = None
    whole: Plan | None = None
    here: Plan | None = None


class Replanner(Protocol):
    """Makes an approved plan again, from its own desired values."""

    async def plan_again(self) -> Fresh:
        """Read the org again and plan."""

    def keep_final(self, live: Live) -> None:
        """Keep the org as the run left it; not called if the org could not be read then."""


async def carry_out(approved: Plan, context: ApplyContext, replanner: Replanner) -> RunReport:
    """Apply an approved plan. Raises Stale, with everything that changed, before anything is sent.

    LockTaken and JournalError are raised while nothing has begun. If the journal or the lock is lost later, the run
    stops and the report states it; the next apply resolves its writes.
    """
    late = lapsed(approved, context.now())
    if late:
        raise Stale(late)
    with context.journal.lock(approved.org.id, context.holder, context.lock_timeout, context.waiting) as lock:
        dead = left_open(context.journal, approved.org.id)
        if dead:
            context.recovering(dead)
        fresh = await replanner.plan_again()
        _check_org(approved, fresh)
        recovered = await recover(context.journal, context.org, fresh.live, dead, context.idp, fresh.applied.idp_app)
        runs = _runs(context.journal, approved, fresh.plan)
        verified, moved = verify(approved, fresh.plan, fresh.whole, runs, fresh.live)
        if fresh.here is not None:
            moved = (*moved, *stricter_here(approved, fresh.here))
        if moved:
            raise Stale(*moved)
        recovered = await finish(context.idp_writer, context.journal, recovered, verified.steps)
        again = open_run(fresh.plan, runs, fresh.live)
        course = _Course(fresh, verified if again is None else replace(verified, human=()), context, lock, replanner)
        report = await course.run() if again is None or course.needed else course.remember_in(again.id)
    recorded = () if again is None else (open_run_words(again.id),)
    notes = tuple(dict.fromkeys((*lines(recovered), *verified.notes, *recorded, *report.notes)))
    waiting = tuple(change.address for change in renames_as_one(approved.waiting))
    number = None if again is None else again.id
    return replace(report, recovered=recovered, notes=notes, waiting=waiting, open_run=number)


def _check_org(approved: Plan, fresh: Fresh) -> None:
    """Raise Stale, naming both orgs, if the approved plan is for another org than the one that was read."""
    facts = fresh.live.facts
    if facts.org_id != approved.org.id:
        message = other_org_words(approved.org, facts.org_id, facts.org_name or fresh.plan.org.name)
        raise Stale(Problem("other_org", message, None, new_plan(approved)))


def _runs(journal: Journal, approved: Plan, fresh: Plan) -> tuple[Run, ...]:
    """Return recent runs, if one of them may have applied some of the plan or recorded its manual steps."""
    if not fresh.human and not settled_already(approved, fresh):
        return ()
    return journal.runs(approved.org.id, LOOK_BACK, ("apply", "rollback"))


@dataclass(frozen=True, slots=True)
class _Course:
    """A run in progress."""

    fresh: Fresh
    verified: VerifiedPlan
    context: ApplyContext
    held: OrgLock
    replanner: Replanner

    @property
    def needed(self) -> bool:
        """Return whether there is something to write or to record."""
        return bool(self.verified.steps or self.verified.human or self.fresh.plan.policy_changes)

    def remember_in(self, run: int) -> RunReport:
        """Remember what matches the configuration in a run that has all of its steps, and report no run."""
        self._remember(run, self.fresh.live)
        return RunReport(None)

    async def run(self) -> RunReport:
        """Open the run, send its writes, and return the report; also where the journal fails in between."""
        context, fresh = self.context, self.fresh
        changes = (*self.verified.steps, *self.verified.human)
        facts = context.facts._replace(caller=context.facts.caller or fresh.live.facts.caller.email or "a service")
        plan = context.redact(fresh.plan)
        begun = opening(plan, fresh.plan, changes, context.kind, facts, context.approvals)
        at = context.now()
        run = context.journal.begin(begun)
        steps = numbered(self.verified.steps, fresh.live.versions)
        context.began(run, len(steps))
        sender = Sender(context, self.held, run, len(steps), at)
        try:
            return await self._through(run, sender, steps, bool(changes))
        except JournalError as error:
            lost = unrecorded(run, begun, at, sender)
            meanwhile = self._right_now(None, sender, steps)
            return RunReport(lost, meanwhile=meanwhile, requests=len(sender.ended), problems=error.problems)

    async def _through(self, run: int, sender: Sender, steps: Sequence[Numbered], anything: bool) -> RunReport:
        await self._waves(sender, steps)
        now, notes = await self._look_again(run, sender, steps)
        whole = all(sender.done(step.number) for step in steps)
        meanwhile = "" if whole else self._right_now(now, sender, steps)
        if now is not None:
            self._remember(run, now)
            self.replanner.keep_final(now)
        journal = self.context.journal
        journal.close_run(run, _outcome(whole, anything, self.context.stop()), meanwhile or None)
        return RunReport(journal.run(run), notes=notes, meanwhile=meanwhile, requests=len(sender.ended))

    async def _waves(self, sender: Sender, steps: Sequence[Numbered]) -> None:
        """Send level by level. Writes in progress finish; after a failure no later level starts.

        Steps of one level may run concurrently, because no affected user is in two of them. Stopping after a level
        leaves the org in a state that the order allows for a moment; continuing after a failed step would not.
        """
        by_change = {(step.change.address, step.change.action): step for step in steps}
        for level in levels(self.fresh.plan):
            due = [by_change[key] for change in level if (key := (change.address, change.action)) in by_change]
            if not await sender.level(due):
                return

    async def _look_again(
        self, run: int, sender: Sender, steps: Sequence[Numbered]
    ) -> tuple[Live | None, tuple[str, ...]]:
        """Read the changed sections again, correct what the responses said, and return the read and notes.

        The read is None if the org cannot be read. Addresses that already matched the plan are read again too.
        """
        already = self.verified.already
        try:
            changes = [*(step.change for step in steps), *already]
            live = await reread(self.context.org, self.fresh.live, changes, self.context.idp)
        except OrgError as error:
            self._correct(run, sender, unconfirmed(sender))
            note = "The org could not be read at the end of the run, so the journal keeps the earlier values"
            return None, (f"{note}: {error.problems[0].message}.",)
        self._correct(run, sender, await confirm(run, sender, steps, self.context.org, live))
        done = [step.change for step in steps if sender.done(step.number)]
        return live, tuple(changed_since(live, done, already))

    def _correct(self, run: int, sender: Sender, corrected: Sequence[StepOutcome]) -> None:
        if corrected:
            sender.ended.update((ended.number, ended) for ended in corrected)
            self.context.journal.settle(run, corrected)

    def _right_now(self, now: Live | None, sender: Sender, steps: Sequence[Numbered]) -> str:
        done = frozenset(step.change.address for step in steps if sender.done(step.number))
        fresh = self.fresh
        return meanwhile(fresh.live, fresh.directory, [step.change for step in steps], done, now)

    def _remember(self, run: int, live: Live) -> None:
        """Remember what matches the configuration as last applied, whoever set it."""
        plan, applied = self.fresh.plan, self.fresh.applied
        known = replace(applied, group_ids={**applied.group_ids, **plan.group_ids})
        difference = diff(on_day(plan.desired, plan.as_of), live, plan.as_of, known)
        self.held.remember(run, memory_after(difference, live, applied, self.context.facts, self.context.now().date()))


def _outcome(whole: bool, anything: bool, stopped: bool) -> RunOutcome:
    if not anything:
        return "nothing"
    if whole:
        return "done"
    return "interrupted" if stopped else "incomplete"


def opening(
    recorded: Plan,
    plan: Plan,
    changes: Sequence[Change],
    kind: RunKind,
    facts: RunFacts,
    approvals: tuple[Approval, ...],
) -> Opening:
    """The opening of a run over ``changes``; ``recorded`` is the plan as the journal may keep it."""
    planned = [_planned(change, number) for change, number in step_numbers(changes)]
    text = json.dumps(encode_plan(recorded), ensure_ascii=False)
    return Opening(plan.org.id, kind, facts, digest(plan), text, planned, plan.lifts, approvals)


def _planned(change: Change, number: StepNumber) -> PlannedStep:
    values = (change.address, change.action, change.via, change.before, change.after, change.id)
    return PlannedStep(number.number, *values, number.visit, number.item)


def unrecorded(run: int, begun: Opening, at: datetime, sender: Sender) -> Run:
    """Return a run as its own process knows it, for when the journal cannot be read."""
    steps = tuple(_step(run, planned, sender) for planned in begun.steps)
    return Run(
        run,
        begun.org_id,
        begun.kind,
        at,
        None,
        "open",
        begun.facts,
        begun.digest,
        tuple(begun.lifts),
        tuple(begun.approvals),
        steps,
    )


def _step(run: int, planned: PlannedStep, sender: Sender) -> Step:
    ended = sender.ended.get(planned.number)
    if ended is None:
        waiting: StepState = "open" if planned.number in sender.began else "not_tried"
        return Step(run, **planned._asdict(), state="human" if planned.via == "human" else waiting)
    return Step(run, **planned._asdict(), state=ended.state, found=ended.found, problem=ended.problem, by=ended.by)
