"""Use case `history`: past runs, one of them, and whether the record was tampered with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from rolecall.errors import Misuse, Problem
from rolecall.journal.port import Anchor, Journal, Verified
from rolecall.model.run import Run, RunKind

_AT_ONCE = 50


def past_runs(journal: Journal | None, env: str | None, limit: int | None = None) -> tuple[Run, ...]:
    """The runs of a journal, newest first; with ``env`` those of that overlay alone. None is no journal yet."""
    if journal is None:
        return ()
    if env is None:
        return journal.runs(None, limit)
    runs = (run for run in newest_first(journal) if run.facts.env == env)
    return tuple(islice(runs, limit))


def newest_first(
    journal: Journal, org_id: str | None = None, kinds: Collection[RunKind] | None = None, before: int | None = None
) -> Iterator[Run]:
    """Yield runs of a journal, newest first, reading some at a time: only as many as are taken."""
    while runs := journal.runs(org_id, _AT_ONCE, kinds, before):
        yield from runs
        before = runs[-1].id


def one_run(journal: Journal | None, number: int) -> Run:
    """A run by its number. Raises Misuse when there is none."""
    found = None if journal is None else journal.run(number)
    if found is None:
        hint = "`rolecall history` lists the runs there are"
        raise Misuse(Problem("no_run", f"there is no run {number}", None, hint))
    return found


def verify(journal: Journal, anchors: Mapping[str, Anchor] = MappingProxyType({})) -> dict[str, Verified]:
    """Check the chain of each org that the journal or an anchor knows."""
    orgs = sorted({*journal.orgs(), *anchors})
    return {org_id: journal.verify(org_id, anchors.get(org_id)) for org_id in orgs}
