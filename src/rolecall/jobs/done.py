"""Use case `done`: record a person's word that a human step is done, and look whether it can be seen."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from rolecall.apply.steps import same
from rolecall.errors import Misuse, Problem
from rolecall.jobs.history import one_run
from rolecall.jobs.observed_change import found_value, write_step
from rolecall.journal.port import Held, Journal, Seen
from rolecall.live.port import Reader
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.comparison import unread_fields
from rolecall.model.kinds import split_address, value_at
from rolecall.model.run import Attestation, Run, RunFacts, Step
from rolecall.model.settings import Value


class Word(NamedTuple):
    """What a person says: who they are, a file that shows it, and the value they found."""

    by: str
    evidence: Path | None = None
    found: str | None = None


class Attested(NamedTuple):
    """The run after the word, the step, and whether the org shows it: None where it could not be read.

    ``changed`` is the observed file that now says so, to be committed; None for an org with an API.
    """

    run: Run
    step: Step
    seen: bool | None
    changed: Path | None = None


async def attest(journal: Journal | None, org: Reader, run: int, number: int, word: Word) -> Attested:
    """Record the word and read the address again. Raises Misuse for a run or a step that there is not."""
    found = one_run(journal, run)
    step = next((step for step in found.steps if step.number == number), None)
    if journal is None or step is None or step.via != "human":
        waiting = ", ".join(str(step.number) for step in found.human) or "none"
        hint = f"steps of run {run} that wait for a person: {waiting}"
        raise Misuse(Problem("no_step", f"step {number} of run {run} is not a person's", None, hint))
    if step.state == "attested" and word.found is None and word.evidence is None:
        hint = "to correct it, say what is there with --found VALUE; to undo it, plan again"
        raise Misuse(Problem("done_already", f"step {number} of run {run} is done already, says {step.by}", None, hint))
    found_there = None if word.found is None else found_value(step, word.found, (await org.read()).facts)
    changed = _write_down(org, step, step.after if word.found is None else found_there)
    sha256 = hashlib.sha256(word.evidence.read_bytes()).hexdigest() if word.evidence else None
    evidence = str(word.evidence) if word.evidence else None
    journal.attest(run, Attestation(number, word.by, evidence, sha256, word.found))
    return Attested(one_run(journal, run), step, await _seen(org, step), changed)


def _write_down(org: Reader, step: Step, value: Value | None) -> Path | None:
    """An observed org's file says what the person did, or found."""
    if not isinstance(org, SnapshotReader) or not org.observed:
        return None
    write_step(org.path, step, value)
    return org.path


def remember_step(held: Held, told: Attested, facts: RunFacts) -> None:
    """Keep the value of a step that the org was seen to show as last applied, so that drift knows it."""
    held.remember(
        told.run.id,
        Seen(values={told.step.address: told.step.after}, config=facts.config or facts.org_name, commit=facts.commit),
    )


async def _seen(org: Reader, step: Step) -> bool | None:
    section, _ = split_address(step.address)
    live = await org.read(frozenset({section}))
    if live.covered(section).state != "complete":
        return None
    held = value_at(live.settings, step.address)
    if held is not None and step.after is not None and unread_fields(held, step.after):
        return None
    return same(held, step.after)
