"""Test what a journal stores once, releases when pruned, and reads only when shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from journals import ORG, START, Ticking, opening

from rolecall.jobs.history import past_runs
from rolecall.journal import store as pruning
from rolecall.journal.database import TABLES, Database
from rolecall.journal.opened import _connect, open_journal
from rolecall.journal.port import Anchor, Journal
from rolecall.model.run import RunFacts
from rolecall.model.sighting import Holding, Sighting

ANN = Holding("ann@acme.com", "u1", "org_admin", "IT", ("group:Admins",))
BO = Holding("bo@acme.com", "u2", "org_admin", "IT", ("group:Admins",))


@pytest.fixture
def database(url: str, tmp_path: Path, journal: Journal) -> Iterator[Database]:
    opened = _connect(url, tmp_path)
    yield opened
    opened.close()


def look(journal: Journal, clock: Ticking, *holdings: Holding) -> Sighting:
    number = journal.begin(opening(steps=(), plan=""))
    sighting = Sighting(clock(), holdings, {"org_admin": len(holdings)})
    journal.sight(number, sighting)
    journal.close_run(number, "done")
    return sighting


def bodies(database: Database) -> list[str]:
    return [body for (body,) in database.select("SELECT body FROM rolecall_entries WHERE kind = 'sighting' ORDER BY n")]


def test_an_access_record_equal_to_the_one_before_is_a_reference(
    journal: Journal, clock: Ticking, database: Database
) -> None:
    looks = [look(journal, clock, *who) for who in ((ANN,), (ANN,), (ANN,), (BO,), (ANN,), (ANN,))]
    stored = bodies(database)
    assert [len(body) < 30 for body in stored] == [False, True, True, False, False, True]
    assert stored[1] == stored[2]
    for made in looks:
        before, _ = journal.sighting_at(ORG, made.at)
        assert before is not None
        assert (before.at, before.holdings, before.roles) == (made.at, made.holdings, made.roles)
    assert [row.holdings for row in journal.sightings(ORG)] == [made.holdings for made in looks]
    assert journal.verify(ORG).problems == ()


def test_other_counts_or_an_incomplete_read_are_no_repetition(
    journal: Journal, clock: Ticking, database: Database
) -> None:
    for sighting in (Sighting(START), Sighting(START, complete=False), Sighting(START, teams={"IT": 1})):
        journal.sight(journal.begin(opening()), sighting)
    assert not any("same_as" in body for body in bodies(database))


def test_a_reference_whose_record_is_gone_is_found(journal: Journal, clock: Ticking, database: Database) -> None:
    look(journal, clock, ANN)
    last = look(journal, clock, ANN)
    first = "(SELECT min(n) FROM rolecall_entries WHERE kind = 'sighting')"
    database.change(f"UPDATE rolecall_entries SET body = NULL WHERE n = {first}")
    assert any("refers to the access record" in str(row) for row in journal.verify(ORG).problems)
    with pytest.raises(Exception, match="which is missing"):
        journal.sighting_at(ORG, last.at)


def test_pruning_keeps_a_record_as_long_as_a_newer_run_repeats_it(
    journal: Journal, clock: Ticking, database: Database
) -> None:
    old = look(journal, clock, ANN)
    clock.jump(days=800)
    new = look(journal, clock, ANN)
    assert journal.prune(ORG, clock.at - timedelta(days=730)) == 1
    assert journal.sighting_at(ORG, old.at)[0] is None
    kept, _ = journal.sighting_at(ORG, new.at)
    assert kept is not None
    assert kept.holdings == (ANN,)
    assert journal.verify(ORG).problems == ()
    clock.jump(days=800)
    look(journal, clock, BO)
    assert journal.prune(ORG, clock.at - timedelta(days=730)) == 1
    assert bodies(database)[:2] == [None, None]
    assert journal.verify(ORG).problems == ()


def test_pruning_works_in_batches(journal: Journal, clock: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    for _ in range(8):
        look(journal, clock, ANN)
    clock.jump(days=800)
    look(journal, clock, ANN)
    entries = journal.verify(ORG).entries
    assert journal.prune(ORG, clock.at - timedelta(days=730)) == 8
    found = journal.verify(ORG)
    assert (found.entries, found.problems) == (entries + 3, ())


def filled(path: str, base: Path, clock: Ticking) -> int:
    """The size of a journal of runs with large plans, of which all but one are pruned."""
    with open_journal(path, base, clock=clock) as journal:
        for _ in range(20):
            journal.close_run(journal.begin(opening(plan="x" * 200_000)), "done")
        before = (base / path.removeprefix("sqlite:")).stat().st_size
        clock.jump(days=800)
        journal.begin(opening())
        assert journal.prune(ORG, clock.at - timedelta(days=730)) == 20
        assert journal.verify(ORG).problems == ()
    return before


def test_a_pruned_file_gives_its_space_back(tmp_path: Path, clock: Ticking) -> None:
    before = filled("sqlite:journal.db", tmp_path, clock)
    assert before > 3_000_000
    assert (tmp_path / "journal.db").stat().st_size < before / 10


def test_a_pruned_file_of_an_earlier_version_is_written_anew(tmp_path: Path, clock: Ticking) -> None:
    import sqlite3

    with open_journal("sqlite:journal.db", tmp_path):
        pass
    plain = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    plain.execute("PRAGMA auto_vacuum = NONE")
    plain.execute("VACUUM")
    assert plain.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    plain.close()
    before = filled("sqlite:journal.db", tmp_path, clock)
    assert (tmp_path / "journal.db").stat().st_size < before / 10


def test_runs_of_one_overlay_are_read_until_enough_are_there(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        journal.begin(opening(steps=(), plan="", facts=RunFacts("acme", "prod" if number % 2 else "dev")))
    asked: list[int] = []
    whole = type(journal)._folded

    def counted(self: object, org_id: str, number: int) -> object:
        asked.append(number)
        return whole(self, org_id, number)

    monkeypatch.setattr(type(journal), "_folded", counted)
    assert [run.id for run in past_runs(journal, "prod", 5)] == [300, 298, 296, 294, 292]
    assert len(asked) <= 60
    assert len(past_runs(journal, "dev", None)) == 150


def test_an_anchor_shows_a_cut_off_end(journal: Journal, clock: Ticking, database: Database) -> None:
    look(journal, clock, ANN)
    found = journal.verify(ORG)
    anchor = Anchor(found.entries, found.head)
    look(journal, clock, BO)
    assert journal.verify(ORG, anchor).problems == ()
    later = journal.verify(ORG)
    database.change("DELETE FROM rolecall_entries WHERE run = 2")
    database.change("DELETE FROM rolecall_runs WHERE id = 2")
    assert journal.verify(ORG).problems == ()
    assert journal.verify(ORG, anchor).problems == ()
    (problem,) = journal.verify(ORG, Anchor(later.entries, later.head)).problems
    assert (problem.code, "so the end is missing" in problem.message) == ("journal_cut_off", True)
    look(journal, clock, ANN)
    (changed,) = journal.verify(ORG, Anchor(later.entries, later.head)).problems
    assert "differs from the anchor" in changed.message


def test_the_size_is_that_of_all_that_the_journal_has_stored(
    database: Database, journal: Journal, url: str, tmp_path: Path
) -> None:
    before = journal.size()
    assert before > 0
    for _ in range(3):
        journal.close_run(journal.begin(opening(plan="x" * 400_000)), "done")
    assert journal.size() > before
    if url.startswith("sqlite:"):
        assert journal.size() == (tmp_path / url.removeprefix("sqlite:")).stat().st_size
    else:
        names = [name for (name,) in database.select("SELECT relname FROM pg_stat_user_tables")]
        assert set(names) == set(TABLES)
