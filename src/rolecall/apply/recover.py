"""Settles what earlier runs left open: by what the org holds now, else by its audit log, else it stays unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from rolecall.apply.steps import satisfies, written
from rolecall.journal.port import Journal
from rolecall.live.port import Org
from rolecall.model.comparison import unread_fields
from rolecall.model.kinds import split_address
from rolecall.model.live import Live
from rolecall.model.outcome import Event
from rolecall.model.run import Ended, Run, Step
from rolecall.model.settings import Value

_DIED = "The run died on its way; a later one looked up what became of it."
_NEITHER = "the org holds neither the old nor the new value, and its log does not know the write"
_NOT_READ = "the org's answer does not have every field of the step, and its log does not have the write"
_LOOK_BACK = 20
_SLACK = timedelta(minutes=5)
"""How far the clocks of the org and of rolecall may differ."""
_WITHOUT_NONCE = 4
"""Parts of a key of 0.1.0: rolecall, journal, run, step. Later keys have a fifth, random one."""


def left_open(journal: Journal, org_id: str) -> tuple[Run, ...]:
    """Earlier runs that never came to their end. Whoever holds the lock knows that they are dead."""
    runs = journal.runs(org_id, _LOOK_BACK, ("apply", "rollback"))
    return tuple(run for run in runs if run.outcome == "open")


async def recover(journal: Journal, org: Org, live: Live, dead: Sequence[Run] = ()) -> tuple[Step, ...]:
    """Settle every open step of this org's earlier runs, and close those that died. Answers the steps.

    What ``live`` did not read of them is read here.
    """
    steps = journal.open_steps(live.facts.org_id)
    live = await _with_sections(org, live, steps)
    settled = []
    for step in steps:
        ended = await look_up(step, org, live)
        if ended.state != step.state:
            journal.settle(step.run, [ended])
        settled.append(replace(step, state=ended.state, found=ended.found, problem=ended.problem, by=ended.by))
    for run in dead:
        now = journal.run(run.id)
        whole = now is not None and all(step.state in ("done", "attested", "human") for step in now.steps)
        journal.close_run(run.id, "done" if whole else "incomplete", _DIED)
    return tuple(settled)


async def look_up(step: Step, org: Org, live: Live) -> Ended:
    """What became of a write whose answer nobody has."""
    if live.covered(split_address(step.address)[0]).state != "complete":
        return Ended(step.number, step.address, "unknown", problem="its section could not be read")
    value = live.value_now(step.address, step.id)
    if satisfies(value, step.after):
        return Ended(step.number, step.address, "done", value)
    if satisfies(value, step.before):
        return Ended(step.number, step.address, "not_done", value)
    event = await written(org, step.key) if step.key else None
    if event is None or not _of_step(event, step):
        problem = _NOT_READ if _absent(value, step) else _NEITHER
        return Ended(step.number, step.address, "unknown", value, problem=problem)
    return Ended(step.number, step.address, "done", value, problem="written, and changed again since", by=event.actor)


def _of_step(event: Event, step: Step) -> bool:
    """Return whether a write found by the step's key is the step's own. A key of 0.1.0 may also be that of a run which
    a restored journal has lost: its write is of another address, or older than the step."""
    if step.key is None or len(step.key.split("/")) > _WITHOUT_NONCE:
        return True
    return event.address == step.address and (step.at is None or event.at >= step.at - _SLACK)


def _absent(live_value: Value | None, step: Step) -> bool:
    """Return whether the read of this address lacks a field of the step."""
    return live_value is not None and any(
        value is not None and unread_fields(live_value, value) for value in (step.before, step.after)
    )


async def _with_sections(org: Org, live: Live, steps: Sequence[Step]) -> Live:
    """The read, with the sections that only the open steps speak of."""
    sections = {split_address(step.address)[0] for step in steps}
    missing = frozenset(name for name in sections if name not in live.coverage)
    if not missing:
        return live
    more = await org.read(missing)
    settings = replace(live.settings, **{name: getattr(more.settings, name) for name in missing})
    facts = replace(live.facts, groups=more.facts.groups) if "idp_groups" in missing else live.facts
    return replace(live, settings=settings, coverage={**live.coverage, **more.coverage}, facts=facts)


def lines(steps: Sequence[Step]) -> Iterator[str]:
    """What recovery found, a line a step, for the report."""
    outcomes = {"done": "was done", "not_done": "was not done", "unknown": "cannot be told"}
    for step in steps:
        detail = f": {step.problem}" if step.problem else ""
        yield f"Step {step.number} of run {step.run}, {step.address}, {outcomes.get(step.state, step.state)}{detail}."
