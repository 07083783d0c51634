"""Return the metrics of drift checks and applies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from rolecall.drift.compare import DriftClass
from rolecall.drift.value import DriftReport, ViolationKind
from rolecall.model.desired import Desired
from rolecall.model.kinds import split_address
from rolecall.model.live import Coverage
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.run import Run, RunOutcome
from rolecall.outside.metrics import Metric, Sample
from rolecall.plan.coverage import sections_of
from rolecall.plan.value import OrgRef

_OUTCOMES: tuple[RunOutcome, ...] = ("done", "nothing", "incomplete", "interrupted", "open")
_CLASSES: tuple[DriftClass, ...] = ("console", "both", "other_run", "idp", "differs", "unapplied", "unknown")
_OF_THE_LAST_APPLY: tuple[DriftClass, ...] = ("console", "both", "other_run", "idp", "unapplied")
"""The classes that are unknown if no apply is recorded."""

_HORIZONS = (30, 90)
"""In how many days mappings expire that are counted."""

_ALARMS: tuple[ViolationKind, ...] = ("watch", "limit", "access_test")


def drift_metrics(report: DriftReport, seconds: float) -> Iterator[Metric]:
    """Yield the metrics of a check that took so many seconds.

    Sections and classes without drift have the value zero, so that alerts end. What is unknown because no apply is
    recorded has no sample.
    """
    org = {"org": report.org.id, "env": report.org.env or ""}

    def metric(name: str, help_: str, value: float | None, **labels: str) -> Metric:
        samples = () if value is None else (Sample(value, {**org, **labels}),)
        return Metric(f"rolecall_{name}", help_, samples)

    drifts_by_kind: Counter[tuple[str, str]] = Counter(
        (split_address(entry.address)[0], entry.kind) for entry in report.entries
    )
    drift = tuple(
        Sample(drifts_by_kind[section, kind], {**org, "section": section, "class": kind})
        for section in sorted({*sections_of(report.coverage), *(section for section, _ in drifts_by_kind)})
        for kind in _CLASSES
        if report.determined or drifts_by_kind[section, kind] or kind not in _OF_THE_LAST_APPLY
    )
    yield Metric("rolecall_drift", "Addresses by section and class of drift.", drift)
    counted = len(report.drifts) if report.determined or report.drifts else None
    yield metric("drift_counted", "Addresses that count as drift. No sample if that is unknown.", counted)
    yield metric("drift_determined", "0 if drift is unknown because no apply is recorded, else 1.", report.determined)
    kinds = Counter(alarm.kind for alarm in report.alarms)
    alarms = tuple(
        Sample(kinds[kind], {**org, "kind": kind})
        for kind in _ALARMS
        if kinds[kind] or kind not in report.not_evaluated
    )
    yield Metric("rolecall_alarms", "Policy violations. No sample if a check was not evaluated.", alarms)
    unknown = tuple(Sample(kind in report.not_evaluated, {**org, "kind": kind}) for kind in _ALARMS)
    yield Metric("rolecall_not_evaluated", "1 if a check could not be evaluated, else 0.", unknown)
    yield metric("last_success_timestamp_seconds", "When the org was last checked.", report.at.timestamp())
    admins = None
    if report.sighting is not None and report.sighting.complete:
        admins = report.sighting.roles.get(ORG_ADMIN, 0)
    yield metric("org_admins", "Users who are org admins.", admins)
    yield metric("people_without_access", "Active users without access.", report.without_access)
    help_text = "Managed sections, and users, that were not read completely."
    yield metric("unread_sections", help_text, len(report.unread_sections))
    help_text = "Managed sections, users and teams that were changed after they were read."
    yield metric("changed_since_read", help_text, len(report.outdated))
    yield pending_metric(len(report.waiting), report.coverage, report.org)
    yield metric("requests", "Requests of the check.", report.requests)
    yield metric("duration_seconds", "How long the check took.", round(seconds, 3))


def apply_metrics(run: Run | None, org: OrgRef) -> Iterator[Metric]:
    """Yield the metrics of the last apply or rollback of an org, if any. A run that did not end has the outcome `open`
    and no duration."""
    if run is None:
        return
    labels = {"org": org.id, "env": org.env or ""}
    ended = run.ended_at or run.started_at
    outcomes = tuple(Sample(run.outcome == name, {**labels, "outcome": name}) for name in _OUTCOMES)
    yield Metric("rolecall_last_apply_outcome", "1 for the outcome of the last apply, else 0.", outcomes)
    at = (Sample(ended.timestamp(), labels),)
    yield Metric("rolecall_last_apply_timestamp_seconds", "When the last apply ended.", at)
    seconds = round((ended - run.started_at).total_seconds(), 3)
    duration = (Sample(seconds, labels),) if run.ended_at is not None else ()
    yield Metric("rolecall_last_apply_duration_seconds", "How long the last apply took.", duration)
    yield Metric("rolecall_last_apply_run", "The number of the last apply.", (Sample(run.id, labels),))
    manual = (Sample(len(run.human), labels),)
    yield Metric("rolecall_manual_steps", "Manual steps of the last apply that are not reported done.", manual)


def pending_metric(pending: int, coverage: Mapping[str, Coverage], org: OrgRef) -> Metric:
    """Return how many groups of the configuration the IdP has not pushed yet; no sample if not all groups were read."""
    groups = coverage.get("idp_groups")
    known = groups is None or groups.state == "complete"
    samples = (Sample(pending, _labels(org)),) if known else ()
    return Metric("rolecall_pending_groups", "Groups of the configuration that the IdP has not pushed.", samples)


def expiring_metric(desired: Desired, as_of: date, org: OrgRef) -> Metric:
    """Return how many mappings hold on a day and end within 30 and within 90 days of it, the last day included."""
    ends = [
        intent.expires
        for at, intent in desired.intents.items()
        if intent.expires is not None and split_address(at)[0] == "idp_groups"
    ]
    samples = tuple(
        Sample(sum(as_of <= end <= as_of + timedelta(days=days) for end in ends), {**_labels(org), "days": str(days)})
        for days in _HORIZONS
    )
    return Metric("rolecall_expiring_mappings", "Mappings that expire within so many days.", samples)


def journal_metric(size: int | None, org: OrgRef) -> Metric:
    """Return the size of the journal in bytes; no sample without a journal."""
    samples = () if size is None else (Sample(size, _labels(org)),)
    return Metric("rolecall_journal_bytes", "Size of the journal.", samples)


class Attempt(NamedTuple):
    """A run of a command that writes metrics. ``config`` is the path of the configuration; ``failed``: it could not do
    its work."""

    command: Literal["drift", "apply"]
    config: str
    env: str | None
    at: datetime
    code: int
    failed: bool


def attempt_metrics(attempt: Attempt) -> Iterator[Metric]:
    """Yield when the last attempt ended and how. Its labels do not depend on the org, which may not have been read."""
    labels = {"command": attempt.command, "config": attempt.config, "env": attempt.env or ""}
    gauges = (
        ("timestamp_seconds", "When the last attempt ended.", attempt.at.timestamp()),
        ("failed", "1 if the last attempt could not do its work, else 0.", attempt.failed),
        ("exit_code", "The exit code of the last attempt.", attempt.code),
    )
    for name, explained, value in gauges:
        yield Metric(f"rolecall_last_attempt_{name}", explained, (Sample(value, labels),))


def _labels(org: OrgRef) -> dict[str, str]:
    return {"org": org.id, "env": org.env or ""}
