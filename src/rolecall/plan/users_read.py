"""How much was read of the users that an answer depends on, and the sentence that says so. Pure."""

from __future__ import annotations

from rolecall.model.directory import Directory
from rolecall.model.live import UNREAD, Coverage

SECTION = "people"
"""The name of users among the sections of a coverage."""


def people_coverage(directory: Directory | None) -> Coverage:
    """Return how much of the users was read; None is a directory that nobody asked for."""
    return UNREAD if directory is None else directory.coverage


def incomplete(seen: Coverage) -> str | None:
    """Return ``Users were not read: 403 Forbidden``, without a full stop, or None where all of them were read."""
    if seen.state == "complete":
        return None
    part = f" ({seen.read:,} of {seen.total:,})" if seen.read is not None and seen.total is not None else ""
    what = "not read" if seen.state == "unread" else f"partially read{part}"
    return f"Users were {what}{f': {seen.problem}' if seen.problem else ''}"


def incomplete_sentence(seen: Coverage) -> str | None:
    """Return the same with a full stop."""
    text = incomplete(seen)
    return None if text is None else text if text.endswith((".", "?", "!")) else f"{text}."
