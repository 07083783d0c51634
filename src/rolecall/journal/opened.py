"""Opens a journal by its URL."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.errors import Problem

if TYPE_CHECKING:
    from rolecall.journal.database import Database
    from rolecall.journal.port import Journal
    from rolecall.journal.store import Clock


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def open_journal(url: str, base: Path, *, clock: Clock = utc_now) -> Journal:
    """Open the journal at ``sqlite:PATH`` (relative to ``base``) or ``postgresql://...``; create or migrate it if
    needed.

    Raises JournalError when it cannot be opened, has a newer version, or is not a journal.
    """
    from rolecall.journal.database import migrate
    from rolecall.journal.store import SqlJournal

    database = _connect(url, base)
    try:
        return SqlJournal(database, migrate(database), clock)
    except BaseException:
        database.close()
        raise


def find_journal(url: str, base: Path, *, clock: Clock = utc_now, writes: bool = False) -> Journal | None:
    """Open a journal like open_journal, but do not create one: return None if it does not exist.

    Unless ``writes`` is set, a file is opened read-only, and tables of an earlier version are read unchanged.
    """
    if url.startswith("sqlite:") and not _is_file(url, base):
        return None
    from rolecall.journal.database import identify, migrate, ready
    from rolecall.journal.store import SqlJournal

    database = _connect(url, base, writes=writes)
    try:
        if ready(database):
            return SqlJournal(database, migrate(database) if writes else identify(database), clock)
    except BaseException:
        database.close()
        raise
    database.close()
    return None


def _is_file(url: str, base: Path) -> bool:
    from rolecall.journal.database import CHECK_URL, failure

    try:
        return stat.S_ISREG(_path(url, base).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise failure("journal_open", f"sqlite:{_path(url, base)}", f"cannot be opened: {error}", CHECK_URL) from error


def _connect(url: str, base: Path, *, writes: bool = True) -> Database:
    from rolecall.journal.port import JournalError

    if url.startswith("sqlite:") and len(url) > len("sqlite:"):
        from rolecall.journal.sqlite import SqliteDatabase

        return SqliteDatabase(_path(url, base), writes=writes)
    if url.startswith(("postgresql:", "postgres:")):
        try:
            from rolecall.journal.postgres import PostgresDatabase
        except ImportError as error:
            hint = "install it: pip install 'rolecall[postgres]'"
            raise JournalError(
                Problem("journal_driver", "the driver for PostgreSQL is not installed", None, hint)
            ) from error
        return PostgresDatabase(url)
    hint = "use sqlite:PATH or postgresql://HOST/DATABASE"
    raise JournalError(Problem("journal_url", "`journal.url` has an unknown scheme", None, hint))


def _path(url: str, base: Path) -> Path:
    return base / url.removeprefix("sqlite:")
