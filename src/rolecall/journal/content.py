"""Encodes the content of entries as canonical JSON, and builds runs from entries.

An access record that equals the previous one is stored as a reference to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeVar

from rolecall.codec.forms import Form
from rolecall.codec.policy import POLICY_FORMS, POLICY_SHAPES
from rolecall.codec.record import Codec
from rolecall.journal import chain
from rolecall.journal.chain import Entry, canonical
from rolecall.journal.database import Database, damaged, decoding
from rolecall.model.evidence import Confirmation
from rolecall.model.run import (
    Attestation,
    Closing,
    Opening,
    PendingWrite,
    PlannedStep,
    Run,
    Step,
    StepOutcome,
    StepState,
)
from rolecall.model.sighting import Sighting

T = TypeVar("T")


def stamp(at: datetime) -> str:
    """Return a moment as sortable text: UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Return the moment in a text. Raises ValueError without a time zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at


CODEC = Codec(POLICY_SHAPES, {**POLICY_FORMS, datetime: Form(stamp, moment)})
"""Writes and reads the content of a journal."""


def body(record: Any) -> str:
    """Return a record as the content of an entry."""
    return canonical(CODEC.encode(record))


def read(kind: type[T], text: str, **unwritten: Any) -> T:
    """Return the record in an entry. Raises ValueError. ``unwritten`` are fields that entries do not have."""
    return CODEC.decode(kind, json.loads(text), **unwritten)


def runs(place: str, org_id: str, entries: Iterable[Entry]) -> list[Run]:
    """Return the runs of one org that still have content, newest first. Plans and access records are not needed.

    Raises JournalError, naming the run, for content that rolecall does not write.
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
    opening = read(Opening, first.body, org_id=org_id)
    run = Run(
        id=first.run,
        org_id=org_id,
        kind=opening.kind,
        started_at=moment(first.at),
        ended_at=None,
        outcome="open",
        facts=opening.facts,
        digest=opening.digest,
        lifts=tuple(opening.lifts),
        approvals=tuple(opening.approvals),
        hash=entries[-1].hash,
    )
    steps = {planned.number: _planned(run.id, planned) for planned in opening.steps}
    for entry in entries:
        if entry.body is None:
            continue
        if entry.kind == "close":
            closing = read(Closing, entry.body)
            run = replace(run, ended_at=moment(entry.at), outcome=closing.outcome, message=closing.message)
        elif entry.step:
            steps[entry.step] = _step(place, run.id, steps.get(entry.step), entry)
    return replace(run, steps=tuple(sorted(steps.values(), key=lambda step: step.place)))


def _planned(run: int, planned: PlannedStep) -> Step:
    state: StepState = "human" if planned.via == "human" else "not_tried"
    return Step(run, **planned._asdict(), state=state)


def _step(place: str, run: int, step: Step | None, entry: Entry) -> Step:
    text, at = entry.body or "", moment(entry.at)
    if entry.kind == "intent":
        return Step(run, via="api", state="open", at=at, **read(PendingWrite, text)._asdict())
    if step is None:
        raise damaged(place, f"run {run}", f"entry {entry.n} is about step {entry.step}, which was never planned")
    if entry.kind == "attested":
        attestation = read(Attestation, text)
        by, evidence, reported = attestation.by, attestation.evidence, attestation.found
        step = replace(step, state="attested", by=by, evidence=evidence, reported=reported, problem=None, at=at)
        return step if reported is None else replace(step, confirmation=None)
    if entry.kind == "confirmed":
        return replace(step, confirmation=read(Confirmation, text))
    ended = read(StepOutcome, text)
    version = ended.version or step.version
    return replace(
        step, state=ended.state, found=ended.found, version=version, problem=ended.problem, by=ended.by, at=at
    )


PREFIX = '{"same_as":'
"""Start of a reference to an access record; no complete record starts like this."""


def sighting_body(database: Database, org_id: str, sighting: Sighting) -> str:
    """Return the content to store for an access record: its own, or a reference if the last one has the same content.

    Must be called inside the transaction that adds the entry.
    """
    whole_body = body(sighting)
    last = database.select(_LAST, org_id)
    if not last:
        return whole_body
    number, reference, body_hash = last[0]
    if reference is not None:
        number = reference_of(database.place, number, reference)
        whole = database.select(_WHOLE, org_id, number)
        body_hash = whole[0][0] if whole else None
    return canonical({"same_as": number}) if body_hash == chain.sha256(whole_body) else whole_body


def reference_of(place: str, number: int, text: str) -> int:
    """Return the number of the entry that entry ``number`` refers to. Raises JournalError if it cannot be read."""
    with decoding(place, f"rolecall_entries, entry {number} (sighting)"):
        return int(json.loads(text)["same_as"])


def read_sighting(database: Database, journal: str, org_id: str, entry: Entry) -> Sighting:
    """Return the access record of a checked entry. Raises JournalError if it cannot be read."""
    text = entry.body or ""
    if text.startswith(PREFIX):
        number = reference_of(database.place, entry.n, text)
        whole = chain.checked(database, journal, org_id, "e.n = ? AND e.kind = 'sighting'", number)
        if not whole or whole[0].body is None:
            missing = f"it refers to entry {number}, which is missing"
            raise damaged(database.place, chain.name(org_id, entry), missing)
        text = whole[0].body
    with decoding(database.place, chain.name(org_id, entry)):
        return read(Sighting, text, at=moment(entry.at), run=entry.run, hash=entry.hash)


_LAST = (
    f"SELECT n, CASE WHEN substr(body, 1, {len(PREFIX)}) = '{PREFIX}' THEN body END, body_hash FROM rolecall_entries "
    "WHERE org_id = ? AND kind = 'sighting' AND body IS NOT NULL ORDER BY at DESC, n DESC LIMIT 1"
)
_WHOLE = "SELECT body_hash FROM rolecall_entries WHERE org_id = ? AND n = ? AND kind = 'sighting' AND body IS NOT NULL"
