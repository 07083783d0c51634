"""Test that commands that only read work with a journal on a read-only file system, and write nothing elsewhere."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cli_repo import make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import find_journal, open_journal
from rolecall.journal.port import JournalError

READERS = (
    ["plan"],
    ["history"],
    ["history", "1"],
    ["history", "--verify"],
    ["show", "1"],
    ["access", "--at", "2099-01-01"],
    ["why", "bo@tiny.co"],
    ["rollback", "1"],
    ["doctor"],
)


@pytest.fixture
def repo() -> Iterator[Path]:
    """A repository with one run, with every right given back at the end."""
    with tempfile.TemporaryDirectory() as folder:
        made = make_repo(Path(folder) / "repo")
        assert run(["-C", str(made), "apply", "--auto-approve"]) == Exit.OK
        yield made
        for path in (made, *made.rglob("*")):
            path.chmod(0o755)


def frozen(repo: Path, *commands: list[str]) -> list[tuple[int, str]]:
    """Run commands where the journal and its folder cannot be written; the exit code and output of each.

    Root may write anywhere but on a read-only file system, so its commands run in a mount namespace of their own.
    """
    state = repo / ".rolecall"
    mount = f"mount --bind {state} {state} && mount -o remount,ro,bind {state} && "
    if os.getuid() == 0:
        if subprocess.run(["unshare", "-m", "sh", "-c", mount + "true"], capture_output=True).returncode:
            pytest.skip("root needs the right to mount for this")
    else:
        for path in (*state.rglob("*"), state):
            path.chmod(0o555 if path.is_dir() else 0o444)
    results = []
    for command in commands:
        words = f"! touch {state}/x 2>&- && exec {sys.executable} -m rolecall -C {repo} {' '.join(command)}"
        line = ["unshare", "-m", "sh", "-c", mount + words] if os.getuid() == 0 else ["sh", "-c", words]
        done = subprocess.run(line, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        results.append((done.returncode, done.stdout + done.stderr))
    return results


def codes(repo: Path) -> list[int]:
    return [run(["-C", str(repo), *command]) for command in READERS]


def test_readers_work_on_a_read_only_file_system(repo: Path) -> None:
    expected = codes(repo)
    results = frozen(repo, *READERS)
    assert [code for code, _ in results] == expected, results
    assert not any("cannot be opened" in text for _, text in results)


def test_a_writer_says_what_it_needs(repo: Path) -> None:
    ((code, text),) = frozen(repo, ["apply", "--auto-approve"])
    assert code == Exit.ERROR
    assert "journal.db cannot be" in text


def test_a_file_that_somebody_set_to_wal_is_read(repo: Path) -> None:
    path = repo / ".rolecall" / "journal.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    assert path.read_bytes()[18] == 2
    (result,) = frozen(repo, ["history", "--verify"])
    assert result[0] == Exit.OK, result


def test_reading_leaves_the_file_as_it_is(repo: Path) -> None:
    path = repo / ".rolecall" / "journal.db"
    before = (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.glob("journal*")))
    codes(repo)
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.glob("journal*"))) == before


def test_a_reader_refuses_to_write(repo: Path) -> None:
    journal = find_journal("sqlite:.rolecall/journal.db", repo)
    assert journal is not None
    with journal, pytest.raises(JournalError, match="readonly database"):
        journal.keep("org_1", "x", 1)


def test_what_a_crash_left_behind_is_rolled_back_where_that_can_be_done(repo: Path) -> None:
    path = repo / ".rolecall" / "journal.db"
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size = 1')\n"
        "c.execute('BEGIN IMMEDIATE')\n"
        'c.execute("UPDATE rolecall_entries SET body = body || hex(zeroblob(20000))")\n'
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.with_name("journal.db-journal").stat().st_size > 0
    assert run(["-C", str(repo), "history", "--verify"]) == Exit.OK


def test_tables_of_an_earlier_version_are_read_without_a_writer(repo: Path) -> None:
    path = repo / ".rolecall" / "journal.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE rolecall_meta SET value = '1' WHERE name = 'version'")
        database.execute("DROP TABLE rolecall_audit")
        database.execute("DROP TABLE rolecall_audit_position")
    before = path.read_bytes()
    assert run(["-C", str(repo), "history", "--verify"]) == Exit.OK
    assert path.read_bytes() == before
    with open_journal("sqlite:.rolecall/journal.db", repo):
        pass
    assert path.read_bytes() != before
