"""Opens the database and starts transactions; see the package's docstring."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rolecall.errors import OrgError, Problem
from rolecall.localorg.store.migrations import migrate
from rolecall.localorg.store.singletons import seed_missing, seed_new

log = logging.getLogger("rolecall.localorg")

BUSY_SECONDS = 15.0
"""The seconds that a writer waits for other writers before it raises Busy."""

_ORG_LOCK = 0x726F6C65
"""The PostgreSQL advisory lock that every writer of one org's database takes ("role" in ASCII)."""


_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
# One statement, as every write pays for each trip to the server; a list of expressions is worked out from the left.
_TAKE_LOCK = text("SELECT set_config('lock_timeout', :wait, true), pg_advisory_xact_lock(:lock)")


class Busy(Exception):
    """The write lock was not free in time; nothing was written."""


class Database:
    """One org's database. Safe to use from many threads; several processes may share it."""

    def __init__(self, engine: Engine, journal_mode: str) -> None:
        self.engine = engine
        self.journal_mode = journal_mode
        """SQLite's answer to the request for WAL; ``postgresql`` for PostgreSQL."""
        self._turn: AbstractContextManager[Any] = nullcontext()
        if engine.dialect.name == "sqlite":
            self._turn = _Turn()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Start a read-only transaction: one snapshot. Raises Busy."""
        with self._connect("BEGIN") as tx:
            if tx.dialect.name == "postgresql":
                tx.execute(_SNAPSHOT)
            yield tx

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Start a short read that needs no common snapshot, such as the check of a token. Raises Busy.

        PostgreSQL is queried without a transaction, which saves three round trips.
        """
        if self.engine.dialect.name == "sqlite":
            with self.read() as tx:
                yield tx
        else:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Start the only write transaction of this org: commits at the end, or rolls back on an exception. Raises
        Busy."""
        with self._turn, self._connect("BEGIN IMMEDIATE") as tx:
            if tx.dialect.name == "postgresql":
                tx.execute(_TAKE_LOCK, {"wait": str(int(BUSY_SECONDS * 1000)), "lock": _ORG_LOCK})
            yield tx

    def settle(self) -> None:
        """Vacuum after a load: PostgreSQL then reads from indexes only, three times as fast."""
        if self.engine.dialect.name == "postgresql":
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM (ANALYZE) users, groups, memberships"))

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()

    @contextmanager
    def _connect(self, begin: str) -> Iterator[Connection]:
        try:
            with self.engine.connect().execution_options(rolecall_begin=begin) as tx, tx.begin():
                yield tx
        except (OperationalError, PoolTimeout) as error:
            if isinstance(error, PoolTimeout) or _is_busy(error):
                raise Busy("the org's database is busy") from error
            raise


class _Turn:
    """Lets the threads of one process write in order, as SQLite's own busy handler only sleeps and tries again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise Busy("the org's database is busy")

    def __exit__(self, *raised: object) -> None:
        self._lock.release()


def open_database(where: str | Path) -> Database:
    """Open, migrate and, when it is new, seed an org's database.

    ``where`` is a path of a SQLite file, ``sqlite:PATH``, ``sqlite:///PATH`` or ``postgresql://…``. A new SQLite file
    is readable by its owner only. Raises OrgError if it cannot be opened or is not an org's database.
    """
    try:
        url = database_url(str(where))
        database = _open_sqlite(url) if url.get_backend_name() == "sqlite" else _open_postgresql(url)
        _bring_up_to_date(database)
    except (ValueError, OSError, SQLAlchemyError, Busy) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        message = f"{shown(str(where))} cannot be opened as a local org: {reason}"
        raise OrgError(Problem("local_unusable", message, hint="check `org.url` or --database")) from error
    return database


def shown(where: str) -> str:
    """Return a database as messages call it: without the name and password that its URL may have."""
    scheme, slashes, location = where.partition("://")
    return f"{scheme}://{location.rpartition('@')[2]}" if slashes else where


def _bring_up_to_date(database: Database) -> None:
    try:
        with database.write() as tx:
            migrate(tx)
            if not seed_new(tx):
                seed_missing(tx)
    except BaseException:
        database.close()
        raise


def database_url(where: str) -> URL:
    """Return the SQLAlchemy URL for any notation of a database. Raises ValueError for an unknown kind."""
    scheme, colon, path = where.partition(":")
    if colon and scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        return make_url(where).set(drivername="postgresql+psycopg")
    if colon and scheme == "sqlite":
        where = path[3:] if path.startswith("///") else path
    elif "://" in where:
        raise ValueError(f"`{scheme}` databases are not supported; use a path, sqlite:PATH or postgresql://…")
    if not where or where == ":memory:":
        raise ValueError("the local org needs a file: its database is its only state")
    return URL.create("sqlite+pysqlite", database=where)


def _open_sqlite(url: URL) -> Database:
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    # 40 threads may serve at once, and each holds at most one connection.
    engine = create_engine(
        url,
        pool_size=8,
        max_overflow=72,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    with engine.connect().execution_options(rolecall_begin=None) as connection:
        return Database(engine, _with_warning(_ask_for_wal(connection)))


def _ask_for_wal(connection: Connection) -> str:
    """Return SQLite's answer to the request for WAL. It needs exclusive access for that, and does not wait for it."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return str(connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar_one())
        except OperationalError as error:
            if not _is_busy(error) or time.monotonic() > end:
                raise
        time.sleep(0.02)


def _with_warning(journal_mode: str) -> str:
    """Return the journal mode, with a warning where it is not WAL: some file systems do not support it."""
    if journal_mode != "wal":
        log.warning("SQLite answered journal mode %s: readers and writers wait for each other", journal_mode)
    return journal_mode


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    # No mapped memory: each connection maps the whole file, and four of them count as up to 1 GiB of the process.
    # Pages of 8 KiB, where the file is new: to read all users takes half as many reads of the file as with 4 KiB.
    for pragma in ("busy_timeout = 15000", "synchronous = FULL", "foreign_keys = ON", "page_size = 8192"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("rolecall_begin", "BEGIN")
    if begin is None:
        return
    connection.exec_driver_sql(f"PRAGMA query_only = {int(begin == 'BEGIN')}")
    connection.exec_driver_sql(begin)


def _open_postgresql(url: URL) -> Database:
    # A server that was started again in between is noticed before a request is lost on it.
    return Database(
        create_engine(url, pool_size=8, max_overflow=32, pool_pre_ping=True, hide_parameters=True), "postgresql"
    )


def _is_busy(error: OperationalError) -> bool:
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    return getattr(cause, "sqlstate", None) == "55P03"
