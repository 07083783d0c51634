"""How much was read, in words: for the header of every report, and as the first sentence where it was not all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rolecall.model.live import COMPLETE, Coverage
from rolecall.plan.coverage import USERS, incomplete_sentence
from rolecall.plan.headline import enumerate_words
from rolecall.report.phrases import visible

_MOST = 9


def header(coverage: Mapping[str, Coverage], counted: Sequence[str]) -> str:
    """``all read: 61 groups``, or ``read: 61 groups; NOT READ: users``. ``counted`` are counts in words."""
    users = coverage.get(USERS, COMPLETE)
    sections = unread_sections(coverage)
    unread = [*sections, *(["users"] if users.state == "unread" else [])]
    if not unread and users.state == "complete":
        return f"all read: {', '.join(counted)}" if counted else "all read"
    words = [f"read: {', '.join(counted)}"] if counted and not sections else []
    words += [f"NOT READ: {', '.join(unread)}"] if unread else []
    words += [users_read(users)] if users.state == "partial" else []
    return "; ".join(words)


def users_read(seen: Coverage) -> str:
    """``NOT READ: users`` or ``PARTIALLY READ: users (48 of 97)``; nothing where all were read."""
    if seen.state == "complete":
        return ""
    part = f" ({seen.read:,} of {seen.total:,})" if seen.read is not None and seen.total is not None else ""
    return "NOT READ: users" if seen.state == "unread" else f"PARTIALLY READ: users{part}"


def unread_sections(coverage: Mapping[str, Coverage]) -> list[str]:
    """Return the sections of settings that were not read completely."""
    return [name for name, seen in coverage.items() if name != USERS and seen.state != "complete"]


def sections_sentence(coverage: Mapping[str, Coverage]) -> str:
    """``Incomplete read: sso could not be read, so nothing is known about it.``, or nothing."""
    sections = unread_sections(coverage)
    if not sections:
        return ""
    pronoun = "it" if len(sections) == 1 else "them"
    return (
        f"Incomplete read: {enumerate_words(sections, _MOST)} could not be read, so nothing is known about {pronoun}."
    )


def planned_sentence(coverage: Mapping[str, Coverage]) -> str:
    """``Incomplete read: sso could not be read, so it is not part of this plan.``, or nothing."""
    sections = unread_sections(coverage)
    if not sections:
        return ""
    are = "it is" if len(sections) == 1 else "they are"
    return f"Incomplete read: {enumerate_words(sections, _MOST)} could not be read, so {are} not part of this plan."


def users_sentence(coverage: Mapping[str, Coverage]) -> str:
    """``Users were not read: 403 Forbidden.``, or nothing."""
    return visible(incomplete_sentence(coverage.get(USERS, COMPLETE)) or "")
