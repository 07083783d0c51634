"""What a look for drift may show of people. Who changed a setting stays: that is what the org's log is for."""

from __future__ import annotations

from dataclasses import replace

from rolecall.drift.value import DriftReport, UserMovements, Violation
from rolecall.plan.saved.privacy import Shown, mask, redact, veiled
from rolecall.plan.value import Plan, Who


def redact_found(found: DriftReport, mode: Shown, key: bytes = b"") -> DriftReport:
    """What was found, with people by ``names`` (as it is), ``masked`` under a key, or as ``counts``.

    People whom the config itself names, such as required org admins, stay. The sighting goes: it is for the journal.
    """
    if mode == "names":
        return found
    return replace(
        found,
        did=_plan(found.did, mode, key),
        revert=_plan(found.revert, mode, key),
        people=None if found.people is None else _news(found.people, mode, key),
        alarms=tuple(_alarm(alarm, mode, key) for alarm in found.alarms),
        sighting=None if found.sighting is None else replace(found.sighting, holdings=()),
    )


def _plan(plan: Plan | None, mode: Shown, key: bytes) -> Plan | None:
    return None if plan is None else redact(plan, mode, key)


def _news(news: UserMovements, mode: Shown, key: bytes) -> UserMovements:
    return replace(
        news,
        new_admins=tuple(
            sorted((row._replace(who=_who(row.who, mode, key)) for row in news.new_admins), key=lambda row: row.who.id)
        ),
        former_admins=tuple(sorted(_who(who, mode, key) for who in news.former_admins)),
    )


def _alarm(alarm: Violation, mode: Shown, key: bytes) -> Violation:
    if alarm.kind == "access_test":
        return alarm._replace(message=veiled(alarm.message, mode, key))
    if alarm.who is None or alarm.kind == "limit":
        return alarm
    return alarm._replace(who=_who(alarm.who, mode, key))


def _who(who: Who, mode: Shown, key: bytes) -> Who:
    if mode == "counts":
        return Who("", None)
    label = mask(key, who.email or who.id)
    return Who(label, label)
