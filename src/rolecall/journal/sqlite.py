"""Implements the journal's database on SQLite: one file, one writer, any file system; the lock is an flock on a second
file.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from rolecall.journal.database import CHECK_URL, Row, failure
from rolecall.journal.port import JournalError

_PRAGMAS = (
    "auto_vacuum = INCREMENTAL",
    "journal_mode = DELETE",
    "synchronous = EXTRA",
    "secure_delete = ON",
    "foreign_keys = ON",
)
_BUSY = 10.0
_POLL = 0.05
_INCREMENTAL = 2
"""The value of `PRAGMA auto_vacuum` for a file that can release single pages."""


class SqliteDatabase:
    """A connection to a file that only its owner can read. Several threads may use it, one at a time."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self.place = f"sqlite:{path}"
        self.connected = True
        self._path = path
        self._threads = threading.RLock()
        self._locks: dict[str, int] = {}
        self._connection = self._open() if writes else self._open_for_reading()
        self._file = _identity(path)

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            connection = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
            # One writer on any file system: a rollback journal, not WAL. EXTRA is FULL and also syncs the folder after
            # the commit. Otherwise a power cut could undo a committed intent.
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            raise failure("journal_open", self.place, f"cannot be opened: {error}", _open_hint(error)) from error
        return connection

    def _open_for_reading(self) -> sqlite3.Connection:
        """Open the file without ever writing to it or its folder, which may be on a read-only file system.

        Rolling back an interrupted write is left to a process that can write.
        """
        try:
            return self._readable("mode=ro")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            name = getattr(error, "sqlite_errorname", "")
            if name in _NEEDS_A_WRITER and os.access(self._path, os.W_OK) and os.access(self._path.parent, os.W_OK):
                return self._open()
            if name == "SQLITE_CANTOPEN" and not self._has_file("-wal") and not self._has_file("-journal"):
                return self._immutable()
            raise failure("journal_open", self.place, f"cannot be opened: {error}", _open_hint(error)) from error

    def _readable(self, how: str) -> sqlite3.Connection:
        uri = f"{self._path.absolute().as_uri()}?{how}"
        connection = sqlite3.connect(uri, timeout=_BUSY, isolation_level=None, check_same_thread=False, uri=True)
        try:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    def _immutable(self) -> sqlite3.Connection:
        """Return whether the file is in WAL mode and complete, where no process can create the WAL files."""
        try:
            return self._readable("mode=ro&immutable=1")
        except sqlite3.Error as error:
            raise failure("journal_open", self.place, f"cannot be opened: {error}", CHECK_URL) from error

    def _has_file(self, ending: str) -> bool:
        """Return whether SQLite's file with this suffix exists and is not empty."""
        path = self._path.with_name(self._path.name + ending)
        return path.exists() and path.stat().st_size > 0

    def select(self, sql: str, *params: Any) -> list[Row]:
        with self._threads, self._translated("read"):
            return self._connection.execute(sql, params).fetchall()

    def stream(self, sql: str, *params: Any) -> Generator[Row]:
        with self._threads, self._translated("read"):
            yield from self._connection.execute(sql, params)

    def change(self, sql: str, *params: Any) -> int:
        with self._threads, self._translated("written"):
            return self._connection.execute(sql, params).rowcount

    def insert(self, sql: str, rows: list[Row]) -> None:
        with self._threads, self._translated("written"):
            self._connection.executemany(sql, rows)

    def transaction(self) -> AbstractContextManager[None]:
        return self._between("BEGIN IMMEDIATE", "written")

    def snapshot(self) -> AbstractContextManager[None]:
        return self._between("BEGIN", "read")

    @contextmanager
    def _between(self, begin: str, done: str) -> Iterator[None]:
        with self._threads:
            self._same_file()
            with self._translated(done):
                self._connection.execute(begin)
            try:
                yield
                with self._translated(done):
                    self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.rollback()

    def serialise(self, name: str) -> None:
        """Do nothing: BEGIN IMMEDIATE allows only one writer."""

    def grab(self, name: str, patience: float) -> bool:
        """Take the lock of a name within ``patience`` seconds; return whether it was free. Raises JournalError."""
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
            raise failure("journal_lock", self.place, f"cannot be locked: {error}", CHECK_URL) from error
        self._locks[name] = handle
        return True

    def release(self, name: str) -> None:
        if (handle := self._locks.pop(name, None)) is not None:
            os.close(handle)

    def holds(self, name: str) -> bool:
        """Return whether the lock is held. It is on a file, and counts only while that file is the one that others
        would open.
        """
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
        return not self._could_lock(name)

    def _could_lock(self, name: str) -> bool:
        """Return whether the lock is free. The file is opened read-only, because it may be on a read-only file
        system.
        """
        import fcntl

        try:
            handle = os.open(self._lock_file(name), os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            finally:
                os.close(handle)
        except OSError as error:
            raise failure("journal_lock", self.place, f"cannot be locked: {error}", CHECK_URL) from error
        return True

    def size(self) -> int:
        return self._path.stat().st_size

    def give_back(self) -> None:
        """Return unused pages to the file system.

        A file of 0.1.0 cannot release pages; it is rewritten once a quarter of it is unused. If there is no space for
        that, or another process reads, the next prune tries again.
        """
        with self._threads, suppress(sqlite3.Error):
            unused, pages, mode = (self._pragma(name) for name in ("freelist_count", "page_count", "auto_vacuum"))
            if mode == _INCREMENTAL:
                self._connection.executescript("PRAGMA incremental_vacuum")  # execute() would free one page
            elif unused * 4 > pages:
                self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                self._connection.execute("VACUUM")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def close(self) -> None:
        for name in tuple(self._locks):
            self.release(name)
        self.connected = False
        self._connection.close()

    def _lock_file(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return self._path.with_name(f"{self._path.name}.{digest}.lock")

    def _same_file(self) -> None:
        """Raise unless the file is the same. A deleted file would accept writes and lose all of them."""
        if _identity(self._path) != self._file:
            raise failure(
                "journal_gone",
                self.place,
                "was moved or deleted while in use",
                "restore it, then run the command again",
            )

    @contextmanager
    def _translated(self, done: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error, done) from error
        except UnicodeDecodeError as error:  # SQLite's message quotes damaged text
            raise failure("journal_damaged", self.place, "is damaged", _DAMAGED_HINT) from error

    def _explained(self, error: sqlite3.Error, done: str) -> JournalError:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            hint = "free some space, then run the command again"
        elif name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or "decode" in str(error):
            hint = _DAMAGED_HINT
        elif name.startswith("SQLITE_BUSY"):
            hint = "stop the process that keeps writing to it, then run the command again"
        else:
            hint = CHECK_URL
        return failure("journal_" + done, self.place, f"cannot be {done}: {error}", hint)


_NEEDS_A_WRITER = ("SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY", "SQLITE_READONLY_CANTINIT")
_DAMAGED_HINT = "restore it from a backup"


def _open_hint(error: Exception) -> str:
    """Return a hint for an error on opening. SQLite's message about a damaged file may quote bytes that Python cannot
    decode.
    """
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or isinstance(error, UnicodeDecodeError):
        return f"{_DAMAGED_HINT}, or {CHECK_URL}"
    if name in _NEEDS_A_WRITER:
        return "run `rolecall history` once where the file and its folder are writable: a write was interrupted"
    return CHECK_URL


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
