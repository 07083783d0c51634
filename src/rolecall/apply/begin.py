"""What a run begins with, and what can be said of one whose end the journal could not take."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from rolecall.apply.steps import Sender
from rolecall.model.change import Change
from rolecall.model.run import Approval, Opening, Planned, Run, RunFacts, RunKind, Step, StepState
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import encode_plan
from rolecall.plan.value import Plan


def opening(
    recorded: Plan,
    plan: Plan,
    changes: Sequence[Change],
    kind: RunKind,
    facts: RunFacts,
    approvals: tuple[Approval, ...],
) -> Opening:
    """The opening of a run over ``changes``; ``recorded`` is the plan as the journal may keep it."""
    planned = [
        Planned(number, change.address, change.action, change.via, change.before, change.after, change.id)
        for number, change in enumerate(changes, 1)
    ]
    text = json.dumps(encode_plan(recorded), ensure_ascii=False)
    return Opening(plan.org.id, kind, facts, digest(plan), text, planned, plan.lifts, approvals)


def unrecorded(run: int, begun: Opening, at: datetime, sender: Sender) -> Run:
    """A run as its own process knows it, for when the journal can no longer be asked."""
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


def _step(run: int, planned: Planned, sender: Sender) -> Step:
    ended = sender.ended.get(planned.number)
    if ended is None:
        waiting: StepState = "open" if planned.number in sender.began else "not_tried"
        return Step(run, **planned._asdict(), state="human" if planned.via == "human" else waiting)
    return Step(run, **planned._asdict(), state=ended.state, found=ended.found, problem=ended.problem, by=ended.by)
