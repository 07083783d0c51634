"""Defines the adapter below the journal: SQL with ``?``, transactions, and locks that end with their holder."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, Protocol

from rolecall.errors import Problem
from rolecall.journal.port import JournalError

Row = tuple[Any, ...]


class Database(Protocol):
    """A connection. Statements use ``?`` for parameters and only SQL that SQLite and PostgreSQL share."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]: ...

    @property
    def place(self) -> str:
        """Return where it is, for messages; never with a password."""

    @property
    def connected(self) -> bool:
        """Return whether the connection is still open, as far as the client knows."""

    def select(self, sql: str, *params: Any) -> list[Row]:
        """Return the rows of a query, or of a statement with RETURNING."""

    def stream(self, sql: str, *params: Any) -> Generator[Row]:
        """Yield the rows of a query in batches. Only inside a transaction or a snapshot."""

    def change(self, sql: str, *params: Any) -> int:
        """Run a statement; return how many rows it changed."""

    def insert(self, sql: str, values: list[Row]) -> None:
        """Run one INSERT for many rows."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit at the end, or roll back on an exception. Must not be nested."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Let all queries inside see one moment; nothing may be written. Must not be nested."""

    def serialise(self, name: str) -> None:
        """Wait, inside a transaction, until no other transaction that requested the same name is running."""

    def grab(self, name: str, patience: float) -> bool:
        """Acquire the lock of this name, waiting up to ``patience`` seconds. It has no timeout: it is held until it is
        released or until this process or its connection ends.
        """

    def release(self, name: str) -> None:
        """Release a lock; does nothing if it is not held."""

    def holds(self, name: str) -> bool:
        """Return whether this session holds the lock. Inside a transaction, the answer holds until its end."""

    def taken(self, name: str) -> bool:
        """Return whether any session holds the lock."""

    def give_back(self) -> None:
        """Return unused space to the system, as far as possible. Not inside a transaction."""

    def size(self) -> int:
        """Return the size in bytes: of the SQLite file, or of the journal's PostgreSQL tables with their indexes."""

    def close(self) -> None:
        """Close the connection and release all locks."""


UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)
"""Errors that decoding may raise for content that was changed or damaged."""


@contextmanager
def decoding(place: str, location: str) -> Iterator[None]:
    """Raise a JournalError that names the place and the row if decoding inside fails."""
    try:
        yield
    except UNREADABLE as error:
        raise damaged(place, location) from error


def damaged(place: str, location: str, message: str = "cannot be read: it was changed or damaged") -> JournalError:
    """Return the JournalError for a damaged row of the journal."""
    return failure("journal_tampered", place, f"is damaged at {location}: {message}", _DAMAGED_HINT)


_DAMAGED_HINT = "Restore the journal from a backup. To check it: rolecall history --verify"


def failure(code: str, place: str, message: str, hint: str) -> JournalError:
    """Return a JournalError with one problem about the journal at a place."""
    return JournalError(Problem(code, f"the journal {place} {message}", None, hint))
