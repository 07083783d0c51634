"""Handles a plan that was partly or fully applied before: by which run, and the state to evaluate the rest against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from rolecall.apply.steps import current_value, satisfies
from rolecall.model.change import Change
from rolecall.model.live import Live
from rolecall.model.run import Run, Step, StepState
from rolecall.model.settings import UNSET, Scim
from rolecall.plan.forecast import State, follow
from rolecall.plan.headline import enumerate_words
from rolecall.plan.value import Plan

LOOK_BACK = 100
"""Number of runs, newest first, that are searched for the one that applied a plan."""

_DONE: frozenset[StepState] = frozenset({"done", "attested"})
_NAMED = 5


def applied_already(approved: Plan, fresh: Plan) -> tuple[Change, ...]:
    """Return the approved writes that are no longer needed, because the org has their ``after``."""
    key = same_change(approved)
    pending = {key(change) for change in fresh.changes}
    return tuple(change for change in approved.writes if key(change) not in pending)


def settled_already(approved: Plan, fresh: Plan) -> tuple[Change, ...]:
    """Return the approved writes and manual steps that are no longer needed."""
    key = same_change(approved)
    pending = {key(change) for change in fresh.changes}
    steps = tuple(change for change in approved.human if key(change) not in pending)
    return (*applied_already(approved, fresh), *steps)


def same_change(approved: Plan) -> Callable[[Change], tuple[str, str]]:
    """Return the identity of a change: the group's id if the approved plan has it, else the address."""
    known = {change.id for change in approved.changes if change.id}
    return lambda change: (change.id if change.id and change.id in known else change.address, change.action)


def approved_state(live: Live, already: Iterable[Change]) -> Live | None:
    """Return the org as it was before these changes; None if that cannot be determined.

    Turning SCIM on or off, or a step of the endpoint upgrade, changes more than its own setting (R20, R33).
    """
    undone = [
        change._replace(address=at, before=change.after, after=change.before, via="api")
        for change in already
        if (at := live.address_now(change.address, change.id)) is not None
    ]
    if any(map(_regime, undone)):
        return None
    state = follow(State(live.settings, live.facts), reversed(undone))
    return replace(live, settings=state.settings, facts=state.facts)


def applied_by(approved: Plan, fresh: Plan, runs: Sequence[Run]) -> Iterator[str]:
    """Yield a sentence for each run that applied some of the plan, and one for each change that no run applied.

    ``runs`` are newest first, with their steps.
    """
    yield from _by_run(approved, settled_already(approved, fresh), runs)
    for run in [run for run in runs if has_recorded(approved, fresh, run)][:1]:
        yield open_run_words(run.id)


def open_run_words(number: int) -> str:
    """Return that an open run already has the manual steps of a plan, with the command that shows them."""
    return f"Run {number} already has these manual steps: rolecall runbook {number}"


def open_run(plan: Plan, runs: Sequence[Run], live: Live) -> Run | None:
    """Return the run whose open manual steps are those of a plan, so that no other run needs them; None if none is.

    ``runs`` are newest first. The newest run with a step for an address counts: it supersedes the earlier ones. A run
    may have more open steps if the org shows their values, or if the plan is limited.
    """
    keys = frozenset(map(_key, plan.human))
    newest = next((run for run in runs if any(_key(step) in keys for step in run.steps)), None)
    if newest is None or not keys:
        return None
    steps = {_key(step): (step.before, step.after) for step in newest.human}
    if any(steps.get(_key(change)) != (change.before, change.after) for change in plan.human):
        return None
    more = [step for step in newest.human if _key(step) not in keys]
    if not plan.partial and any(not satisfies(current_value(live, step), step.after) for step in more):
        return None
    return newest


def _key(step: Change | Step) -> tuple[str, str]:
    return step.id or step.address, step.action


def may_be_applied(approved: Plan, runs: Sequence[Run]) -> bool:
    """Return whether these runs have every step of a plan: its writes are done, its manual steps recorded."""
    states = frozenset[StepState]({*_DONE, "human"})
    changes = (*approved.writes, *approved.human)
    return bool(changes) and all(any(_applied(approved, change, run, states) for run in runs) for change in changes)


def _by_run(approved: Plan, already: Sequence[Change], runs: Sequence[Run]) -> Iterator[str]:
    changes: dict[int, list[Change]] = {}
    for change in already:
        run = next((run for run in runs if _applied(approved, change, run, _DONE)), None)
        if run is None:
            yield f"{change.address} already has the planned value"
        else:
            changes.setdefault(run.id, []).append(change)
    for run in (run for run in reversed(runs) if run.id in changes):
        number, total = len(changes[run.id]), len(approved.writes) + len(approved.human)
        if number == total:
            yield f"{_run_words(run)} already applied this plan"
        else:
            addresses = enumerate_words([change.address for change in changes[run.id]], _NAMED)
            yield f"{_run_words(run)} already applied {number:,} of the {total:,} changes of this plan: {addresses}"


def has_recorded(approved: Plan, fresh: Plan, run: Run) -> bool:
    """Return whether a run has recorded the manual steps of this plan that are not done yet."""
    steps = frozenset[StepState]({"human"})
    return bool(fresh.human) and all(_applied(approved, change, run, steps) for change in fresh.human)


def _applied(approved: Plan, change: Change, run: Run, states: frozenset[StepState]) -> bool:
    """Return whether a step of a run that began after the plan was made is this change, and ended in one of these
    states.
    """
    return run.started_at >= approved.created_at and any(
        step.state in states
        and (step.action, step.id if change.id else step.address) == (change.action, change.id or change.address)
        and satisfies(step.after, change.after)
        for step in run.steps
    )


def _run_words(run: Run) -> str:
    """Return ``Run 3 (29 Nov 2026 11:56 UTC, by ann)``."""
    by = f", by {run.facts.actor}" if run.facts.actor else ""
    return f"Run {run.id} ({run.started_at.day} {run.started_at:%b %Y %H:%M} UTC{by})"


def _regime(change: Change) -> bool:
    sides = (change.before, change.after)
    return any(isinstance(side, Scim) and (side.enabled, side.endpoint) != (UNSET, UNSET) for side in sides)
