"""Resolve entries on a day, and match addresses with patterns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from fnmatch import fnmatchcase

from rolecall.model.desired import Desired, Intent
from rolecall.model.policy import Ignore
from rolecall.model.settings import BLANK, UNSET

SOON = timedelta(days=14)
"""The time before its last day in which an entry expires soon."""


class Patterns:
    """Addresses and globs that are matched with many addresses. Those without wildcards are looked up."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._addresses = frozenset(patterns)
        self._globs = tuple(pattern for pattern in self._addresses if not is_plain(pattern))

    def __bool__(self) -> bool:
        return bool(self._addresses)

    def __contains__(self, at: str) -> bool:
        return at in self._addresses or any(fnmatchcase(at, glob) for glob in self._globs)


def is_plain(pattern: str) -> bool:
    """Return whether a pattern has no wildcards."""
    return not any(char in pattern for char in "*?[")


def covers(patterns: Iterable[str], at: str) -> bool:
    """Return whether an address is one of the patterns, or matches one as a glob."""
    return any(at == pattern or fnmatchcase(at, pattern) for pattern in patterns)


def ignored(ignores: Iterable[Ignore], as_of: date) -> tuple[str, ...]:
    """Return the patterns that are ignored on a day; ``until`` is the last day."""
    return tuple(entry.address for entry in ignores if entry.until is None or as_of <= entry.until)


def expired(intent: Intent, as_of: date) -> bool:
    """Return whether an entry has expired; its ``expires`` day, in UTC, is the last one."""
    return intent.expires is not None and intent.expires < as_of


def expires_soon(intent: Intent, as_of: date) -> bool:
    """Return whether an entry holds today and ends within 14 days."""
    return intent.expires is not None and as_of <= intent.expires <= as_of + SOON


def on_day(desired: Desired, as_of: date) -> Desired:
    """Return the desired state with every expired mapping as unmapped."""
    groups = desired.settings.idp_groups
    if groups is UNSET:
        return desired
    lapsed = {
        key: BLANK
        for at, intent in desired.intents.items()
        if intent.expires is not None and expired(intent, as_of) and (key := at.partition("/")[2]) in groups
    }
    if not lapsed:
        return desired
    return desired._replace(settings=replace(desired.settings, idp_groups={**groups, **lapsed}))
