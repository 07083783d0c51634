"""One run, from the lock to the closing line."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rolecall.apply.close import seen
from rolecall.apply.recover import lines, recover
from rolecall.apply.steps import Numbered, Progress, Sender, numbered
from rolecall.apply.verify import Verified, lapsed, verify
from rolecall.errors import Stale
from rolecall.journal.port import Held, Holder, Journal, Waiting
from rolecall.live.port import Org
from rolecall.model.change import Change
from rolecall.model.desired import Applied
from rolecall.model.directory import Directory
from rolecall.model.live import Live
from rolecall.model.run import Approval, Opening, Planned, RunFacts, RunOutcome, RunReport
from rolecall.plan.diff import diff
from rolecall.plan.digest import digest
from rolecall.plan.encode import encode_plan
from rolecall.plan.meanwhile import meanwhile
from rolecall.plan.order_levels import levels
from rolecall.plan.resolve import on_day
from rolecall.plan.value import Plan


@dataclass(frozen=True, slots=True)
class Fresh:
    """A plan made on fresh reads, and the reads."""

    plan: Plan
    live: Live
    applied: Applied
    directory: Directory | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What a run works with.

    ``again`` reads the org afresh and plans from the approved plan's desired values. ``stop`` says that no further
    step may be begun. ``lock_timeout`` is in seconds. ``redact`` makes the plan that the journal may keep.
    """

    org: Org
    journal: Journal
    again: Callable[[], Awaitable[Fresh]]
    now: Callable[[], datetime]
    holder: Holder
    facts: RunFacts = RunFacts()
    approvals: tuple[Approval, ...] = ()
    parallelism: int = 8
    lock_timeout: float = 0
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None
    waiting: Waiting | None = None
    redact: Callable[[Plan], Plan] = lambda plan: plan


async def carry_out(approved: Plan, means: Means) -> RunReport:
    """Apply a plan that was approved. Raises Stale, with everything that moved, before anything was sent.

    LockTaken and JournalError pass through; a lost lock stops the run, which then stays open for the next to settle.
    """
    late = lapsed(approved, means.now())
    if late:
        raise Stale(late)
    with means.journal.lock(approved.org.id, means.holder, means.lock_timeout, means.waiting) as held:
        fresh = await means.again()
        recovered = await recover(means.journal, means.org, fresh.live)
        verified, moved = verify(approved, fresh.plan)
        if moved:
            raise Stale(*moved)
        report = await _run(fresh, verified, means, held)
    notes = (*lines(recovered), *verified.notes)
    return RunReport(
        report.run, recovered, notes, report.meanwhile, tuple(c.address for c in approved.waiting), report.requests
    )


async def _run(fresh: Fresh, verified: Verified, means: Means, held: Held) -> RunReport:
    changes = [*verified.steps, *fresh.plan.human]
    numbers: dict[tuple[str, str], int] = {
        (change.address, change.action): number for number, change in enumerate(changes, 1)
    }
    run = means.journal.begin(_opening(fresh, changes, means))
    sender = Sender(
        means.org, means.journal, held, run, means.parallelism, means.stop, means.progress, len(verified.steps)
    )
    whole = await _waves(sender, fresh.plan, numbered(verified.steps, numbers, fresh.live.versions))
    done = frozenset(ended.address for ended in sender.ended.values() if ended.state == "done")
    now = "" if whole else meanwhile(fresh.live, fresh.directory, verified.steps, done)
    await _close(run, fresh, held, means, touched=verified.steps)
    outcome: RunOutcome = _outcome(whole, bool(changes), means.stop())
    means.journal.close_run(run, outcome, now or None)
    return RunReport(means.journal.run(run), meanwhile=now, requests=len(sender.ended))


async def _waves(sender: Sender, plan: Plan, steps: Sequence[Numbered]) -> bool:
    """Send wave by wave, level by level. A wave with a failure finishes; no later one starts."""
    by_address = {(step.change.address, step.change.action): step for step in steps}
    for _, wave in groupby(levels(plan), key=lambda level: level[0].wave):
        whole = True
        for level in wave:
            due = [by_address[key] for change in level if (key := (change.address, change.action)) in by_address]
            whole = await sender.level(due) and whole
        if not whole:
            return False
    return True


async def _close(run: int, fresh: Fresh, held: Held, means: Means, touched: Iterable[Change]) -> None:
    """Read what was touched once more, compare, and remember what stands as desired."""
    live = fresh.live
    if any(touched):
        live = await means.org.read(None)
    desired = on_day(fresh.plan.desired, fresh.plan.as_of)
    found = diff(desired, live, fresh.plan.as_of, fresh.applied)
    held.remember(run, seen(desired, live, found, fresh.applied, means.facts))


def _opening(fresh: Fresh, changes: Sequence[Change], means: Means) -> Opening:
    plan = fresh.plan
    planned = [
        Planned(number, change.address, change.action, change.via, change.before, change.after)
        for number, change in enumerate(changes, 1)
    ]
    text = json.dumps(encode_plan(means.redact(plan)), ensure_ascii=False)
    return Opening(plan.org.id, "apply", means.facts, digest(plan), text, planned, plan.lifts, means.approvals)


def _outcome(whole: bool, anything: bool, stopped: bool) -> RunOutcome:
    if not anything:
        return "nothing"
    if whole:
        return "done"
    return "interrupted" if stopped else "incomplete"
