"""Implements the journal's database on PostgreSQL: one connection writes the journal and holds the session lock."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg import errors

from rolecall.journal.database import RESUME, TABLES, Row, failure
from rolecall.journal.port import JournalError

_AT_ONCE = 50
"""Rows fetched at a time when streaming; one row may have megabytes."""
_HINT = "check `journal.url`, the server, and the permissions of its user"
_SIZE = (
    "SELECT COALESCE(SUM(pg_total_relation_size(oid)), 0) FROM pg_catalog.pg_class "
    "WHERE relkind = 'r' AND pg_table_is_visible(oid) AND relname = ANY(?)"
)


class PostgresDatabase:
    """One connection, which is never replaced, because a new one would not hold the lock. Threads take turns."""

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, url: str) -> None:
        self.place = _without_secrets(url)
        self._threads = threading.RLock()
        self._locks: set[str] = set()
        self._connection = self._open(url)

    def _open(self, url: str) -> psycopg.Connection[Row]:
        try:
            connection = psycopg.connect(
                url,
                autocommit=True,
                application_name="rolecall",
                client_encoding="utf8",
                connect_timeout=10,
                keepalives=1,
                keepalives_idle=30,
                keepalives_interval=10,
                keepalives_count=3,
            )
            connection.execute(_STAY)
            return connection
        except psycopg.ProgrammingError as error:  # its text may quote the URL with the password
            raise failure("journal_open", self.place, "has a URL that PostgreSQL cannot parse", _HINT) from error
        except psycopg.Error as error:
            raise failure("journal_open", self.place, f"cannot be reached: {_line(error)}", _HINT) from error

    @property
    def connected(self) -> bool:
        return not self._connection.closed

    def select(self, sql: str, *params: Any) -> list[Row]:
        with self._threads, self._translated("read"):
            return self._connection.execute(_dialect(sql), params).fetchall()

    def stream(self, sql: str, *params: Any) -> Generator[Row]:
        with self._threads, self._translated("read"), self._connection.cursor(name="rolecall") as cursor:
            cursor.itersize = _AT_ONCE
            yield from cursor.execute(_dialect(sql), params)

    def change(self, sql: str, *params: Any) -> int:
        with self._threads, self._translated("written"):
            return self._connection.execute(_dialect(sql), params).rowcount

    def insert(self, sql: str, rows: list[Row]) -> None:
        with self._threads, self._translated("written"), self._connection.cursor() as cursor:
            cursor.executemany(_dialect(sql), rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._threads, self._translated("written"), self._connection.transaction():
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self.transaction():
            self.change("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def serialise(self, name: str) -> None:
        self.select("SELECT pg_advisory_xact_lock(?::bigint)", _number("order", name))

    def grab(self, name: str, patience: float) -> bool:
        """Wait in PostgreSQL's own queue. The set prevents a session from acquiring its own lock twice."""
        if name in self._locks:
            return False
        end = time.monotonic() + patience
        with self._threads:
            taken = bool(self.select("SELECT pg_try_advisory_lock(?::bigint)", _number("lock", name))[0][0])
            left = end - time.monotonic()
            if not taken and left > 0:
                taken = self._queue(name, left)
            if taken:
                self._locks.add(name)
        return taken

    def _queue(self, name: str, seconds: float) -> bool:
        self.change(f"SET lock_timeout = {max(1, int(seconds * 1000))}")
        try:
            self._connection.execute("SELECT pg_advisory_lock(%s::bigint)", (_number("lock", name),))
        except errors.LockNotAvailable:
            return False
        except psycopg.Error as error:
            raise failure("journal_lock", self.place, f"cannot be locked: {_line(error)}", _HINT) from error
        finally:
            if self.connected:
                self.change("SET lock_timeout = DEFAULT")
        return True

    def release(self, name: str) -> None:
        if name in self._locks:
            self._locks.discard(name)
            with self._threads, suppress(psycopg.Error):  # a closed connection holds nothing
                self._connection.execute("SELECT pg_advisory_unlock(%s::bigint)", (_number("lock", name),))

    def holds(self, name: str) -> bool:
        """Ask the server about the backend that responds, so that a proxy cannot give a wrong result."""
        return name in self._locks and bool(self.select(f"{_HELD} AND pid = pg_backend_pid()", *_halves(name)))

    def taken(self, name: str) -> bool:
        return bool(self.select(_HELD, *_halves(name)))

    def give_back(self) -> None:
        """Do nothing: the server's vacuum reuses the space."""

    def size(self) -> int:
        [(size,)] = self.select(_SIZE, list(TABLES))
        return int(size)

    def close(self) -> None:
        """Unlock first, because the server notices a closed connection with a delay."""
        for name in tuple(self._locks):
            self.release(name)
        self._connection.close()

    @contextmanager
    def _translated(self, done: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._explained(error, done) from error

    def _explained(self, error: psycopg.Error, done: str) -> JournalError:
        if not self.connected:
            return failure("journal_lost", self.place, "lost its connection", RESUME)
        full = isinstance(error, errors.DiskFull)
        hint = "free some space on the server, then run the command again" if full else _HINT
        return failure("journal_" + done, self.place, f"cannot be {done}: {_line(error)}", hint)


_STAY = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
"""A server that ends idle sessions would end the lock of a run that waits for the org. New in PostgreSQL 14."""

_HELD = (
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND mode = 'ExclusiveLock' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid = ?::bigint::oid AND objid = ?::bigint::oid"
)


def _number(use: str, name: str) -> int:
    """Return a signed 64-bit number for a name, as advisory locks require."""
    return int.from_bytes(hashlib.sha256(f"rolecall/{use}/{name}".encode()).digest()[:8], "big", signed=True)


def _halves(name: str) -> tuple[int, int]:
    """Return this number as pg_locks shows it: its upper and lower 32 bits, unsigned."""
    number = _number("lock", name) & 0xFFFF_FFFF_FFFF_FFFF
    return number >> 32, number & 0xFFFF_FFFF


def _dialect(sql: str) -> str:
    """Return SQL with ``?`` in psycopg's form. Statements are constants of this package without other ``?`` or
    ``%``.
    """
    return sql.replace("?", "%s")


def _line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _without_secrets(url: str) -> str:
    """Return host, port and database of a URL; nothing else of it may be shown."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "postgresql"
    return f"postgresql://{parts.hostname or 'localhost'}{port}{parts.path}"
