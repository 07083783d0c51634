"""The one small adapter under the journal: SQL with ``?``, transactions, and locks that die with their holder."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, Protocol

from rolecall.errors import Problem
from rolecall.journal.port import JournalError

Row = tuple[Any, ...]


class Database(Protocol):
    """A connection. Statements use ``?`` for parameters; SQL is what SQLite and PostgreSQL have in common."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]: ...

    @property
    def place(self) -> str:
        """Where it is, for messages; never with a password."""

    @property
    def connected(self) -> bool:
        """Whether the connection still stands, as far as the client knows."""

    def select(self, sql: str, *params: Any) -> list[Row]:
        """The rows of a query, or of a statement with RETURNING."""

    def stream(self, sql: str, *params: Any) -> Generator[Row]:
        """The rows of a query, some at a time. Only inside a transaction or a snapshot."""

    def change(self, sql: str, *params: Any) -> int:
        """Run a statement; answers how many rows it touched."""

    def insert(self, sql: str, values: list[Row]) -> None:
        """Run one INSERT for many rows."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commits at the end, rolls back on an exception. Not to be nested."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Queries inside all see one moment; nothing may be written. Not to be nested."""

    def serialise(self, name: str) -> None:
        """Inside a transaction: wait until no other transaction that asked for the same name is under way."""

    def grab(self, name: str, patience: float) -> bool:
        """Take the lock of that name, waiting up to ``patience`` seconds. It is held until released or until this
        process or its connection is gone, never by time."""

    def release(self, name: str) -> None:
        """Let go of a lock; nothing happens when it is not held."""

    def holds(self, name: str) -> bool:
        """Whether this very session holds the lock. Inside a transaction, for as long as it lasts."""

    def taken(self, name: str) -> bool:
        """Whether anybody holds the lock."""

    def give_back(self) -> None:
        """Give space that nothing uses any more back, as far as that is possible. Not inside a transaction."""

    def size(self) -> int:
        """Return the bytes of a SQLite file, or those of the journal's tables in PostgreSQL with their indexes."""

    def close(self) -> None:
        """Let go of the connection and of every lock."""


UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)
"""What decoding of content that was changed or damaged may raise."""


@contextmanager
def decoding(place: str, location: str) -> Iterator[None]:
    """Raise a JournalError that names the place and the row if what is decoded inside cannot be."""
    try:
        yield
    except UNREADABLE as error:
        raise damaged(place, location) from error


def damaged(place: str, location: str, message: str = "cannot be read: it was changed or damaged") -> JournalError:
    """Return the JournalError for a row of the journal at a place."""
    return failure("journal_tampered", place, f"is damaged at {location}: {message}", _DAMAGED_HINT)


_DAMAGED_HINT = "Run `rolecall history --verify`, and restore the journal from a backup."


def failure(code: str, place: str, message: str, hint: str) -> JournalError:
    """A JournalError of one problem about the journal at a place."""
    return JournalError(Problem(code, f"the journal {place} {message}", None, hint))
