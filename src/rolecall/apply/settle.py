"""Settles writes with an unknown outcome: those of earlier runs, and those of this run that its closing read does not
confirm. What the org has now decides, then its audit log; otherwise the write stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from rolecall.apply.idp import UNFINISHED, app_of, half_done, of_app, read_idp
from rolecall.apply.steps import Numbered, Sender, current_value, satisfies, written
from rolecall.errors import OrgError
from rolecall.journal.port import Journal
from rolecall.live.port import IdpSideReader, Org
from rolecall.model.change import Change
from rolecall.model.kinds import of_idp, split_address, unread_fields
from rolecall.model.live import Live
from rolecall.model.outcome import Event
from rolecall.model.run import Run, Step, StepOutcome
from rolecall.model.settings import Value

_DIED = "The run was interrupted. A later run resolved its writes."
_NEITHER = "the org has neither the old nor the new value, and its audit log does not have the write"
_NOT_READ = "the org's response does not have every field of the step, and its audit log does not have the write"
_LOOK_BACK = 20
_SLACK = timedelta(minutes=5)
"""Allowed difference between the clocks of the org and of rolecall."""
_WITHOUT_NONCE = 4
"""Number of parts in a key of 0.1.0: rolecall, journal, run, step. Later keys have a fifth, random one."""


def left_open(journal: Journal, org_id: str) -> tuple[Run, ...]:
    """Return earlier runs that never ended. They are dead, because this process holds the lock."""
    runs = journal.runs(org_id, _LOOK_BACK, ("apply", "rollback"))
    return tuple(run for run in runs if run.outcome == "open")


async def recover(
    journal: Journal, org: Org, live: Live, dead: Sequence[Run] = (), idp: IdpSideReader | None = None, app: str = ""
) -> tuple[Step, ...]:
    """Settle every open step of this org's earlier runs, and close the dead runs. Returns the steps.

    Sections that ``live`` did not read are read here. A step in the IdP is settled by its own app only: that of its
    run's plan, or else ``app``, that of the last apply, as ``IdpSide.where``.
    """
    steps = journal.open_steps(live.facts.org_id)
    live = await _with_sections(org, live, steps, idp)
    apps = {run: app_of(journal, run) or app for run in {step.run for step in steps if of_idp(step.address)}}
    settled = []
    for step in steps:
        ended = await look_up(step, org, of_app(live, apps.get(step.run, "")))
        if ended.state != step.state:
            journal.settle(step.run, [ended])
        settled.append(replace(step, state=ended.state, found=ended.found, problem=ended.problem, by=ended.by))
    for run in dead:
        now = journal.run(run.id)
        whole = now is not None and all(step.state in ("done", "attested", "human") for step in now.steps)
        journal.close_run(run.id, "done" if whole else "incomplete", _DIED)
    return tuple(settled)


async def look_up(step: Step, org: Org, live: Live) -> StepOutcome:
    """Return the outcome of a write whose response was lost."""
    coverage = live.covered(split_address(step.address)[0])
    if coverage.state != "complete":
        why = f": {coverage.problem}" if coverage.problem and of_idp(step.address) else ""
        return StepOutcome(step.number, step.address, "unknown", problem=f"its section could not be read{why}")
    value = current_value(live, step)
    if half_done(live, step):
        return StepOutcome(step.number, step.address, "unknown", value, problem=UNFINISHED)
    if satisfies(value, step.after):
        return StepOutcome(step.number, step.address, "done", value)
    if satisfies(value, step.before):
        return StepOutcome(step.number, step.address, "not_done", value)
    event = await written(org, step.key) if step.key and not of_idp(step.address) else None
    if event is None or not _of_step(event, step):
        problem = _NOT_READ if _absent(value, step) else _NEITHER
        return StepOutcome(step.number, step.address, "unknown", value, problem=problem)
    return StepOutcome(
        step.number, step.address, "done", value, problem="written, and changed again since then", by=event.actor
    )


def _of_step(event: Event, step: Step) -> bool:
    """Return whether a write found by the step's key is the step's own. A key of 0.1.0 may also belong to a run that a
    restored journal has lost: its write has another address, or is older than the step.
    """
    if step.key is None or len(step.key.split("/")) > _WITHOUT_NONCE:
        return True
    return event.address == step.address and (step.at is None or event.at >= step.at - _SLACK)


def _absent(live_value: Value | None, step: Step) -> bool:
    """Return whether the read of this address lacks a field of the step."""
    return live_value is not None and any(
        value is not None and unread_fields(live_value, value) for value in (step.before, step.after)
    )


async def _with_sections(org: Org, live: Live, steps: Sequence[Step], idp: IdpSideReader | None) -> Live:
    """Return the read, with the sections that only the open steps have."""
    sections = {split_address(step.address)[0] for step in steps}
    absent = [name for name in sections if name not in live.coverage]
    live = await read_idp(idp, live, absent)
    missing = frozenset(absent) - live.coverage.keys()
    if not missing:
        return live
    more = await org.read(missing)
    settings = replace(live.settings, **{name: getattr(more.settings, name) for name in missing})
    facts = live.facts._replace(groups=more.facts.groups) if "idp_groups" in missing else live.facts
    return replace(live, settings=settings, coverage={**live.coverage, **more.coverage}, facts=facts)


def lines(steps: Sequence[Step]) -> Iterator[str]:
    """Return the results of recovery for the report, one line per step."""
    outcomes = {"done": "was done", "not_done": "was not done", "unknown": "has an unknown outcome"}
    for step in steps:
        detail = f": {step.problem}" if step.problem else ""
        yield f"Step {step.label} of run {step.run}, {step.address}, {outcomes.get(step.state, step.state)}{detail}."


_OLD_VALUE = "the org reported success, but still has the old value, and its audit log does not have the write"
_OTHER_VALUE = "the org reported success, but has another value, and its audit log does not have the write"
_NO_LOG = "the org reported success, but has another value, and its audit log could not be read"
_IDP_DIFFERS = "the IdP confirmed the write, but the read at the end of the run does not show it"
_UNCONFIRMED = "the org did not confirm the write, and could not be read at the end of the run"


async def confirm(run: int, sender: Sender, steps: Sequence[Numbered], org: Org, live: Live) -> list[StepOutcome]:
    """Return how steps ended, if the closing read ``live`` contradicts their responses.

    A step without a response is done if its value is in effect. If it is not, the write may still be in progress. A
    step reported as done whose value is not in effect stays done only if the audit log has the write.
    """
    corrected = []
    for step in steps:
        ended = sender.ended.get(step.number)
        if ended is None:
            continue
        if ended.state == "unknown":
            looked_up = await look_up(_as_step(run, step, sender), org, live)
            corrected += [looked_up] if looked_up.state == "done" else []
        elif ended.state == "done" and not _in_effect(live, step.change):
            corrected += await _denied(step, sender, org, live)
    return corrected


def unconfirmed(sender: Sender) -> list[StepOutcome]:
    """Return, as unknown, the steps assumed done without the org's confirmation; for an org that cannot be read."""
    return [
        StepOutcome(number, sender.ended[number].address, "unknown", problem=_UNCONFIRMED)
        for number in sorted(sender.inferred)
        if sender.done(number)
    ]


def changed_since(live: Live, done: Sequence[Change], already: Sequence[Change] = ()) -> Iterator[str]:
    """Yield a line for each address that differs from the result of its step, or from the start of the run."""
    for step in done:
        if absent := _absent_fields(live, step):
            yield f"{step.address} was written; the read after it does not have {', '.join(absent)}."
        elif not _in_effect(live, step):
            yield f"{step.address} was written, and then changed by someone else before the run ended."
    for change in already:
        if not _in_effect(live, change):
            yield f"{change.address} had the planned value when the run began, and was changed before it ended."


def _absent_fields(live: Live, change: Change) -> tuple[str, ...]:
    """Return the fields of the change that the read of its address does not have."""
    value = current_value(live, change)
    return () if value is None or change.after is None else unread_fields(value, change.after)


def _in_effect(live: Live, change: Change) -> bool:
    """Return whether the value is the change's, even if its section was not read completely."""
    covered = live.covered(split_address(change.address)[0]).state == "complete"
    return not covered or satisfies(current_value(live, change), change.after)


async def _denied(step: Numbered, sender: Sender, org: Org, live: Live) -> list[StepOutcome]:
    """Return the corrected outcome of a step reported as done; nothing if the log has its write."""
    value = current_value(live, step.change)
    if of_idp(step.change.address):
        return [StepOutcome(step.number, step.change.address, "unknown", value, problem=_IDP_DIFFERS)]
    try:
        event = await org.find(sender.key(step.number))
    except OrgError:
        return [StepOutcome(step.number, step.change.address, "unknown", value, problem=_NO_LOG)]
    if event is not None and event.key == sender.key(step.number):
        return []
    if satisfies(value, step.change.before):
        return [StepOutcome(step.number, step.change.address, "not_done", value, problem=_OLD_VALUE)]
    return [StepOutcome(step.number, step.change.address, "unknown", value, problem=_OTHER_VALUE)]


def _as_step(run: int, step: Numbered, sender: Sender) -> Step:
    change = step.change
    return Step(
        run,
        step.number,
        change.address,
        change.action,
        change.via,
        change.before,
        change.after,
        "unknown",
        key=sender.key(step.number),
        id=change.id,
    )
