"""Laws of the journal: it reads back what went in, and no single change behind its back goes unseen."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from journals import ADMINS, BRAND, ME, MEMORY_DISK, START, Ticking, ended, intent, opening

from rolecall.journal.opened import open_journal
from rolecall.journal.port import AppliedState, Journal
from rolecall.journal.sqlite import SqliteDatabase
from rolecall.model.settings import UNSET, GroupMapping
from rolecall.model.sighting import Holding, Sighting

ORGS = ("org_1", "org_2")
MAPPINGS = st.builds(
    GroupMapping,
    st.none() | st.sampled_from(["member", "org_admin", "Éditeur"]),
    st.frozensets(st.sampled_from(["IT", "Brand", "naïve ☃", 'quo"te\\']), max_size=3),
)
STATES = st.sampled_from(["done", "not_done", "failed", "moved", "refused", "unknown"])
OPS = st.tuples(st.sampled_from(ORGS), st.integers(1, 2), STATES, MAPPINGS, st.booleans(), st.text(max_size=8))


def play(journal: Journal, ops: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
    """One run an op; answers, per org, the memory and the states that must be read back."""
    told: dict[str, dict[str, Any]] = {org: {"memory": {}, "states": []} for org in ORGS}
    for org, number, state, mapping, closes, message in ops:
        at = ADMINS if number == 1 else BRAND
        with journal.lock(org, ME) as held:
            run = journal.begin(opening(org_id=org))
            held.intend(run, [intent(number, run)])
            journal.settle(run, [ended(number, state, found=mapping, problem=message)])
            held.remember(run, AppliedState({at: mapping}, config="c"))
            journal.sight(run, Sighting(START, (Holding(message, "u", "org_admin", "IT"),)))
            if closes:
                journal.close_run(run, "done", message)
        told[org]["memory"][at.partition("/")[2]] = mapping
        told[org]["states"].insert(0, (run, state, "done" if closes else "open", message if closes else None))
    return told


@given(st.lists(OPS, max_size=6))
@settings(max_examples=settings.default.max_examples // 2)
def test_what_goes_in_comes_out(ops: list[tuple[Any, ...]]) -> None:
    with (
        tempfile.TemporaryDirectory(dir=MEMORY_DISK) as base,
        open_journal("sqlite:j.db", Path(base), clock=Ticking()) as journal,
    ):
        told = play(journal, ops)
        for org in ORGS:
            found = [
                (run.id, next(step.state for step in run.steps if step.key), run.outcome, run.message)
                for run in journal.runs(org)
            ]
            assert found == told[org]["states"]
            assert journal.applied(org).settings.idp_groups == (told[org]["memory"] or UNSET)
            assert len(journal.open_steps(org)) == sum(state == "unknown" for _, state, _, _ in found)
            assert journal.verify(org).problems == ()


CELLS = [("rolecall_entries", column) for column in ("n", "run", "step", "kind", "at", "body", "body_hash", "hash")] + [
    ("rolecall_applied", column) for column in ("address", "value", "run", "config", "commit_id", "at")
]


@given(
    st.lists(OPS, min_size=1, max_size=3),
    st.sampled_from(CELLS),
    st.integers(0, 10**6),
    st.text(min_size=1, max_size=5),
)
@settings(max_examples=settings.default.max_examples // 2)
def test_any_single_change_is_found(ops: list[tuple[Any, ...]], cell: tuple[str, str], which: int, value: str) -> None:
    table, column = cell
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as base:
        with open_journal("sqlite:j.db", Path(base), clock=Ticking()) as journal:
            play(journal, ops)
        database = SqliteDatabase(Path(base) / "j.db")
        rows = database.select(f"SELECT rowid, org_id, {column} FROM {table} ORDER BY rowid")
        rowid, org, before = rows[which % len(rows)]
        changed: Any = before + 1_000 if isinstance(before, int) else value
        assume(changed != before)
        database.change(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", changed, rowid)
        database.close()
        with open_journal("sqlite:j.db", Path(base), clock=Ticking()) as journal:
            assert journal.verify(org).problems


@given(st.lists(OPS, min_size=2, max_size=6), st.integers(0, 60))
@settings(max_examples=settings.default.max_examples // 4)
def test_pruning_takes_only_what_is_old_and_keeps_the_memory(ops: list[tuple[Any, ...]], seconds: int) -> None:
    with (
        tempfile.TemporaryDirectory(dir=MEMORY_DISK) as base,
        open_journal("sqlite:j.db", Path(base), clock=Ticking()) as journal,
    ):
        play(journal, ops)
        for org in ORGS:
            before, memory = journal.runs(org), journal.applied(org)
            limit = START + timedelta(seconds=seconds)
            gone = journal.prune(org, limit)
            kept = journal.runs(org)
            assert len(kept) == len(before) - gone
            assert set(kept) <= set(before)
            assert all((run.ended_at or run.started_at) < limit for run in set(before) - set(kept))
            assert journal.applied(org) == memory
            assert journal.verify(org).problems == ()
