"""Test that the chain finds changes made outside rolecall, and that pruning is not reported as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import ADMIN, ADMINS, ME, ORG, START, Ticking, ended, intent, opening

from rolecall.journal.chain import Draft, canonical, link, sha256
from rolecall.journal.opened import _connect
from rolecall.journal.port import AppliedState, Journal, JournalError
from rolecall.model.run import Opening
from rolecall.model.sighting import Sighting

Change = Callable[..., int]


def fill(journal: Journal) -> int:
    """One whole run: intents, outcomes, memory, a sighting, the end."""
    number = journal.begin(opening())
    with journal.lock(ORG, ME) as held:
        held.intend(number, [intent(1, number), intent(2, number)])
        journal.settle(number, [ended(1), ended(2)])
        held.remember(number, AppliedState({ADMINS: ADMIN}, group_ids={"Writer-Admins": f"g{number}"}, config="c"))
    journal.sight(number, Sighting(START))
    journal.close_run(number, "done")
    return number


@pytest.fixture
def change(url: str, tmp_path: Path, journal: Journal) -> Iterator[Change]:
    """SQL behind the journal's back."""
    database = _connect(url, tmp_path)
    yield database.change
    database.close()


def test_a_journal_nobody_touched_is_sound(journal: Journal) -> None:
    fill(journal)
    found = journal.verify(ORG)
    run = journal.runs(ORG)[0]
    assert (found.problems, found.entries, found.pruned, found.head) == ((), 9, 0, run.hash)
    assert journal.verify("org_2") == (0, 0, journal.id, ())


TAMPERED: list[tuple[str, str, str]] = [
    ("content", "UPDATE rolecall_entries SET body = '{}' WHERE n = 3", "its content was changed"),
    ("kind", "UPDATE rolecall_entries SET kind = 'ended' WHERE n = 3", "does not match"),
    ("moment", "UPDATE rolecall_entries SET at = '2020' WHERE n = 1", "does not match"),
    ("step", "UPDATE rolecall_entries SET step = 2 WHERE n = 3", "does not match"),
    ("hash", "UPDATE rolecall_entries SET hash = body_hash WHERE n = 4", "does not match"),
    ("missing", "DELETE FROM rolecall_entries WHERE n = 4", "entries 4 to 4 are missing"),
    ("blanked", "UPDATE rolecall_entries SET body = NULL WHERE n = 8", "removed, and no pruning recorded it"),
    ("memory", "UPDATE rolecall_applied SET value = 'null'", "the stored value of idp_groups/Writer-Admins"),
    ("commit", "UPDATE rolecall_applied SET commit_id = 'other'", "the stored value of idp_groups/Writer-Admins"),
    ("forgotten", "DELETE FROM rolecall_applied", "the stored value of idp_groups/Writer-Admins"),
    ("fact", "UPDATE rolecall_memory SET value = '{}'", "the stored value of group_ids"),
    ("run", "DELETE FROM rolecall_runs", "run 1 is only in the list of runs"),
]


@pytest.mark.parametrize(("sql", "said"), [row[1:] for row in TAMPERED], ids=[row[0] for row in TAMPERED])
def test_tampering_is_found(journal: Journal, change: Change, sql: str, said: str) -> None:
    fill(journal)
    assert change(sql) >= 1
    problems = journal.verify(ORG).problems
    assert said in "\n".join(map(str, problems))
    assert all(problem.hint for problem in problems)


def test_an_entry_made_up_at_the_end_is_found(journal: Journal, change: Change) -> None:
    fill(journal)
    change(
        "INSERT INTO rolecall_entries (org_id, n, run, step, kind, at, body, body_hash, hash) "
        "SELECT org_id, 10, run, step, kind, at, body, body_hash, hash FROM rolecall_entries WHERE n = 9"
    )
    assert "entry 10 (run 1, close)" in str(journal.verify(ORG).problems[0])


def test_a_cut_off_end_shows_against_a_head_kept_elsewhere(journal: Journal, change: Change) -> None:
    fill(journal)
    head = journal.verify(ORG).head
    change("DELETE FROM rolecall_entries WHERE n = 9")
    assert journal.verify(ORG).head != head


def test_no_two_entries_can_follow_the_same_one(journal: Journal, change: Change) -> None:
    fill(journal)
    with pytest.raises(Exception, match=r"(?i)unique"):
        change("INSERT INTO rolecall_entries SELECT * FROM rolecall_entries WHERE n = 9")


def test_another_orgs_chain_is_its_own(journal: Journal, change: Change) -> None:
    fill(journal)
    journal.begin(opening(org_id="org_2"))
    change("UPDATE rolecall_entries SET body = '{}' WHERE n = 1 AND org_id = 'org_2'")
    assert journal.verify(ORG).problems == ()
    assert journal.verify("org_2").problems


def test_pruning_blanks_what_is_old_and_the_chain_still_holds(journal: Journal, clock: Ticking, change: Change) -> None:
    old = fill(journal)
    clock.jump(days=800)
    new = fill(journal)
    entries = journal.verify(ORG).entries
    assert journal.prune(ORG, clock.at - timedelta(days=730)) == 1
    found = journal.verify(ORG)
    # all 9 but the memory's entry and the access record that the second run repeats
    assert (found.problems, found.entries, found.pruned) == ((), entries + 1, 7)
    assert (journal.run(old), journal.plan(old)) == (None, None)
    assert [run.id for run in journal.runs(ORG)] == [new]
    assert [sighting.run for sighting in journal.sightings(ORG)] == [new]
    assert journal.applied(ORG).config == {ADMINS: "c"}
    assert journal.prune(ORG, clock.at - timedelta(days=730)) == 0
    assert journal.begin(Opening(ORG, "drift")) == new + 1


def test_pruning_leaves_open_steps_and_the_last_run(journal: Journal, clock: Ticking) -> None:
    broken = journal.begin(opening())
    with journal.lock(ORG, ME) as held:
        held.intend(broken, [intent(1, broken)])
    crashed = journal.begin(opening())
    last = fill(journal)
    clock.jump(days=800)
    assert journal.prune(ORG, clock.at) == 1
    assert [run.id for run in journal.runs(ORG)] == [last, broken]
    assert journal.run(crashed) is None
    journal.settle(broken, [ended(1, "not_done")])
    assert journal.prune(ORG, clock.at) == 1
    assert journal.verify(ORG).problems == ()


def test_tampering_after_pruning_is_still_found(journal: Journal, clock: Ticking, change: Change) -> None:
    fill(journal)
    clock.jump(days=800)
    fill(journal)
    journal.prune(ORG, clock.at - timedelta(days=730))
    change("UPDATE rolecall_entries SET body = NULL WHERE n = 15")
    change("UPDATE rolecall_entries SET at = '2020' WHERE n = 2")
    assert len(journal.verify(ORG).problems) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE rolecall_entries SET body = '{}' WHERE n = 1",
        "UPDATE rolecall_entries SET body = 'no json' WHERE n = 3",
        "UPDATE rolecall_entries SET at = '' WHERE n = 4",
        "UPDATE rolecall_entries SET step = 9 WHERE n = 5",
        "UPDATE rolecall_entries SET body = '[]' WHERE n = 9",
    ],
)
def test_reading_what_was_changed_says_so(journal: Journal, change: Change, sql: str) -> None:
    fill(journal)
    change(sql)
    with pytest.raises(JournalError, match="history --verify"):
        journal.runs(ORG)


texts = st.text(max_size=8)
numbers = st.integers(0, 2**63)


@given(texts, texts, numbers, st.builds(Draft, numbers, numbers, texts, texts, texts), texts)
def test_a_link_hashes_the_canonical_list(before: str, org_id: str, n: int, draft: Draft, body_hash: str) -> None:
    parts = [before, org_id, n, draft.run, draft.step, draft.kind, draft.at, body_hash]
    assert link(before, org_id, n, draft, body_hash) == sha256(canonical(parts))
