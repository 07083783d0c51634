"""Test opening a journal: created if missing, migrated, never changed if it is newer or not a journal."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from journals import ORG, opening

from rolecall.journal import database
from rolecall.journal.opened import _connect, find_journal, open_journal
from rolecall.journal.port import Journal, JournalError


def execute(url: str, base: Path, *statements: str) -> None:
    database = _connect(url, base)
    for statement in statements:
        database.change(statement)
    database.close()


def test_finding_makes_nothing(url: str, tmp_path: Path) -> None:
    assert find_journal(url, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    with open_journal(url, tmp_path) as made:
        number = made.begin(opening())
    with pytest.raises(JournalError), made:
        made.runs()
    found = find_journal(url, tmp_path)
    assert found is not None
    with found:
        assert (found.id, [run.id for run in found.runs(ORG)]) == (made.id, [number])


def test_every_journal_has_an_id_of_its_own(tmp_path: Path) -> None:
    with open_journal("sqlite:a.db", tmp_path) as one, open_journal("sqlite:b.db", tmp_path) as two:
        assert one.id != two.id
        assert len(one.id) == 36


def test_a_newer_version_is_refused_untouched(url: str, tmp_path: Path, journal: Journal) -> None:
    execute(url, tmp_path, "UPDATE rolecall_meta SET value = '99' WHERE name = 'version'")
    for way in (open_journal, find_journal):
        with pytest.raises(JournalError, match=r"version 99; this rolecall supports up to version 3\. Update rolecall"):
            way(url, tmp_path)
    execute(url, tmp_path, "UPDATE rolecall_meta SET value = '3' WHERE name = 'version'")
    with open_journal(url, tmp_path) as again:
        assert again.id == journal.id


def test_tables_move_forward_and_keep_what_they_hold(
    url: str, tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = journal.begin(opening())
    journal.close()
    monkeypatch.setattr(
        database, "MIGRATIONS", (*database.MIGRATIONS, ("ALTER TABLE rolecall_runs ADD COLUMN more TEXT",))
    )
    with open_journal(url, tmp_path) as moved:
        assert moved.run(number) is not None
        assert moved.begin(opening()) == number + 1
    monkeypatch.undo()
    with pytest.raises(JournalError, match="tables of version 4"):
        open_journal(url, tmp_path)


def test_a_step_that_fails_leaves_the_old_version(
    url: str, tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.close()
    broken = ("ALTER TABLE rolecall_runs ADD COLUMN more TEXT", "SELECT no_such_thing")
    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, broken))
    with pytest.raises(JournalError, match="cannot be written"):
        open_journal(url, tmp_path)
    monkeypatch.undo()
    with open_journal(url, tmp_path) as again:
        again.begin(opening())


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "org.db") as org:
        org.execute("CREATE TABLE users (id TEXT)")
    org.close()
    with pytest.raises(JournalError, match="a separate file"):
        open_journal("sqlite:org.db", tmp_path)
    assert find_journal("sqlite:org.db", tmp_path) is None
    with sqlite3.connect(tmp_path / "org.db") as org:
        assert org.execute("SELECT name FROM sqlite_master").fetchall() == [("users",)]
    org.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("this is not a database, not even a small one" * 50)
    for way in (open_journal, find_journal):
        with pytest.raises(JournalError, match="file is not a database"):
            way("sqlite:notes.txt", tmp_path)


def test_a_folder_in_the_files_place(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    with pytest.raises(JournalError, match=r"cannot be opened.*Check `journal\.url`"):
        open_journal("sqlite:journal.db", tmp_path)


def test_a_journal_that_was_deleted_under_us_takes_no_more(tmp_path: Path) -> None:
    with open_journal("sqlite:journal.db", tmp_path) as journal:
        (tmp_path / "journal.db").unlink()
        with pytest.raises(JournalError, match="moved or deleted while in use"):
            journal.begin(opening())


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    with open_journal("sqlite:.rolecall/journal.db", tmp_path) as journal:
        journal.begin(opening())
        assert (tmp_path / ".rolecall/journal.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["", "sqlite:", "mysql://x", "journal.db"])
def test_a_url_of_no_known_kind(tmp_path: Path, url: str) -> None:
    with pytest.raises(JournalError, match=r"sqlite:PATH or postgresql://HOST/DATABASE"):
        open_journal(url, tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:s3cret@127.0.0.1:1/db",
        "postgresql://ann:s3cret@127.0.0.1:port/db",
        "postgresql://127.0.0.1:1/db?password=s3cret",
        "postgresql://ann:s3c%ret@127.0.0.1:1/db?what=s3cret",
        "postgresql://ann:s3cret@[::1/db",
    ],
)
def test_no_password_is_ever_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(JournalError) as refused:
        open_journal(url, tmp_path)
    assert "s3c" not in str(refused.value)
    assert "Check `journal.url`" in str(refused.value)


def test_the_place_of_a_postgresql_journal(postgres_url: str, tmp_path: Path) -> None:
    with open_journal(postgres_url + "?application_name=x", tmp_path) as journal:
        host, _, database = postgres_url.removeprefix("postgresql://rolecall@").partition("/")
        assert journal.place == f"postgresql://{host}/{database}"


def test_two_processes_make_one_journal(url: str, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom rolecall.journal.opened import open_journal\n"
        "with open_journal(sys.argv[1], pathlib.Path(sys.argv[2])) as j: print(j.id)"
    )
    command = [sys.executable, "-c", code, url, str(tmp_path)]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert all(said)
    assert len(set(said)) == 1


def test_drivers_are_imported_only_when_used() -> None:
    code = (
        "import sys\nimport rolecall.journal.opened, rolecall.journal.port, rolecall.model.run\n"
        "print([m for m in ('sqlite3', 'psycopg', 'fcntl') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_postgresql_dies_away(postgres_url: str, tmp_path: Path) -> None:
    with open_journal(postgres_url, tmp_path) as journal:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'rolecall'"
            )
        with pytest.raises(JournalError, match="lost its connection"):
            journal.begin(opening())
