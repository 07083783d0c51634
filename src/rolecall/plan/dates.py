"""Write dates as text has them."""

from __future__ import annotations

from datetime import date, datetime


def day(moment: date) -> str:
    """Return ``31 Jan 2030``."""
    return f"{moment.day} {moment:%b %Y}"


def moment_words(at: datetime) -> str:
    """Return ``22 Nov 2026, 12:03 UTC``."""
    return f"{day(at)}, {at:%H:%M} UTC"
