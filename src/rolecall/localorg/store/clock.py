"""The org's clock: RFC 3339 text in UTC, always 27 characters, so that text sorts by time."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(at: datetime) -> str:
    """Return a moment as text, such as ``2026-11-22T10:00:00.000000Z``."""
    # Not strftime: it takes fifty times as long, and each write takes several stamps.
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def now() -> str:
    """Return the current moment as text."""
    return stamp(datetime.now(UTC))
