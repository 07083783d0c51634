"""What is kept of a look at an org: a run with its sighting, the look itself, and nothing older than is wanted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rolecall.codec.look import encode_look
from rolecall.jobs.past import LOOK, PRUNED, WATCHED, last_look
from rolecall.journal.encode import moment
from rolecall.journal.port import Journal
from rolecall.model.look import Look
from rolecall.model.run import Opening, RunFacts, RunKind
from rolecall.model.sighting import Sighting
from rolecall.plan.drift_news import look, waiting
from rolecall.plan.question import Question
from rolecall.plan.sighting import sight


def record_look(
    journal: Journal, org_id: str, kind: RunKind, facts: RunFacts, sighting: Sighting | None, message: str | None = None
) -> int:
    """A run of a command that wrote nothing to the org, with who was seen. Answers its number."""
    run = journal.begin(Opening(org_id, kind, facts))
    if sighting is not None:
        journal.sight(run, sighting)
    journal.close_run(run, "done", message)
    return run


def sight_run(journal: Journal, run: int, asked: Question, at: datetime) -> None:
    """Keep, for a run that has ended, who holds what in the org as ``asked`` has read it: settings after the run, and
    everybody. What is there now was looked at by whoever approved the run: watched roles are compared with it."""
    org_id = asked.live.facts.org_id
    asked = asked.resolved
    if asked.directory is None:
        return
    if asked.directory.coverage.state != "unread":
        sighting = sight(asked.live, asked.directory, asked.desired, at).sighting
        journal.sight(run, sighting)
        if sighting.complete:
            watch_from(journal, org_id, at)
    keep_look(journal, org_id, look(asked.live, asked.directory, waiting(asked.known), at))


def keep_first_look(journal: Journal, org_id: str, look: Look) -> None:
    """Keep what a drift check saw, if nothing is there to compare the next one with: what an apply saw stays, so that a
    check does not change what the next one reports."""
    before = last_look(journal, org_id)
    if before is None:
        keep_look(journal, org_id, look)
    elif before.people is None and look.people is not None:
        keep_look(journal, org_id, replace(before, people=look.people, at=look.at))


def keep_look(journal: Journal, org_id: str, look: Look) -> None:
    """Keep a look for the next one to be compared with. Where it did not see everybody, the people seen before stay."""
    if look.people is None and (before := last_look(journal, org_id)) is not None:
        look = replace(look, people=before.people, at=before.at)
    journal.keep(org_id, LOOK, encode_look(look))


def watch_from(journal: Journal, org_id: str, at: datetime, *, first: bool = False) -> None:
    """From now on watched roles are compared with the sighting of this moment, which has to be complete: with any other
    nothing can be compared. ``first``: only where there is none."""
    if not (first and journal.recall(org_id, WATCHED)):
        journal.keep(org_id, WATCHED, at.isoformat())


def forget_old(journal: Journal, org_id: str, now: datetime, keep_days: int) -> int:
    """Blank runs and sightings that are older than the config wants them kept; once a day, for every run is looked at.
    Answers how many runs went."""
    last = journal.recall(org_id, PRUNED, moment)
    if last is not None and now - last < timedelta(days=1):
        return 0
    gone = journal.prune(org_id, now - timedelta(days=keep_days))
    journal.keep(org_id, PRUNED, now.isoformat())
    return gone
