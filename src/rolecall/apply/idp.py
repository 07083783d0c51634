"""Handles the IdP's side of a run: reads its sections, and completes deletions that were left half done.

An IdP has no audit log that rolecall could search by a key, so its current values decide about a write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rolecall.journal.port import Journal
from rolecall.live.port import NO_IDP, IdpSideReader, IdpWriter
from rolecall.model.change import Change
from rolecall.model.kinds import IDP_SECTIONS, of_idp, split_address
from rolecall.model.live import IdpQuestion, Live
from rolecall.model.outcome import Done, Moved
from rolecall.model.run import Step, StepOutcome
from rolecall.model.settings import IdpPush

UNFINISHED = "the group is no longer pushed, but its inactive mapping still exists; to delete it: rolecall apply"


def half_done(live: Live, step: Change | Step) -> bool:
    """Return whether the end of a push is incomplete: the mapping is inactive and not deleted."""
    ends = isinstance(step.before, IdpPush) and step.after is None
    return ends and live.facts.idp is not None and getattr(step.before, "id", None) in live.facts.idp.off


async def read_idp(idp: IdpSideReader | None, live: Live, sections: Iterable[str]) -> Live:
    """Return the read with sections of the IdP read again; without a connection, they are unread."""
    names = [name for name in IDP_SECTIONS if name in sections]
    if not names:
        return live
    if idp is None:
        return live.with_unread(names, NO_IDP)
    side = await idp.read_side(IdpQuestion.of_lists(names))
    before, after = live.facts.idp, side.facts.idp
    merged = after if before is None or after is None else before._replace(off=after.off)
    versions = {at: text for at, text in live.versions.items() if split_address(at)[0] not in names}
    return replace(
        live,
        settings=replace(live.settings, **{name: getattr(side.settings, name) for name in names}),
        coverage={**live.coverage, **{name: side.covered(name) for name in names}},
        facts=live.facts._replace(idp=merged),
        versions={**versions, **side.versions},
    )


def app_of(journal: Journal, run: int) -> str:
    """Return the app of a run's steps in the IdP, as ``IdpSide.where``; empty if its plan has none."""
    plan = json.loads(journal.plan(run) or "{}")
    return str((plan.get("idp_side") or {}).get("where") or "")


def of_app(live: Live, app: str) -> Live:
    """Return the read; of another ``app`` than that of a step, its sections say nothing about the step."""
    side = live.facts.idp
    if side is None or app in ("", side.where):
        return live
    return live.with_unread(IDP_SECTIONS, f"{side.where} is not the app of the step")


def unfinished(step: Step) -> bool:
    """Return whether it is not known that a write to the IdP was made, or only a part of it was."""
    return step.state == "unknown" and of_idp(step.address)


async def finish(
    writer: IdpWriter | None, journal: Journal, steps: Sequence[Step], planned: Iterable[Change]
) -> tuple[Step, ...]:
    """Complete the deletions of earlier runs that were left half done, and return all steps with their outcomes.

    One whose group the new plan pushes again is not needed any more.
    """
    again = {change.after for change in planned if change.after is not None}
    settled = []
    for step in steps:
        if writer is not None and step.problem == UNFINISHED:
            ended = _superseded(step) if step.before in again else await _finished(writer, step)
            journal.settle(step.run, [ended])
            step = replace(step, state=ended.state, found=ended.found, problem=ended.problem)
        settled.append(step)
    return tuple(settled)


def _superseded(step: Step) -> StepOutcome:
    return StepOutcome(step.number, step.address, "not_done", problem="the new plan pushes the group again")


async def _finished(writer: IdpWriter, step: Step) -> StepOutcome:
    outcome = await writer.finish(Change(step.address, step.action, step.before, step.after), step.version)
    match outcome:
        case Done(after, version):
            return StepOutcome(step.number, step.address, "done", after, version)
        case Moved(value, version):
            return StepOutcome(step.number, step.address, "not_done", value, version)
        case _:
            problem = getattr(outcome, "problem", None)
            return StepOutcome(step.number, step.address, "unknown", problem=str(problem) if problem else None)
