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
from rolecall.model.change import Event
from rolecall.model.desired import NOTHING_APPLIED, Applied
from rolecall.model.directory import EVERYBODY
from rolecall.model.lineage import Blame
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
    drifts = drifted(inquiry)
    if drifts:
        inquiry = await _with_events(inquiry, request, drifts)
    drift_result = scan(inquiry)
    written = _authors(drift_result.report.entries, request.blame)
    return Drifts(replace(drift_result, report=replace(drift_result.report, written=written)), inquiry)


def _unmatched(request: DriftRequest, plan_input: PlanInput) -> tuple[Problem, ...]:
    """Return warnings about names that match nothing. Raises Misuse for an address of `--ignore` that nothing has."""
    known = known_addresses(plan_input.desired, plan_input.live, plan_input.applied)
    problems = tuple(flag_problems("--ignore", request.ignore, known, globs=False))
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise Misuse(*errors)
    return (*problems, *unmatched_names(plan_input.desired, plan_input.live, plan_input.applied, plan_input.as_of))


def _applied(past: Past) -> Applied:
    """What rolecall applied, of which the whole is read; a baseline in its place was applied by nobody."""
    return NOTHING_APPLIED if past.memory.baseline else past.memory.applied


async def _with_people(plan_input: PlanInput, request: PlanRequest) -> PlanInput:
    """With all users; where they cannot be read the directory says so, and settings that drifted are told anyway."""
    if request.people is None:
        return plan_input
    directory = await people_or_unread(request.people, request.org, plan_input.live, EVERYBODY)
    warnings = (*plan_input.warnings, *left_out(directory))
    return replace(plan_input, directory=directory, scope=EVERYBODY, warnings=warnings)


async def _with_events(inquiry: DriftScan, request: DriftRequest, drifts: Sequence[Drift]) -> DriftScan:
    """With the org's last write to each address; where its log cannot be read, with a word about that."""
    if request.audit is None or inquiry.past.basis.at is None:
        return inquiry
    known, base = inquiry.plan_input.known, inquiry.past.basis.at
    recorded = request.memory.recorded(inquiry.plan_input.live.facts.org_id)
    moments = {known.present_address(at): when for at, when in recorded.items()}
    since = min([base, *(moments.get(drift.address, base) for drift in drifts)]) - SLACK
    try:
        events = await request.audit.since(since)
    except OrgError as error:
        message = f"who changed what is not known: {error.problems[0].message}"
        problem = Problem("audit_unread", message, severity="warning")
        return replace(inquiry, warnings=(*inquiry.warnings, problem))
    past, last_events = inquiry.past, _last(attributed(events, known, inquiry.past.roster), moments, base)
    keys = frozenset(event.key for event in last_events.values() if event.key and request.memory.has_sent(event.key))
    groups = lifecycle(events) if past.memory.baseline else None
    past = replace(past, memory=replace(past.memory, keys=keys, lifecycle=groups))
    return replace(inquiry, past=past, events=last_events)


def _last(
    events: Iterable[tuple[Address, Event]], moments: Mapping[Address, datetime], base: datetime
) -> dict[Address, Event]:
    """The last event of each address since it was recorded; events come newest first."""
    last_events: dict[Address, Event] = {}
    for at, event in events:
        if event.at >= moments.get(at, base) - SLACK:
            last_events.setdefault(at, event)
    return last_events


def _authors(drifts: Iterable[Drift], blame: Callable[[Where], Blame | None]) -> dict[Address, Blame]:
    places = ((drift.address, drift.source) for drift in drifts if drift.source is not None and drift.source.line)
    return {at: author for at, where in places if (author := blame(where)) is not None}


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


def news(report: DriftReport, notified: Told) -> News:
    """Compare a look with what was told before. What could not be seen this time is neither news nor cleared."""
    notified = _renewed(notified, report.drifts)
    drifts = {drift.fingerprint: drift for drift in report.drifts}
    alarms = {alarm.fingerprint: alarm for alarm in report.alarms}
    unread = {fingerprint("unread", section): section for section in report.unread}
    unknown = () if report.determined else (fingerprint("undetermined"),)
    since = report.at.isoformat()
    now: dict[str, Mapping[str, Any]] = {
        **{key: {"what": drift.address, "kind": drift.kind, "since": since} for key, drift in drifts.items()},
        **{key: {"what": alarm.name, "kind": alarm.kind, "since": since} for key, alarm in alarms.items()},
        **{key: {"what": section, "kind": "unread", "since": since} for key, section in unread.items()},
        **{key: {"what": "last apply", "kind": "undetermined", "since": since} for key in unknown},
    }
    unseen = {
        key: item
        for key, item in notified.items()
        if key not in now and (key in report.acknowledged or _unseen(report, item))
    }
    still = {item["what"] for item in now.values() if item["kind"] not in ("unread", "undetermined")}
    absent = ((key, item) for key, item in sorted(notified.items()) if key not in now and key not in unseen)
    return News(
        tuple(drift for key, drift in drifts.items() if key not in notified),
        tuple(alarm for key, alarm in alarms.items() if key not in notified),
        tuple(section for key, section in unread.items() if key not in notified),
        any(key not in notified for key in unknown),
        tuple((key, item) for key, item in absent if item["what"] not in still or item["kind"] == "watch"),
        {**now, **unseen, **{key: {**now[key], "since": notified[key]["since"]} for key in now if key in notified}},
    )


def _renewed(notified: Told, drifts: Iterable[Drift]) -> Told:
    """Return what was told, with that which was told under a former fingerprint of a drift under its present one."""
    present = {former: drift.fingerprint for drift in drifts for former in drift.former_fingerprints}
    return {present.get(key, key): item for key, item in notified.items()}


def note_of(url: str) -> str:
    """The journal's note of what was told at an address; the address itself is a secret and is not kept."""
    return f"drift.told.{sha256(url.encode()).hexdigest()[:16]}"


def notified(journal: Journal, org_id: str, url: str) -> Told:
    """What was told at an address before."""
    return journal.recall(org_id, note_of(url), _items) or {}


def _items(value: Any) -> dict[str, Any]:
    """Return the items by their keys. Raises TypeError for anything else."""
    if not all(isinstance(item[name], str) for item in value.values() for name in ("what", "kind", "since")):
        raise TypeError(value)
    return dict(value)


def _unseen(report: DriftReport, item: Mapping[str, Any]) -> bool:
    if item["kind"] in ("watch", "limit", "access_test"):
        return report.sighting is None or not report.sighting.complete
    if item["kind"] in ("unread", "undetermined"):
        return False
    return not report.determined or any(concerns(name, item["what"]) for name in report.unread)
