"""The journal when things break: processes killed and paused while they hold the lock, disks that are full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from journals import BRAND, ME, ORG, ended, intent, opening

from rolecall.journal.opened import open_journal
from rolecall.journal.port import JournalError, LockTaken

CHILD = """
import sys
from pathlib import Path
from journals import ORG, Holder, ended, intent, opening
from rolecall.journal.opened import open_journal
from rolecall.journal.port import LockLost
journal = open_journal(sys.argv[1], Path(sys.argv[2]))
with journal.lock(ORG, Holder("the child", "here", 1)) as held:
    run = journal.begin(opening())
    held.intend(run, [intent(1, run)])
    print("ready", flush=True)
    sys.stdin.readline()
    {then}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return "sqlite:.rolecall/journal.db"


@contextmanager
def child(url: str, base: Path, then: str = "pass", code: str = CHILD) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock, has one intent open, and goes on when it gets a line."""
    support = str(Path(__file__).resolve().parents[1] / "support")
    program = code.format(then=textwrap.indent(textwrap.dedent(then), "    ").strip())
    process = subprocess.Popen(
        [sys.executable, "-c", program, url, str(base)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": support},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_a_killed_holder_frees_the_lock_and_leaves_its_intent(url: str, tmp_path: Path) -> None:
    with open_journal(url, tmp_path) as journal, child(url, tmp_path) as holder:
        with pytest.raises(LockTaken, match="the child on here"), journal.lock(ORG, ME):
            pass
        holder.kill()
        with journal.lock(ORG, ME, 10) as held:
            (step,) = journal.open_steps(ORG)
            assert (step.state, step.key) == ("open", f"rolecall/j/{step.run}/1")
            journal.settle(step.run, [ended(1, "not_done")])
            run = journal.begin(opening())
            held.intend(run, [intent(1, run)])
        assert journal.verify(ORG).problems == ()


def test_a_paused_holder_keeps_the_lock(url: str, tmp_path: Path) -> None:
    then = "held.intend(run, [intent(2, run)]); print('sent', flush=True)"
    with open_journal(url, tmp_path) as journal, child(url, tmp_path, then) as holder:
        holder.send_signal(signal.SIGSTOP)
        with pytest.raises(LockTaken, match="the child"), journal.lock(ORG, ME, 0.3):
            pass
        assert len(journal.open_steps(ORG)) == 1
        holder.send_signal(signal.SIGCONT)
        assert holder.communicate("\n", timeout=30)[0] == "sent\n"
        assert [step.number for step in journal.open_steps(ORG)] == [1, 2]
        with journal.lock(ORG, ME, 10):
            pass


def test_a_paused_holder_that_lost_its_lock_sends_nothing_when_it_wakes(postgres_url: str, tmp_path: Path) -> None:
    import psycopg

    then = """
    try:
        held.intend(run, [intent(2, run)])
    except LockLost:
        print("lost", flush=True)
    """
    with open_journal(postgres_url, tmp_path) as journal, child(postgres_url, tmp_path, then) as holder:
        holder.send_signal(signal.SIGSTOP)
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        with journal.lock(ORG, ME, 10):
            holder.send_signal(signal.SIGCONT)
            assert holder.communicate("\n", timeout=30)[0] == "lost\n"
        assert [step.number for step in journal.open_steps(ORG)] == [1]
        assert journal.verify(ORG).problems == ()


HALFWAY = """
import sys
from pathlib import Path
from journals import ORG, Holder, intent, opening
from rolecall.journal.chain import Draft
from rolecall.journal.content import body
from rolecall.journal.opened import open_journal
journal = open_journal(sys.argv[1], Path(sys.argv[2]))
with journal.lock(ORG, Holder("the child")) as held:
    run = journal.begin(opening())
    held.intend(run, [intent(1, run)])
    with journal._database.transaction():
        journal._append(ORG, [Draft(run, 2, "intent", "2026-11-22", body(intent(2, run)))])
        print("ready", flush=True)
        sys.stdin.readline()
"""


def test_killed_in_the_middle_of_a_transaction(url: str, tmp_path: Path) -> None:
    """What was not committed never was."""
    with open_journal(url, tmp_path) as journal, child(url, tmp_path, code=HALFWAY) as holder:
        holder.kill()
        holder.wait()
        with journal.lock(ORG, ME, 10):
            assert [step.number for step in journal.open_steps(ORG)] == [1]
            assert journal.verify(ORG).problems == ()


def test_kill_at_any_moment_leaves_a_sound_chain(tmp_path: Path) -> None:
    """A writer that never stops, killed again and again: every entry is there whole or not at all."""
    then = """
    while True:
        held.intend(run, [intent(1, run)])
        journal.settle(run, [ended(1)])
        print("written", flush=True)
    """
    url = "sqlite:journal.db"
    for kills in range(1, 5):
        with open_journal(url, tmp_path) as journal, child(url, tmp_path, then) as holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            before = journal.verify(ORG).entries
            holder.stdin.write("\n")
            holder.stdin.flush()
            for _ in range(3 * kills):
                assert holder.stdout.readline() == "written\n"
            holder.kill()
            holder.wait()
            found = journal.verify(ORG)
            assert found.problems == ()
            assert found.entries >= before + 6 * kills


FULL = """
import resource, sys
from pathlib import Path
from journals import ORG, Holder, ended, intent, opening
from rolecall.journal.opened import open_journal
from rolecall.journal.port import JournalError
journal = open_journal(sys.argv[1], Path(sys.argv[2]))
file = Path(sys.argv[2]) / "journal.db"
with journal.lock(ORG, Holder("the child")) as held:
    run = journal.begin(opening())
    print("ready", flush=True)
    sys.stdin.readline()
    size = file.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, size + 20_000))
    sent = 0
    try:
        while True:
            held.intend(run, [intent(1, run)])
            sent += 1
    except JournalError as error:
        print(sent, error, flush=True)
"""


def test_a_full_disk_stops_before_the_write_and_loses_nothing(tmp_path: Path) -> None:
    url = "sqlite:journal.db"
    with child(url, tmp_path, code=FULL) as process:
        said = process.communicate("\n", timeout=30)[0]
    sent, _, message = said.partition(" ")
    assert int(sent) > 0
    assert "cannot be written" in message
    assert "Free some space" in message
    with open_journal(url, tmp_path) as journal:
        found = journal.verify(ORG)
        assert (found.problems, found.entries) == ((), 2 + int(sent))
        with journal.lock(ORG, ME) as held:
            held.intend(1, [intent(2)])
        assert journal.open_steps(ORG)[-1].address == BRAND


def test_no_room_to_make_the_journal(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from rolecall.journal.opened import open_journal
from rolecall.journal.port import JournalError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    open_journal(sys.argv[1], Path(sys.argv[2]))
except JournalError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, "sqlite:journal.db", str(tmp_path)], capture_output=True, text=True, timeout=30
    )
    assert "Free some space" in done.stdout
    assert done.stderr == ""
    with open_journal("sqlite:journal.db", tmp_path) as journal:
        assert journal.begin(opening()) == 1


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "shut").write_text("")
    with pytest.raises(JournalError, match="cannot be opened"):
        open_journal("sqlite:shut/journal.db", tmp_path)


def test_many_waiters_one_after_another(url: str, tmp_path: Path) -> None:
    """Processes that all want the lock: each gets it, none while another has it."""
    code = """
import sys
from pathlib import Path
from journals import ORG, Holder, ended, intent, opening
from rolecall.journal.opened import open_journal
with open_journal(sys.argv[1], Path(sys.argv[2])) as journal:
    with journal.lock(ORG, Holder("racer"), 60) as held:
        assert journal.open_steps(ORG) == ()
        run = journal.begin(opening())
        held.intend(run, [intent(1, run)])
        journal.settle(run, [ended(1)])
        journal.close_run(run, "done")
"""
    support = str(Path(__file__).resolve().parents[1] / "support")
    racers = [
        subprocess.Popen([sys.executable, "-c", code, url, str(tmp_path)], env={**os.environ, "PYTHONPATH": support})
        for _ in range(4)
    ]
    assert [racer.wait(timeout=60) for racer in racers] == [0] * 4
    with open_journal(url, tmp_path) as journal:
        assert [run.outcome for run in journal.runs(ORG)] == ["done"] * 4
        assert journal.verify(ORG).problems == ()
