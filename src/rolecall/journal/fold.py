"""Entries of the chain, folded into runs and their steps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from rolecall.journal import encode
from rolecall.journal.chain import Entry
from rolecall.journal.database import damaged, decoding
from rolecall.model.run import Ended, Intent, Planned, Run, Step, StepState


def runs(place: str, org_id: str, entries: Iterable[Entry]) -> list[Run]:
    """The runs of one org whose content still stands, newest first. Bodies of plans and sightings are not needed.

    Raises JournalError, naming the run, for content that is not what rolecall writes.
    """
    ordered = sorted(entries, key=lambda entry: (entry.run, entry.n))
    folded = [_run(place, org_id, list(group)) for _, group in groupby(ordered, key=lambda entry: entry.run)]
    return [run for run in reversed(folded) if run is not None]


def _run(place: str, org_id: str, entries: Sequence[Entry]) -> Run | None:
    with decoding(place, f"run {entries[0].run} of {org_id}"):
        return _folded(place, org_id, entries)


def _folded(place: str, org_id: str, entries: Sequence[Entry]) -> Run | None:
    first = entries[0]
    if first.kind != "begin" or first.body is None:
        return None
    said = json.loads(first.body)
    run = Run(
        id=first.run,
        org_id=org_id,
        kind=said["kind"],
        started_at=encode.moment(first.at),
        ended_at=None,
        outcome="open",
        facts=encode.facts_of(said["facts"]),
        digest=said["digest"],
        lifts=tuple(encode.lift_of(lift) for lift in said["lifts"]),
        approvals=tuple(encode.approval_of(row) for row in said["approvals"]),
        hash=entries[-1].hash,
    )
    steps = {step.number: step for step in (_planned(run.id, encode.planned_of(row)) for row in said["steps"])}
    for entry in entries:
        if entry.body is None:
            continue
        if entry.kind == "close":
            end = json.loads(entry.body)
            run = replace(run, ended_at=encode.moment(entry.at), outcome=end["outcome"], message=end["message"])
        elif entry.step:
            steps[entry.step] = _step(place, run.id, steps.get(entry.step), entry)
    return replace(run, steps=tuple(steps[number] for number in sorted(steps)))


def _planned(run: int, planned: Planned) -> Step:
    state: StepState = "human" if planned.via == "human" else "not_tried"
    return Step(run, **planned._asdict(), state=state)


def _step(place: str, run: int, step: Step | None, entry: Entry) -> Step:
    body, at = entry.body or "", encode.moment(entry.at)
    if entry.kind == "intent":
        return _intended(run, encode.intent_of(body), at)
    if step is None:
        raise damaged(place, f"run {run}", f"entry {entry.n} is about step {entry.step}, which was never planned")
    if entry.kind == "attested":
        word = encode.attestation_of(body)
        return replace(step, state="attested", by=word.by, evidence=word.evidence, problem=None, at=at)
    return _settled(step, encode.ended_of(body), at)


def _intended(run: int, intent: Intent, at: datetime) -> Step:
    return Step(
        run,
        intent.number,
        intent.address,
        intent.action,
        "api",
        intent.before,
        intent.after,
        state="open",
        key=intent.key,
        version=intent.version,
        at=at,
        id=intent.id,
    )


def _settled(step: Step, ended: Ended, at: datetime) -> Step:
    return replace(
        step,
        state=ended.state,
        found=ended.found,
        version=ended.version or step.version,
        problem=ended.problem,
        by=ended.by,
        at=at,
    )
