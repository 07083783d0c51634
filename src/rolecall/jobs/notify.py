"""Which drifts are news: told once when they come, once when they clear, whatever happens in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from rolecall.journal.port import Journal
from rolecall.plan.coverage import concerns
from rolecall.plan.digest import fingerprint
from rolecall.plan.drift import Drift
from rolecall.plan.drift_found import Alarm, Found

Told = Mapping[str, Mapping[str, Any]]
"""Fingerprint -> what was told: ``what`` (an address or an alarm's name), ``kind``, ``since``."""


@dataclass(frozen=True, slots=True)
class News:
    """What nobody was told yet, and what was told and is no more. ``now`` is what will have been told.

    ``unread`` are sections, and ``people``, that could be read at the last check and could not be read at this one;
    ``undetermined`` is true if this check is the first one that found no record of an apply.
    """

    drifts: tuple[Drift, ...]
    alarms: tuple[Alarm, ...]
    unread: tuple[str, ...]
    undetermined: bool
    cleared: tuple[tuple[str, Mapping[str, Any]], ...]
    now: Told

    @property
    def any(self) -> bool:
        return bool(self.drifts or self.alarms or self.unread or self.undetermined or self.cleared)


def news(found: Found, told: Told) -> News:
    """Compare a look with what was told before. What could not be seen this time is neither news nor cleared."""
    drifts = {row.fingerprint: row for row in found.drifts}
    alarms = {alarm.fingerprint: alarm for alarm in found.alarms}
    unread = {fingerprint("unread", section): section for section in found.unread}
    unknown = () if found.determined else (fingerprint("undetermined"),)
    since = found.at.isoformat()
    now: dict[str, Mapping[str, Any]] = {
        **{key: {"what": row.address, "kind": row.kind, "since": since} for key, row in drifts.items()},
        **{key: {"what": alarm.name, "kind": alarm.kind, "since": since} for key, alarm in alarms.items()},
        **{key: {"what": section, "kind": "unread", "since": since} for key, section in unread.items()},
        **{key: {"what": "last apply", "kind": "undetermined", "since": since} for key in unknown},
    }
    unseen = {
        key: item
        for key, item in told.items()
        if key not in now and (key in found.acknowledged or _unseen(found, item))
    }
    still = {item["what"] for item in now.values() if item["kind"] not in ("unread", "undetermined")}
    gone = ((key, item) for key, item in sorted(told.items()) if key not in now and key not in unseen)
    return News(
        tuple(row for key, row in drifts.items() if key not in told),
        tuple(alarm for key, alarm in alarms.items() if key not in told),
        tuple(section for key, section in unread.items() if key not in told),
        any(key not in told for key in unknown),
        tuple((key, item) for key, item in gone if item["what"] not in still or item["kind"] == "watch"),
        {**now, **unseen, **{key: told[key] for key in now if key in told}},
    )


def note_of(url: str) -> str:
    """The journal's note of what was told at an address; the address itself is a secret and is not kept."""
    return f"drift.told.{sha256(url.encode()).hexdigest()[:16]}"


def told(journal: Journal, org_id: str, url: str) -> Told:
    """What was told at an address before."""
    return journal.recall(org_id, note_of(url), _items) or {}


def _items(value: Any) -> dict[str, Any]:
    """Return the items by their keys. Raises TypeError for anything else."""
    if not all(isinstance(item[name], str) for item in value.values() for name in ("what", "kind", "since")):
        raise TypeError(value)
    return dict(value)


def _unseen(found: Found, item: Mapping[str, Any]) -> bool:
    if item["kind"] in ("watch", "limit", "access_test"):
        return found.sighting is None or not found.sighting.complete
    if item["kind"] in ("unread", "undetermined"):
        return False
    return not found.determined or any(concerns(name, item["what"]) for name in found.unread)
