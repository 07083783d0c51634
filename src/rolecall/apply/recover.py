"""Settles what earlier runs left open: by what the org holds now, else by its audit log, else it stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rolecall.apply.steps import same
from rolecall.journal.port import Journal
from rolecall.live.port import Audit
from rolecall.model.kinds import split_address, value_at
from rolecall.model.live import Live
from rolecall.model.run import Ended, Step


async def recover(journal: Journal, org: Audit, live: Live) -> tuple[Step, ...]:
    """Settle every open step of this org's earlier runs. Answers those steps with their new state."""
    settled = []
    for step in journal.open_steps(live.facts.org_id):
        ended = await _settle(step, org, live)
        if ended.state != step.state:
            journal.settle(step.run, [ended])
        settled.append(replace(step, state=ended.state, found=ended.found, problem=ended.problem, by=ended.by))
    return tuple(settled)


async def _settle(step: Step, org: Audit, live: Live) -> Ended:
    if live.covered(split_address(step.address)[0]).state != "complete":
        return Ended(step.number, step.address, "unknown", problem="its section could not be read")
    found = value_at(live.settings, step.address)
    if same(found, step.after):
        return Ended(step.number, step.address, "done", found)
    if same(found, step.before):
        return Ended(step.number, step.address, "not_done", found)
    event = await org.find(step.key) if step.key else None
    if event is None:
        return Ended(
            step.number, step.address, "unknown", found, problem="the org holds neither the old nor the new value"
        )
    return Ended(step.number, step.address, "done", found, problem="written, and changed again since", by=event.actor)


def lines(steps: Sequence[Step]) -> tuple[str, ...]:
    """What recovery found, a line a step, for the report."""
    words = {"done": "was done", "not_done": "was not done", "unknown": "cannot be told"}
    return tuple(
        f"step {step.number} of run {step.run} ({step.address}) {words.get(step.state, step.state)}" for step in steps
    )
