"""What is kept of a look at an org: a run with its sighting, the look itself, and nothing older than is wanted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rolecall.codec.look import encode_look
from rolecall.jobs.past import LOOK, WATCHED, last_look
from rolecall.journal.port import Journal
from rolecall.model.look import Look
from rolecall.model.run import Opening, RunFacts, RunKind
from rolecall.model.sighting import Sighting


def record_look(
    journal: Journal, org_id: str, kind: RunKind, facts: RunFacts, sighting: Sighting | None, message: str | None = None
) -> int:
    """A run of a command that wrote nothing to the org, with who was seen. Answers its number."""
    run = journal.begin(Opening(org_id, kind, facts))
    if sighting is not None:
        journal.sight(run, sighting)
    journal.close_run(run, "done", message)
    return run


def keep_look(journal: Journal, org_id: str, look: Look) -> None:
    """Keep a look for the next one to be compared with. Where it did not see everybody, the people seen before stay."""
    if look.people is None and (before := last_look(journal, org_id)) is not None:
        look = replace(look, people=before.people, at=before.at)
    journal.keep(org_id, LOOK, encode_look(look))


def watch_from(journal: Journal, org_id: str, at: datetime, *, first: bool = False) -> None:
    """From now on watched roles are compared with the sighting of this moment. ``first``: only where there is none."""
    if not (first and journal.recall(org_id, WATCHED)):
        journal.keep(org_id, WATCHED, at.isoformat())


def forget_old(journal: Journal, org_id: str, now: datetime, keep_days: int) -> int:
    """Blank runs and sightings that are older than the config wants them kept. Answers how many runs went."""
    return journal.prune(org_id, now - timedelta(days=keep_days))
