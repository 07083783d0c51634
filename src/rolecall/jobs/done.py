"""Use case `done`: record a person's word that a human step is done, and look whether it can be seen."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from rolecall.apply.steps import same
from rolecall.errors import Misuse, Problem
from rolecall.jobs.history import one_run
from rolecall.journal.port import Journal
from rolecall.live.port import Reader
from rolecall.model.kinds import split_address, value_at
from rolecall.model.run import Attestation, Run, Step


class Word(NamedTuple):
    """What a person says: who they are, a file that shows it, and the value they found."""

    by: str
    evidence: Path | None = None
    found: str | None = None


class Attested(NamedTuple):
    """The run after the word, the step, and whether the org shows it: None where it could not be read."""

    run: Run
    step: Step
    seen: bool | None


async def attest(journal: Journal | None, org: Reader, run: int, number: int, word: Word) -> Attested:
    """Record the word and read the address again. Raises Misuse for a run or a step that there is not."""
    found = one_run(journal, run)
    step = next((step for step in found.steps if step.number == number), None)
    if journal is None or step is None or step.via != "human":
        waiting = ", ".join(str(step.number) for step in found.human) or "none"
        hint = f"steps of run {run} that wait for a person: {waiting}"
        raise Misuse(Problem("no_step", f"step {number} of run {run} is not a person's", None, hint))
    sha256 = hashlib.sha256(word.evidence.read_bytes()).hexdigest() if word.evidence else None
    evidence = str(word.evidence) if word.evidence else None
    journal.attest(run, Attestation(number, word.by, evidence, sha256, word.found))
    return Attested(one_run(journal, run), step, await _seen(org, step))


async def _seen(org: Reader, step: Step) -> bool | None:
    section, _ = split_address(step.address)
    live = await org.read(frozenset({section}))
    if live.covered(section).state != "complete":
        return None
    return same(value_at(live.settings, step.address), step.after)
