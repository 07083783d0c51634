"""Write dates as text has them."""

from __future__ import annotations

from datetime import date


def day(moment: date) -> str:
    """Return ``31 Jan 2030``."""
    return f"{moment.day} {moment:%b %Y}"
