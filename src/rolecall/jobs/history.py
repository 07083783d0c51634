"""Use case `history`: past runs, one of them, and whether the record was tampered with."""

from __future__ import annotations

from rolecall.errors import Misuse, Problem
from rolecall.journal.port import Journal, Verified
from rolecall.model.run import Run


def past_runs(journal: Journal | None, env: str | None, limit: int | None = None) -> tuple[Run, ...]:
    """The runs of a journal, newest first; with ``env`` those of that overlay alone. None is no journal yet."""
    if journal is None:
        return ()
    runs = journal.runs(None, None if env else limit)
    return tuple(run for run in runs if env is None or run.facts.env == env)[:limit]


def one_run(journal: Journal | None, number: int) -> Run:
    """A run by its number. Raises Misuse when there is none."""
    found = None if journal is None else journal.run(number)
    if found is None:
        hint = "`rolecall history` lists the runs there are"
        raise Misuse(Problem("no_run", f"there is no run {number}", None, hint))
    return found


def verify(journal: Journal) -> dict[str, Verified]:
    """What the chain says, for each org the journal knows."""
    return {org: journal.verify(org) for org in sorted({run.org_id for run in journal.runs()})}
