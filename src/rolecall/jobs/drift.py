"""Look for drift: read the org, ask who moved what, tell what it means, and what of it is news.

Handed a Reader, so it cannot write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from rolecall.drift.compare import Drift, attributed, lifecycle
from rolecall.drift.scan import DriftResult, DriftScan, Past, drifted, scan
from rolecall.drift.value import DriftReport, Violation
from rolecall.errors import ConfigError, Misuse, OrgError, Problem, Where
from rolecall.jobs.memory import DriftMemory
from rolecall.jobs.people import left_out, people_or_unread
from rolecall.jobs.plan import PlanRequest, read_plan_input
from rolecall.journal.port import Journal
from rolecall.live.port import Audit
from rolecall.model.authorship import Blame
from rolecall.model.desired import NOTHING_APPLIED, Applied
from rolecall.model.directory import EVERYBODY
from rolecall.model.outcome import Event
from rolecall.model.settings import Address
from rolecall.plan.coverage import concerns
from rolecall.plan.inputs import PlanInput
from rolecall.plan.lint.names import flag_problems, known_addresses, unmatched_names
from rolecall.plan.saved.digest import fingerprint

SLACK = timedelta(minutes=5)
"""How far the org's clock and ours may be apart when an event is laid beside a run."""


@dataclass(frozen=True, slots=True)
class DriftRequest:
    """One look, with the request for a plan of the config; what was applied is taken from the memory.

    ``audit`` is None where nobody can be asked; ``blame`` gives who wrote a line of the config. ``ignore`` are
    addresses or globs.
    """

    planning: PlanRequest
    memory: DriftMemory
    audit: Audit | None
    blame: Callable[[Where], Blame | None] = lambda _: None
    ignore: tuple[str, ...] = ()
    include_unapplied: bool = False


@dataclass(frozen=True, slots=True)
class Drifts:
    """What was found, and the inquiry it was found from: `--accept` judges by it."""

    drift_result: DriftResult
    drift_scan: DriftScan


async def check_drift(request: DriftRequest) -> Drifts:
    """Look once. Raises OrgError for an org that is not the one named, ConfigError for names it does not have and for
    two entries of one group, Misuse for an address of `--ignore` that nothing has."""
    known = cache(request.memory.past)
    planning = request.planning
    first = await read_plan_input(replace(planning, applied=lambda org_id: _applied(known(org_id))))
    past = known(first.live.facts.org_id)
    name, applied = planning.whose.known(past.memory.applied)
    first = await _with_people(replace(first, applied=applied, config=name), planning)
    unmatched = _unmatched(request, first)
    first = first.resolved
    if first.known.errors:
        raise ConfigError(*first.known.errors)
    inquiry = DriftScan(first, past, {}, request.ignore, request.include_unapplied, unmatched)
    rows = drifted(inquiry)
    if rows:
        inquiry = await _with_events(inquiry, request, rows)
    drift_result = scan(inquiry)
    written = _written(drift_result.report.entries, request.blame)
    return Drifts(replace(drift_result, report=replace(drift_result.report, written=written)), inquiry)


def _unmatched(request: DriftRequest, asked: PlanInput) -> tuple[Problem, ...]:
    """Return warnings about names that match nothing. Raises Misuse for an address of `--ignore` that nothing has."""
    known = known_addresses(asked.desired, asked.live, asked.applied)
    problems = tuple(flag_problems("--ignore", request.ignore, known, globs=False))
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise Misuse(*errors)
    return (*problems, *unmatched_names(asked.desired, asked.live, asked.applied, asked.as_of))


def _applied(past: Past) -> Applied:
    """What rolecall applied, of which the whole is read; a baseline in its place was applied by nobody."""
    return NOTHING_APPLIED if past.memory.baseline else past.memory.applied


async def _with_people(asked: PlanInput, request: PlanRequest) -> PlanInput:
    """With all users; where they cannot be read the directory says so, and settings that drifted are told anyway."""
    if request.people is None:
        return asked
    directory = await people_or_unread(request.people, request.org, asked.live, EVERYBODY)
    warnings = (*asked.warnings, *left_out(directory))
    return replace(asked, directory=directory, scope=EVERYBODY, warnings=warnings)


async def _with_events(inquiry: DriftScan, request: DriftRequest, rows: Sequence[Drift]) -> DriftScan:
    """With the org's last write to each address; where its log cannot be read, with a word about that."""
    if request.audit is None or inquiry.past.basis.at is None:
        return inquiry
    known, base = inquiry.plan_input.known, inquiry.past.basis.at
    recorded = request.memory.recorded(inquiry.plan_input.live.facts.org_id)
    moments = {known.present_address(at): when for at, when in recorded.items()}
    since = min([base, *(moments.get(row.address, base) for row in rows)]) - SLACK
    try:
        events = await request.audit.since(since)
    except OrgError as error:
        message = f"who changed what is not known: {error.problems[0].message}"
        problem = Problem("audit_unread", message, severity="warning")
        return replace(inquiry, warnings=(*inquiry.warnings, problem))
    past, found = inquiry.past, _last(attributed(events, known, inquiry.past.roster), moments, base)
    keys = frozenset(event.key for event in found.values() if event.key and request.memory.has_sent(event.key))
    groups = lifecycle(events) if past.memory.baseline else None
    past = replace(past, memory=replace(past.memory, keys=keys, lifecycle=groups))
    return replace(inquiry, past=past, events=found)


def _last(
    events: Iterable[tuple[Address, Event]], moments: Mapping[Address, datetime], base: datetime
) -> dict[Address, Event]:
    """The last event of each address since it was recorded; events come newest first."""
    found: dict[Address, Event] = {}
    for at, event in events:
        if event.at >= moments.get(at, base) - SLACK:
            found.setdefault(at, event)
    return found


def _written(rows: Iterable[Drift], blame: Callable[[Where], Blame | None]) -> dict[Address, Blame]:
    places = ((row.address, row.source) for row in rows if row.source is not None and row.source.line)
    return {at: said for at, where in places if (said := blame(where)) is not None}


Told = Mapping[str, Mapping[str, Any]]
"""Fingerprint -> what was told: ``what`` (an address or an alarm's name), ``kind``, ``since``."""


@dataclass(frozen=True, slots=True)
class News:
    """What nobody was told yet, and what was told and is no more. ``now`` is what will have been told.

    ``unread`` are sections, and ``people``, that could be read at the last check and could not be read at this one;
    ``undetermined`` is true if this check is the first one that found no record of an apply.
    """

    drifts: tuple[Drift, ...]
    alarms: tuple[Violation, ...]
    unread: tuple[str, ...]
    undetermined: bool
    cleared: tuple[tuple[str, Mapping[str, Any]], ...]
    now: Told

    @property
    def any(self) -> bool:
        return bool(self.drifts or self.alarms or self.unread or self.undetermined or self.cleared)


def news(found: DriftReport, told: Told) -> News:
    """Compare a look with what was told before. What could not be seen this time is neither news nor cleared."""
    told = _renewed(told, found.drifts)
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
        {**now, **unseen, **{key: {**now[key], "since": told[key]["since"]} for key in now if key in told}},
    )


def _renewed(told: Told, drifts: Iterable[Drift]) -> Told:
    """Return what was told, with that which was told under a former fingerprint of a drift under its present one."""
    present = {former: row.fingerprint for row in drifts for former in row.former_fingerprints}
    return {present.get(key, key): item for key, item in told.items()}


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


def _unseen(found: DriftReport, item: Mapping[str, Any]) -> bool:
    if item["kind"] in ("watch", "limit", "access_test"):
        return found.sighting is None or not found.sighting.complete
    if item["kind"] in ("unread", "undetermined"):
        return False
    return not found.determined or any(concerns(name, item["what"]) for name in found.unread)
