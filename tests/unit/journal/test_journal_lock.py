"""Test the lock: one holder for each org, reported while waiting, and nothing is sent once it is lost."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from journals import ADMIN, ADMINS, ME, ORG, intent, opening

from rolecall.journal.opened import open_journal
from rolecall.journal.port import AppliedState, Holder, Journal, LockLost, LockTaken

BO = Holder("bo@acme.com", "ci-7", 99, ci_run="https://ci.example.com/812")


def test_a_second_locker_is_refused_and_told_who_holds_it(journal: Journal, other: Journal) -> None:
    with journal.lock(ORG, ME), pytest.raises(LockTaken) as refused, other.lock(ORG, BO):
        pass
    assert "ann@acme.com on laptop (pid 4711) since 2026-11-22 10:00:01 UTC" in str(refused.value)
    assert "--lock-timeout" in str(refused.value)


def test_another_orgs_lock_is_free(journal: Journal, other: Journal) -> None:
    with journal.lock(ORG, ME) as mine, other.lock("org_2", BO) as theirs:
        mine.check()
        theirs.check()


def test_one_session_cannot_take_a_lock_twice(journal: Journal) -> None:
    with journal.lock(ORG, ME) as held:
        with pytest.raises(LockTaken), journal.lock(ORG, BO):
            pass
        held.check()


def test_a_lock_is_free_after_use_and_after_an_error(journal: Journal, other: Journal) -> None:
    with pytest.raises(ZeroDivisionError), journal.lock(ORG, ME):
        raise ZeroDivisionError
    with other.lock(ORG, BO):
        assert str(journal.holder(ORG)).startswith("bo@acme.com")
    assert journal.holder(ORG) is None


def test_who_waits_is_told_whom_for_and_then_gets_it(journal: Journal, other: Journal) -> None:
    told: list[Holder | None] = []
    got = threading.Event()
    asked = threading.Event()

    def wait() -> None:
        def waiting(holder: Holder | None) -> None:
            told.append(holder)
            asked.set()

        with other.lock(ORG, BO, 30, waiting):
            got.set()

    waiter = threading.Thread(target=wait)
    with journal.lock(ORG, ME):
        waiter.start()
        assert asked.wait(10)
        assert not got.is_set()
    waiter.join(10)
    assert got.is_set()
    assert [holder.who for holder in told if holder] == ["ann@acme.com"]


def test_waiting_ends_at_its_time(journal: Journal, other: Journal) -> None:
    with journal.lock(ORG, ME), pytest.raises(LockTaken, match=r"after 0\.05 seconds"), other.lock(ORG, BO, 0.05):
        pass


def test_closing_the_journal_lets_go(url: str, tmp_path: Path, journal: Journal) -> None:
    first = open_journal(url, tmp_path)
    with first.lock(ORG, ME) as held:
        first.close()
        with journal.lock(ORG, BO):
            pass
        with pytest.raises(LockLost):
            held.check()


@pytest.fixture
def lose(url: str, tmp_path: Path) -> Callable[[], None]:
    """Takes the lock away from whoever holds it: ends the backend, or puts another file in the lock's place."""

    def postgres() -> None:
        with psycopg.connect(url, autocommit=True) as admin:
            found = admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'rolecall' AND datname = current_database()"
            ).fetchall()
            assert found

    def sqlite() -> None:
        (file,) = (tmp_path / ".rolecall").glob("*.lock")
        shutil.copy(file, tmp_path / "copy")
        (tmp_path / "copy").replace(file)

    return postgres if url.startswith("postgresql") else sqlite


def test_a_lost_lock_stops_the_intent_and_writes_nothing(
    url: str, tmp_path: Path, journal: Journal, lose: Callable[[], None]
) -> None:
    number = journal.begin(opening())
    with journal.lock(ORG, ME) as held:
        held.intend(number, [intent(1)])
        lose()
        with open_journal(url, tmp_path) as other, other.lock(ORG, BO):
            with pytest.raises(LockLost, match="journal"):
                held.intend(number, [intent(2)])
            with pytest.raises(LockLost):
                held.remember(number, AppliedState({ADMINS: ADMIN}))
            with pytest.raises(LockLost):
                held.check()
            assert [step.number for step in other.open_steps(ORG)] == [1]
            assert other.records(ORG) == ()
            assert other.verify(ORG).problems == ()


def test_releasing_a_lost_lock_is_no_error(journal: Journal, lose: Callable[[], None]) -> None:
    with journal.lock(ORG, ME):
        lose()


def test_intents_are_recorded_all_or_none(journal: Journal, other: Journal) -> None:
    number = journal.begin(opening())
    with journal.lock(ORG, ME) as held:
        held.intend(number, [intent(1), intent(2)])
        held.intend(number, [])
    assert [step.number for step in other.open_steps(ORG)] == [1, 2]
