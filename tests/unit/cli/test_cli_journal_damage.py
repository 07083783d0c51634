"""Test a damaged or edited journal: each command reports it, and none crashes."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import open_journal

Capture = pytest.CaptureFixture[str]
COMMANDS = (
    ["history", "--verify"],
    ["history"],
    ["history", "2"],
    ["plan"],
    ["drift"],
    ["access", "--at", "2099-01-01"],
    ["rollback", "2"],
    ["show", "2"],
    ["apply", "--auto-approve"],
)
VALUES: tuple[Any, ...] = (
    "",
    "{}",
    "[]",
    "null",
    "5",
    '"x"',
    "no json",
    '{"kind":null}',
    '{"same_as":9}',
    "2020-01-01",
    "\ud800",
    "[" * 5000,
    5,
    -1,
    2**62,
    1.5,
    b"\xff\xfe",
    b"",
)
UNCHECKED = {("rolecall_holders", "holder"), ("rolecall_holders", "org_id"), ("rolecall_meta", "name")}
"""What is in no chain: who held the lock last, for messages. A name in rolecall_meta is looked up."""


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_repo(tmp_path_factory.mktemp("damage") / "repo")
    assert run(["-C", str(made), "apply", "--auto-approve"]) == Exit.OK
    (made / "rolecall.yaml").write_text(CONFIG.replace("[Brand]", "[Marketing]"), encoding="utf-8")
    assert run(["-C", str(made), "apply", "--auto-approve"]) == Exit.OK
    assert run(["-C", str(made), "drift"]) == Exit.OK
    return made


def places(path: Path) -> list[tuple[str, str, int]]:
    """Table, column and rowid of every value in a journal."""
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'rolecall_%'")]
        return [
            (table, column[1], number)
            for table in tables
            if database.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0] == "table"
            for column in database.execute(f"PRAGMA table_info({table})")
            for (number,) in database.execute(f"SELECT rowid FROM {table}")
        ]


def commands(folder: Path, capsys: Capture, chosen: list[list[str]]) -> Iterator[tuple[list[str], int, str]]:
    for command in chosen:
        for name in ("journal.db", "journal.db-journal"):
            (folder / ".rolecall" / name).unlink(missing_ok=True)
        shutil.copy(folder / "damaged.db", folder / ".rolecall" / "journal.db")
        code = run(["-C", str(folder), *command])
        told = capsys.readouterr()
        yield command, code, told.out + told.err


def check(folder: Path, capsys: Capture, chosen: list[list[str]], about: str) -> dict[str, int]:
    codes = {}
    for command, code, text in commands(folder, capsys, chosen):
        where = f"{about}: {' '.join(command)}: {code}\n{text[-600:]}"
        assert "a bug in rolecall" not in text, where
        assert "Traceback" not in text, where
        if "journal_" in text or "is damaged" in text:
            assert "journal.db" in text, where
        codes[" ".join(command)] = code
    return codes


@pytest.mark.parametrize("seed", range(6))
def test_an_edited_value_is_reported_and_found_by_verify(
    pristine: Path, tmp_path: Path, capsys: Capture, seed: int
) -> None:
    chance = random.Random(seed)
    folder = Path(shutil.copytree(pristine, tmp_path / "repo"))
    source = pristine / ".rolecall" / "journal.db"
    for table, column, number in chance.sample(places(source), 18):
        value = chance.choice(VALUES)
        shutil.copy(source, folder / "damaged.db")
        with closing(sqlite3.connect(folder / "damaged.db", isolation_level=None)) as database:
            (before,) = database.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (number,)).fetchone()
            try:
                sql = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
                database.execute(sql, (value.encode(errors="surrogatepass") if value == "\ud800" else value, number))
            except sqlite3.Error:
                continue
            row = database.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (number,)).fetchone()
            after = row[0] if row else value  # a run's number is the rowid itself
        chosen = [COMMANDS[0], *chance.sample(COMMANDS[1:], 3)]
        about = f"{table}.{column} of row {number}: {before!r:.80} -> {after!r:.80}"
        codes = check(folder, capsys, chosen, about)
        note = table == "rolecall_memory" and _is_note(source, number)
        if before != after and (table, column) not in UNCHECKED and not note:
            assert codes["history --verify"] == Exit.ERROR, about


def _is_note(path: Path, number: int) -> bool:
    """Whether a row of the memory is a command's own note, which is not part of the chain."""
    with closing(sqlite3.connect(path)) as database:
        (name,) = database.execute("SELECT name FROM rolecall_memory WHERE rowid = ?", (number,)).fetchone()
        return str(name).startswith("note:")


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_never_end_in_a_crash(pristine: Path, tmp_path: Path, capsys: Capture, seed: int) -> None:
    chance = random.Random(100 + seed)
    folder = Path(shutil.copytree(pristine, tmp_path / "repo"))
    whole = (pristine / ".rolecall" / "journal.db").read_bytes()
    for _ in range(15):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 4, 64))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        (folder / "damaged.db").write_bytes(bytes(data))
        check(folder, capsys, [COMMANDS[0], *chance.sample(COMMANDS[1:], 3)], "flipped")


@pytest.mark.parametrize("table", ["runs", "entries", "applied", "memory"])
def test_a_row_that_is_gone_is_found_by_verify(pristine: Path, tmp_path: Path, capsys: Capture, table: str) -> None:
    folder = Path(shutil.copytree(pristine, tmp_path / "repo"))
    shutil.copy(pristine / ".rolecall" / "journal.db", folder / "damaged.db")
    with closing(sqlite3.connect(folder / "damaged.db", isolation_level=None)) as database:
        notes = " WHERE name NOT LIKE 'note:%'" if table == "memory" else ""
        database.execute(f"DELETE FROM rolecall_{table} WHERE rowid = (SELECT min(rowid) FROM rolecall_{table}{notes})")
    codes = check(folder, capsys, list(COMMANDS), f"a row of {table} is gone")
    assert codes["history --verify"] == Exit.ERROR


def test_a_write_after_damage_does_not_hide_it(pristine: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(pristine / ".rolecall" / "journal.db", tmp_path / "journal.db"))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE rolecall_entries SET body = '{}' WHERE n = 3")
    with open_journal(f"sqlite:{path}", tmp_path) as journal:
        (org_id,) = journal.orgs()
        journal.keep(org_id, "x", 1)
        assert [problem.code for problem in journal.verify(org_id).problems] == ["journal_tampered"]
