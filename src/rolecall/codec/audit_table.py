"""Holds the table of WRITER's documented areas and actions: which sections and fields a record is about.

Records are compared with it by their words. A record with more words than an entry may be about something else, so it
is about the entry's sections, but it shows no field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from rolecall.package_data import package_text

_ACTIONS = 1024
"""The pairs of area and action that are remembered: a log has few different ones, and many records."""
ENTRY: Final = "entry"
"""In the table, instead of a field: the record shows that an entry was created or deleted."""

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_ENDINGS = ("ing", "ed", "es", "s", "e")


@lru_cache(_ACTIONS)
def sections_of(area: str, action: str) -> tuple[str, ...]:
    """Return the sections that a record with this area and action is about; none where the table has no such entry."""
    return tuple(sorted({section for entry in _best(area, action) for section in entry.sections}))


@lru_cache(_ACTIONS)
def is_documented(area: str, action: str) -> bool:
    """Return whether the table has the action, so that it is known which sections it is about, if any."""
    return bool(_best(area, action))


@lru_cache(_ACTIONS)
def sections_of_area(area: str, action: str) -> frozenset[str]:
    """Return the sections that a record may be about by its area alone, whatever its action."""
    every = words_of(area) | words_of(action)
    return frozenset(section for entry in _table() if entry.area <= every for section in entry.sections)


@lru_cache(_ACTIONS)
def changes_of(area: str, action: str) -> Mapping[str, Any] | None:
    """Return the fields that a record with this area and action shows as changed, with their new values.

    A value is None where such a record does not state it. The result is None where the words are not those of an entry,
    or where the table does not say which fields it is about.
    """
    every = words_of(area) | words_of(action)
    changes = [entry.changes for entry in _best(area, action) if entry.vocabulary == every]
    return changes[0] or None if changes and all(each == changes[0] for each in changes) else None


@lru_cache(_ACTIONS)
def role_effect(area: str, action: str) -> str:
    """Return which role a record with this area and action may state: a new one in the ``org`` or a ``team``; ``none``
    if the user leaves. Empty where the words are not those of an entry."""
    every = words_of(area) | words_of(action)
    effects = {entry.role for entry in _best(area, action) if entry.vocabulary == every}
    return effects.pop() if len(effects) == 1 else ""


def is_logged(section: str, field: str, value: Any) -> bool:
    """Return whether the table has an action that sets a field to a value."""
    stated = [entry.changes[field] for entry in _table() if section in entry.sections and field in entry.changes]
    return any(known is None or known == value for known in stated)


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text as they are compared: ``SAMLDomainEnabled`` and ``saml_domain.enable`` are equal."""
    return frozenset(_stem(token.lower()) for token in _TOKEN.findall(text))


class _Entry(NamedTuple):
    """An entry of the table: the words of an area and of an action, and the sections and fields that they are about."""

    area: frozenset[str]
    action: frozenset[str]
    sections: tuple[str, ...]
    changes: Mapping[str, Any]
    role: str

    @property
    def vocabulary(self) -> frozenset[str]:
        return self.area | self.action


def _best(area: str, action: str) -> list[_Entry]:
    """Return the entries with the most words of those that a record has all words of."""
    of_action = words_of(action)
    every = of_action | words_of(area)
    fitting = [entry for entry in _table() if entry.action <= of_action and entry.area <= every]
    most = max((len(entry.vocabulary) for entry in fitting), default=0)
    return [entry for entry in fitting if len(entry.vocabulary) == most]


@cache
def _table() -> tuple[_Entry, ...]:
    import yaml

    entries = yaml.safe_load(package_text("codec/data/audit_events.yaml"))
    return tuple(
        _Entry(
            words_of(e["area"]), words_of(e["action"]), tuple(e["sections"]), e.get("changes", {}), e.get("role", "")
        )
        for e in entries
    )


def _stem(token: str) -> str:
    for _ in range(2):
        ending = next((end for end in _ENDINGS if token.endswith(end) and len(token) > len(end) + 2), "")
        token = token.removesuffix(ending)
    return token
