"""Opens a journal by its url."""

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
    return datetime.now(UTC)


def open_journal(url: str, base: Path, *, clock: Clock = utc_now) -> Journal:
    """The journal at ``sqlite:PATH`` (relative to ``base``) or ``postgresql://...``, made or brought up to date.

    Raises JournalError when it cannot be opened, is of a newer version, or is something else.
    """
    from rolecall.journal.store import SqlJournal
    from rolecall.journal.tables import migrate

    database = _connect(url, base)
    try:
        return SqlJournal(database, migrate(database), clock)
    except BaseException:
        database.close()
        raise


def find_journal(url: str, base: Path, *, clock: Clock = utc_now, writes: bool = False) -> Journal | None:
    """Like open_journal, but makes none: None where there is no journal yet.

    Unless it ``writes``, a file is opened for reading only, and tables of an earlier version are read as they are.
    """
    if url.startswith("sqlite:") and not _is_file(url, base):
        return None
    from rolecall.journal.store import SqlJournal
    from rolecall.journal.tables import identify, migrate, ready

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
    from rolecall.journal.database import failure

    try:
        return stat.S_ISREG(_path(url, base).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        hint = "Check `journal.url` in the config, and the rights on the file and its folder."
        raise failure("journal_open", f"sqlite:{_path(url, base)}", f"cannot be opened: {error}", hint) from error


def _connect(url: str, base: Path, *, writes: bool = True) -> Database:
    from rolecall.journal.port import JournalError

    if url.startswith("sqlite:") and len(url) > len("sqlite:"):
        from rolecall.journal.sqlite import SqliteDatabase

        return SqliteDatabase(_path(url, base), writes=writes)
    if url.startswith(("postgresql:", "postgres:")):
        try:
            from rolecall.journal.postgres import PostgresDatabase
        except ImportError as error:
            hint = "Install it: pip install 'rolecall[postgres]'"
            raise JournalError(Problem("journal_driver", "PostgreSQL needs its driver", None, hint)) from error
        return PostgresDatabase(url)
    hint = "Write sqlite:PATH or postgresql://HOST/DATABASE."
    raise JournalError(Problem("journal_url", "`journal.url` is of no kind that rolecall knows", None, hint))


def _path(url: str, base: Path) -> Path:
    return base / url.removeprefix("sqlite:")
