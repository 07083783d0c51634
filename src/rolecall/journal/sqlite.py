"""The journal's adapter for SQLite: one file, one writer, any file system; and flock beside it as the lock."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

from rolecall.journal.database import Row, failure
from rolecall.journal.port import JournalError

_BUSY = 10.0
_POLL = 0.05


class SqliteDatabase:
    """A connection to a file, made readable by its owner alone. May be used by several threads, one at a time."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path) -> None:
        self.place = f"sqlite:{path}"
        self.connected = True
        self._path = path
        self._threads = threading.RLock()
        self._locks: dict[str, int] = {}
        self._connection = self._open()
        self._file = _identity(path)

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
            # One writer on any file system: a rollback journal, not WAL. EXTRA is FULL and also syncs the folder after
            # the commit, without which a power cut can bring a committed intent back to nothing.
            for pragma in ("journal_mode = DELETE", "synchronous = EXTRA", "secure_delete = ON", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}")
        except (sqlite3.Error, OSError) as error:
            raise failure("journal_open", self.place, f"cannot be opened: {error}", _OPEN_HINT) from error
        return connection

    def rows(self, sql: str, *params: Any) -> list[Row]:
        with self._threads, self._told("read"):
            return self._connection.execute(sql, params).fetchall()

    def change(self, sql: str, *params: Any) -> int:
        with self._threads, self._told("written"):
            return self._connection.execute(sql, params).rowcount

    def insert(self, sql: str, rows: list[Row]) -> None:
        with self._threads, self._told("written"):
            self._connection.executemany(sql, rows)

    def transaction(self) -> AbstractContextManager[None]:
        return self._between("BEGIN IMMEDIATE", "written")

    def snapshot(self) -> AbstractContextManager[None]:
        return self._between("BEGIN", "read")

    @contextmanager
    def _between(self, begin: str, done: str) -> Iterator[None]:
        with self._threads:
            self._same_file()
            with self._told(done):
                self._connection.execute(begin)
            try:
                yield
                with self._told(done):
                    self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.rollback()

    def serialise(self, name: str) -> None:
        """Nothing to do: BEGIN IMMEDIATE lets one writer in."""

    def grab(self, name: str, patience: float) -> bool:
        import fcntl

        end = time.monotonic() + patience
        try:
            handle = os.open(self._lock_file(name), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= end:
                        os.close(handle)
                        return False
                    time.sleep(_POLL)
        except OSError as error:
            raise failure("journal_lock", self.place, f"cannot be locked: {error}", _OPEN_HINT) from error
        self._locks[name] = handle
        return True

    def release(self, name: str) -> None:
        if (handle := self._locks.pop(name, None)) is not None:
            os.close(handle)

    def holds(self, name: str) -> bool:
        """The lock is on a file; it is ours as long as that file still is the one that others would open."""
        handle = self._locks.get(name)
        if handle is None:
            return False
        ours = os.fstat(handle)
        return (ours.st_dev, ours.st_ino) == _identity(self._lock_file(name))

    def taken(self, name: str) -> bool:
        if self.holds(name):
            return True
        if not self._lock_file(name).exists():
            return False
        if not self.grab(name, 0):
            return True
        self.release(name)
        return False

    def close(self) -> None:
        for name in tuple(self._locks):
            self.release(name)
        self.connected = False
        self._connection.close()

    def _lock_file(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return self._path.with_name(f"{self._path.name}.{digest}.lock")

    def _same_file(self) -> None:
        """A deleted file would take writes and lose them all."""
        if _identity(self._path) != self._file:
            raise failure("journal_gone", self.place, "was moved or deleted while in use", "Put it back and run again.")

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error, done) from error

    def _explained(self, error: sqlite3.Error, done: str) -> JournalError:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            hint = "Free some space, then run the command again."
        elif name.startswith("SQLITE_BUSY"):
            hint = "Another process writes to it without end; stop that one, then run again."
        else:
            hint = _OPEN_HINT
        return failure("journal_" + done, self.place, f"cannot be {done}: {error}", hint)


_OPEN_HINT = "Check `journal.url` in the config, and the rights on the file and its folder."


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
