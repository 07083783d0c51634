"""Read past runs, and verify the journal.

An anchor is a file outside the journal that records how long its chains were, so that a missing end is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import islice, takewhile
from types import MappingProxyType
from typing import Any

from rolecall.apply.superseded import Superseded, superseded_steps
from rolecall.errors import ConfigError, Misuse, Problem, Where
from rolecall.journal.port import Anchor, Journal, Verified
from rolecall.model.run import Run, RunKind

_AT_ONCE = 50


def past_runs(journal: Journal | None, env: str | None, limit: int | None = None) -> tuple[Run, ...]:
    """Return the runs of a journal, newest first; with ``env``, those of that overlay only. None stands for a missing
    journal."""
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
    """Return a run by its number. Raises Misuse if there is no such run."""
    run = None if journal is None else journal.run(number)
    if run is None:
        hint = "for the list of runs: rolecall history"
        raise Misuse(Problem("no_run", f"no run {number} in the journal", None, hint))
    return run


def superseded(journal: Journal | None, run: Run) -> Superseded:
    """Return the manual steps of a run of which a newer run of the org recorded another value."""
    if journal is None or not any(step.via == "human" for step in run.steps):
        return {}
    newer = takewhile(lambda later: later.id > run.id, newest_first(journal, run.org_id))
    steps = superseded_steps((*newer, run), journal.records(run.org_id))
    return {key: number for key, number in steps.items() if key[0] == run.id}


def verify(journal: Journal, anchors: Mapping[str, Anchor] = MappingProxyType({})) -> dict[str, Verified]:
    """Check the chain of each org that the journal or an anchor knows."""
    orgs = sorted({*journal.orgs(), *anchors})
    return {org_id: journal.verify(org_id, anchors.get(org_id)) for org_id in orgs}


ANCHOR = "journal-anchor.json"
"""The anchor that `git:REF` compares with, in the folder of the configuration."""
FORMAT = 1
_DIGITS = frozenset("0123456789abcdef")
_LENGTH = 64


def anchor_text(verified: Mapping[str, Verified]) -> str:
    """Return an anchor file for chains that were verified."""
    orgs = {org_id: {"entries": chain.entries, "head": chain.head} for org_id, chain in sorted(verified.items())}
    return json.dumps({"anchor": FORMAT, "orgs": orgs}, indent=2) + "\n"


def anchors_of(text: bytes, name: str) -> dict[str, Anchor]:
    """Return the anchors in a file, by org. Raises ConfigError for any other file."""
    try:
        content = json.loads(text)
        if content["anchor"] != FORMAT:
            raise ValueError(content["anchor"])
        return {str(org_id): _anchor(part) for org_id, part in content["orgs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = "to create one: rolecall history --anchor FILE"
        raise ConfigError(Problem("anchor", "is not a journal anchor", Where(name), hint)) from error


def _anchor(part: Mapping[str, Any]) -> Anchor:
    entries, head = part["entries"], part["head"]
    if type(entries) is not int or entries < 1 or len(head) != _LENGTH or not _DIGITS.issuperset(head):
        raise ValueError(part)
    return Anchor(entries, head)
