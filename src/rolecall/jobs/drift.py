"""Check for drift: read the org, find who changed what, what that means, and what is new since the last check.

It gets a Reader, so it cannot write to the org.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from rolecall.drift.compare import Drift, attributed, lifecycle
from rolecall.drift.evidence import look_up
from rolecall.drift.role_events import RoleLog
from rolecall.drift.scan import DriftResult, DriftScan, Past, drifted, scan
from rolecall.drift.value import DriftReport, Violation
from rolecall.drift.writers import FieldWrite, field_writes
from rolecall.errors import ConfigError, Misuse, OrgError, Problem
from rolecall.jobs.idp_side import with_members
from rolecall.jobs.memory import DriftMemory
from rolecall.jobs.people import left_out, people_or_unread
from rolecall.jobs.plan import PlanRequest, read_plan_input
from rolecall.journal.port import Journal
from rolecall.live.port import Audit
from rolecall.model.audit import AuditLog
from rolecall.model.change import Change
from rolecall.model.desired import NOTHING_APPLIED, Applied
from rolecall.model.directory import EVERYBODY
from rolecall.model.evidence import Question
from rolecall.model.kinds import restrict, split_address
from rolecall.model.lineage import Blame
from rolecall.model.outcome import Event
from rolecall.model.settings import Address, IdpAssignment, IdpPush, Value
from rolecall.plan.coverage import concerns, people_coverage
from rolecall.plan.inputs import PlanInput
from rolecall.plan.lint.names import flag_problems, known_addresses, unmatched_names
from rolecall.plan.saved.digest import fingerprint

SLACK = timedelta(minutes=5)
"""The most that the clocks of the org and of this machine may differ when an event is compared with a run."""


@dataclass(frozen=True, slots=True)
class DriftRequest:
    """One check, with the request for a plan of the configuration; what was applied is taken from ``memory``.

    ``audit`` is None if the org has no audit log. ``exported`` returns WRITER's audit log from a moment on, as read for
    this check, None if it was not read; ``writer`` is whose log it is. ``authors`` returns the authors of lines of a
    file of the configuration, by line. ``ignore`` are addresses or patterns.
    """

    planning: PlanRequest
    memory: DriftMemory
    audit: Audit | None
    exported: Callable[[datetime], AuditLog | None] | None = None
    writer: str = ""
    authors: Callable[[str, Collection[int]], Mapping[int, Blame]] = lambda *_: {}
    ignore: tuple[str, ...] = ()
    include_unapplied: bool = False


@dataclass(frozen=True, slots=True)
class Drifts:
    """The result of a check, and its input, which `--accept` needs."""

    drift_result: DriftResult
    drift_scan: DriftScan


async def check_drift(request: DriftRequest) -> Drifts:
    """Check once.

    Raises OrgError for another org than the configured one, ConfigError for names that it does not have and for two
    entries of one group, Misuse for an unknown address of `--ignore`.
    """
    known = cache(request.memory.past)
    planning = request.planning
    first = await read_plan_input(planning._replace(applied=lambda org_id: _applied(known(org_id))))
    past = known(first.live.facts.org_id)
    name, applied = planning.whose.known(past.memory.applied)
    first = await _with_people(first._replace(applied=applied, config=name), planning)
    unmatched = _unmatched(request, first)
    first = first.resolved
    if first.known.errors:
        raise ConfigError(*first.known.errors)
    inquiry = DriftScan(
        first,
        past,
        ignore=request.ignore,
        include_unapplied=request.include_unapplied,
        warnings=unmatched,
    )
    drifts = drifted(inquiry)
    if drifts:
        inquiry = await _with_events(inquiry, request, drifts)
        members = await with_members(planning.idp, inquiry.plan_input, _either_way(drifts))
        inquiry = replace(inquiry, plan_input=members)
        inquiry = _with_findings(inquiry, request, drifts)
    drift_result = scan(_with_roles(inquiry, request))
    written = _authors(drift_result.report.entries, request.authors)
    return Drifts(replace(drift_result, report=replace(drift_result.report, written=written)), inquiry)


def _either_way(drifts: Iterable[Drift]) -> Iterator[Change]:
    """Yield each drift of a group in the IdP as the changes of both directions."""
    for drift in drifts:
        value = drift.last or drift.desired or drift.live
        if isinstance(value, IdpAssignment | IdpPush):
            yield Change(drift.address, "create", None, value)
            yield Change(drift.address, "delete", value, None)


def _unmatched(request: DriftRequest, plan_input: PlanInput) -> tuple[Problem, ...]:
    """Return warnings about names that match nothing. Raises Misuse for an unknown address of `--ignore`."""
    known = known_addresses(plan_input.desired, plan_input.live, plan_input.applied)
    problems = tuple(flag_problems("--ignore", request.ignore, known, globs=False))
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise Misuse(*errors)
    return (*problems, *unmatched_names(plan_input.desired, plan_input.live, plan_input.applied, plan_input.as_of))


def _applied(past: Past) -> Applied:
    """Return what rolecall applied, which is then read; nothing for a baseline."""
    return NOTHING_APPLIED if past.memory.baseline else past.memory.applied


async def _with_people(plan_input: PlanInput, request: PlanRequest) -> PlanInput:
    """Return the input with all users. If they cannot be read, the directory has the reason; settings are still
    compared."""
    if request.people is None:
        return plan_input
    directory = await people_or_unread(request.people, request.org, plan_input.live, EVERYBODY)
    warnings = (*plan_input.warnings, *left_out(directory))
    return plan_input._replace(directory=directory, scope=EVERYBODY, warnings=warnings)


async def _with_events(inquiry: DriftScan, request: DriftRequest, drifts: Sequence[Drift]) -> DriftScan:
    """Return the input with the org's last write to each address, or with a warning if its log cannot be read."""
    if request.audit is None or inquiry.past.basis.at is None:
        return inquiry
    known, base = inquiry.plan_input.known, inquiry.past.basis.at
    moments = _moments(inquiry, request)
    since = min([base, *(moments.get(drift.address, base) for drift in drifts)]) - SLACK
    try:
        events = await request.audit.since(since)
    except OrgError as error:
        message = f"the audit log could not be read, so the authors of changes are unknown: {error.problems[0].message}"
        hint = error.problems[0].hint or "use a token that may read the audit log"
        problem = Problem("audit_unread", message, None, hint, "warning")
        return replace(inquiry, warnings=(*inquiry.warnings, problem))
    past, since_recorded = inquiry.past, _recent(attributed(events, known, inquiry.past.roster), moments, base)
    last_events = {at: newest[0] for at, newest in since_recorded.items()}
    keys = frozenset(event.key for event in last_events.values() if event.key and request.memory.has_sent(event.key))
    groups = lifecycle(events) if past.memory.baseline else None
    past = replace(past, memory=replace(past.memory, keys=keys, lifecycle=groups))
    return replace(
        inquiry, past=past, events=last_events, writes=_writes(drifts, since_recorded, request.memory.has_sent)
    )


def _with_findings(inquiry: DriftScan, request: DriftRequest, drifts: Sequence[Drift]) -> DriftScan:
    """Return the input with what WRITER's audit log shows of each difference whose last write is unknown.

    A change was made after the value was recorded, and before the section was read.
    """
    base = inquiry.past.basis.at
    unknown = [drift for drift in drifts if drift.address not in inquiry.events and drift.kind != "differs"]
    if request.exported is None or base is None or not unknown:
        return inquiry
    starts = _moments(inquiry, request)
    log = request.exported(min(starts.get(drift.address, base) for drift in unknown))
    if log is None:
        return inquiry
    questions = (
        Question(drift.address, drift.last, _compared(drift), starts.get(drift.address, base), _read_at(inquiry, drift))
        for drift in unknown
    )
    findings = {
        each.address: look_up(each, log)._replace(writer=request.writer) for each in questions if each.start < each.end
    }
    return replace(inquiry, findings=findings)


def _compared(drift: Drift) -> Value | None:
    """Return the value in the org, with only the fields that the recorded one has: no other field is drift."""
    return drift.live if drift.live is None or drift.last is None else restrict(drift.live, drift.last)


def _with_roles(inquiry: DriftScan, request: DriftRequest) -> DriftScan:
    """Return the input with WRITER's audit log since users with watched roles are known; without it if no role is
    watched, or if all users were read now."""
    since = _users_known(inquiry)
    if request.exported is None or not inquiry.plan_input.desired.policy.watch_roles or since is None:
        return inquiry
    log = request.exported(since)
    return inquiry if log is None else replace(inquiry, role_log=RoleLog(log, since))


def _users_known(inquiry: DriftScan) -> datetime | None:
    """Return the time of the last knowledge of users: their reading, the access record that watched roles are compared
    with, or the last apply. None for users that were read now, and if nothing is known."""
    plan_input, past = inquiry.plan_input, inquiry.past
    if people_coverage(plan_input.directory).state == "complete":
        return people_coverage(plan_input.directory).taken_at or plan_input.live.covered("people").taken_at
    known = past.watched
    return known.at if known is not None and known.complete else past.basis.at


def _read_at(inquiry: DriftScan, drift: Drift) -> datetime:
    """Return when the section of a difference was read, or when a value of it was reported done after that."""
    coverage = inquiry.plan_input.live.covered(split_address(drift.address)[0])
    read = coverage.taken_at or inquiry.plan_input.created_at
    return max([read, *(item.at for item in coverage.reported if concerns(item.address, drift.address))])


def _moments(inquiry: DriftScan, request: DriftRequest) -> dict[Address, datetime]:
    """Return when each address was recorded, by its live address."""
    recorded = request.memory.recorded(inquiry.plan_input.live.facts.org_id)
    return {inquiry.plan_input.known.present_address(at): when for at, when in recorded.items()}


def _recent(
    events: Iterable[tuple[Address, Event]], moments: Mapping[Address, datetime], base: datetime
) -> dict[Address, list[Event]]:
    """Return the events of each address since it was recorded, newest first, as ``events`` are."""
    recent: dict[Address, list[Event]] = {}
    for at, event in events:
        if event.at >= moments.get(at, base) - SLACK:
            recent.setdefault(at, []).append(event)
    return recent


def _writes(
    drifts: Iterable[Drift], recent: Mapping[Address, Sequence[Event]], own: Callable[[str], bool]
) -> dict[Address, tuple[FieldWrite, ...]]:
    """Return the last writes of the fields of each address whose last write does not explain all of them."""
    writes = {drift.address: field_writes(drift, recent.get(drift.address, ()), own) for drift in drifts}
    return {at: fields for at, fields in writes.items() if fields}


def _authors(
    drifts: Iterable[Drift], authors: Callable[[str, Collection[int]], Mapping[int, Blame]]
) -> dict[Address, Blame]:
    """Return the author of each drift's line; ``authors`` is called once for each file."""
    places = {drift.address: drift.source for drift in drifts if drift.source is not None and drift.source.line}
    lines: dict[str, set[int]] = {}
    for where in places.values():
        lines.setdefault(where.file, set()).add(where.line)
    known = {file: authors(file, numbers) for file, numbers in lines.items()}
    return {at: author for at, where in places.items() if (author := known[where.file].get(where.line)) is not None}


Notified = Mapping[str, Mapping[str, Any]]
"""Fingerprint -> what was posted: ``what`` (an address, or the name of a violation), ``kind``, ``since``."""


@dataclass(frozen=True, slots=True)
class News:
    """Findings that were not posted yet, and posted ones that are cleared. ``now`` is what will have been posted.

    ``unread`` are sections, and ``people``, that could be read at the last check and not at this one; ``outdated`` were
    changed after they were read. ``undetermined``: this check is the first one without a record of an apply.
    """

    drifts: tuple[Drift, ...]
    alarms: tuple[Violation, ...]
    unread: tuple[str, ...]
    outdated: tuple[str, ...]
    undetermined: bool
    cleared: tuple[tuple[str, Mapping[str, Any]], ...]
    now: Notified

    @property
    def any(self) -> bool:
        """True if there is anything to post."""
        parts = (self.drifts, self.alarms, self.unread, self.outdated, self.undetermined, self.cleared)
        return any(map(bool, parts))


def news(report: DriftReport, notified: Notified) -> News:
    """Compare a check with what was posted before. What could not be read this time is neither new nor cleared."""
    notified = _renewed(notified, report.drifts)
    drifts = {drift.fingerprint: drift for drift in report.drifts}
    alarms = {alarm.fingerprint: alarm for alarm in report.alarms}
    unread = {fingerprint("unread", section): section for section in report.unread}
    outdated = {
        fingerprint("changed_since", name, change.at.isoformat()): name
        for name, part in report.coverage.items()
        if (change := part.changed_since) is not None
    }
    unknown = () if report.determined else (fingerprint("undetermined"),)
    since = report.at.isoformat()
    now: dict[str, Mapping[str, Any]] = {
        **{key: {"what": drift.address, "kind": drift.kind, "since": since} for key, drift in drifts.items()},
        **{key: {"what": alarm.name, "kind": alarm.kind, "since": since} for key, alarm in alarms.items()},
        **{key: {"what": section, "kind": "unread", "since": since} for key, section in unread.items()},
        **{key: {"what": section, "kind": "changed_since", "since": since} for key, section in outdated.items()},
        **{key: {"what": "last apply", "kind": "undetermined", "since": since} for key in unknown},
    }
    unseen = {
        key: item
        for key, item in notified.items()
        if key not in now and (key in report.acknowledged or _unseen(report, item))
    }
    still = {item["what"] for item in now.values() if item["kind"] not in _NOT_DRIFT}
    absent = ((key, item) for key, item in sorted(notified.items()) if key not in now and key not in unseen)
    return News(
        tuple(drift for key, drift in drifts.items() if key not in notified),
        tuple(alarm for key, alarm in alarms.items() if key not in notified),
        tuple(section for key, section in unread.items() if key not in notified),
        tuple(section for key, section in outdated.items() if key not in notified),
        any(key not in notified for key in unknown),
        tuple((key, item) for key, item in absent if item["what"] not in still or item["kind"] == "watch"),
        {**now, **unseen, **{key: {**now[key], "since": notified[key]["since"]} for key in now if key in notified}},
    )


_NOT_DRIFT = ("unread", "changed_since", "undetermined")
"""The kinds of findings about the reading itself."""


def _renewed(notified: Notified, drifts: Iterable[Drift]) -> Notified:
    """Return what was posted, by the current fingerprints of the drifts."""
    present = {former: drift.fingerprint for drift in drifts for former in drift.former_fingerprints}
    return {present.get(key, key): item for key, item in notified.items()}


def note_of(url: str) -> str:
    """Return the name of the journal's note for a webhook. It has a hash of the URL, since the URL is a secret."""
    return f"drift.told.{sha256(url.encode()).hexdigest()[:16]}"


def notified(journal: Journal, org_id: str, url: str) -> Notified:
    """Return what was posted to a webhook before."""
    return journal.recall(org_id, note_of(url), _items) or {}


def _items(value: Any) -> dict[str, Any]:
    """Return the items by their keys. Raises TypeError for anything else."""
    if not all(isinstance(item[name], str) for item in value.values() for name in ("what", "kind", "since")):
        raise TypeError(value)
    return dict(value)


def _unseen(report: DriftReport, item: Mapping[str, Any]) -> bool:
    if item["kind"] in ("watch", "limit", "access_test"):
        return report.sighting is None or not report.sighting.complete
    if item["kind"] in _NOT_DRIFT:
        return False
    return not report.determined or any(concerns(name, item["what"]) for name in report.unread)
