"""Findings that someone has acknowledged: recorded in the journal, with who and why, until the next apply."""

from __future__ import annotations

from typing import Any

from rolecall.journal.port import Journal
from rolecall.model.run import Opening, RunFacts
from rolecall.plan.drift_found import Acknowledgement, Found

NOTE = "drift.acknowledged"
"""The key of the journal's note: fingerprint -> the number of the run that recorded it."""


def acknowledged(journal: Journal, org_id: str, last_apply: int | None) -> dict[str, Acknowledgement]:
    """Return what was acknowledged since an apply (None: ever), by fingerprint.

    Who and why are read from the run itself, which is part of the chain; a note without such a run counts for nothing.
    """
    runs = journal.recall(org_id, NOTE, _runs) or {}
    found = {}
    for fingerprint, number in runs.items():
        run = journal.run(number) if number > (last_apply or 0) else None
        start = _start(fingerprint)
        if run is not None and run.org_id == org_id and (run.message or "").startswith(start):
            reason = (run.message or "").removeprefix(start)
            found[fingerprint] = Acknowledgement(fingerprint, run.facts.actor, run.started_at, reason, number)
    return found


def acknowledge(journal: Journal, org_id: str, facts: RunFacts, fingerprints: list[str], reason: str) -> None:
    """Record that findings are known; a run for each."""
    runs = journal.recall(org_id, NOTE, _runs) or {}
    for fingerprint in fingerprints:
        runs[fingerprint] = journal.begin(Opening(org_id, "acknowledge", facts))
        journal.close_run(runs[fingerprint], "done", f"{_start(fingerprint)}{reason}")
    journal.keep(org_id, NOTE, runs)


def can_be_acknowledged(found: Found) -> frozenset[str]:
    """Return the fingerprints of findings that an acknowledgement settles: not those of standing limits and access
    tests, which fail until the org or the configuration changes."""
    admins = found.people.new_admins if found.people else ()
    return frozenset(
        (
            *(row.fingerprint for row in found.drifts),
            *(alarm.fingerprint for alarm in found.alarms if alarm.kind == "watch"),
            *(admin.fingerprint for admin in admins),
        )
    )


def _runs(note: Any) -> dict[str, int]:
    """Decode the note. Raises TypeError and ValueError for what is none."""
    return {str(fingerprint): int(number) for fingerprint, number in dict(note).items()}


def _start(fingerprint: str) -> str:
    return f"acknowledged {fingerprint}: "
