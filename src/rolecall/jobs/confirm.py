"""Confirm manual steps that were reported done by the records of WRITER's audit log, and record the proof.

A confirmation is an entry of the journal's chain, so it outlives the records, which are kept for `audit.keep` only. All
other findings are computed whenever they are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import NamedTuple

from rolecall.drift.evidence import is_any_logged, look_up
from rolecall.jobs.audit import known_log
from rolecall.jobs.history import newest_first
from rolecall.journal.port import Journal
from rolecall.model.audit import CLOCKS, AuditLog
from rolecall.model.evidence import Confirmation, Finding, Findings, Question
from rolecall.model.live import Coverage, Live
from rolecall.model.run import Run, RunKind, Step
from rolecall.model.target import AuditTarget
from rolecall.plan.coverage import concerns

LATER = timedelta(days=1)
"""A record confirms a step until so long after the step was reported done: the admin may report it first."""

WRITER = "audit.writer"
"""The journal's note with the ID of an org at WRITER, as of the last reading of its audit log."""

_CHANGING: tuple[RunKind, ...] = ("apply", "rollback")


class Checked(NamedTuple):
    """A step that was reported done and was not confirmed before, and what the log shows of it now."""

    step: Step
    finding: Finding


def confirm_steps(
    journal: Journal, org_id: str, target: AuditTarget, log: AuditLog, now: datetime
) -> tuple[Checked, ...]:
    """Look up the steps that are not confirmed yet, record which the log confirms, and return them all.

    ``log`` is how the log was read last; its records are those that the journal stores.
    """
    journal.keep(org_id, WRITER, target.writer)
    runs = journal.unconfirmed(org_id, now - timedelta(days=target.keep_days))
    log = _whole(journal, target, runs, log)
    checked = tuple(_looked_up(journal, runs, log, target))
    for step, finding in checked:
        if finding.status == "confirmed":
            confirmation = Confirmation(step.number, finding.proofs, finding.unlogged, target.writer)
            journal.confirm(step.run, confirmation)
    return checked


def findings(
    journal: Journal | None,
    target: AuditTarget | None,
    runs: Iterable[Run],
    now: datetime,
    newer: AuditLog | None = None,
) -> Findings:
    """Return what is known of steps that were reported done, from what the journal stores. Nothing is written.

    ``newer`` is the log as it was read just now, which counts as well. Steps of an org whose audit log the
    configuration does not name are left out unless they are confirmed.
    """
    runs = tuple(runs)
    known = confirmed_before(runs)
    if journal is None or target is None:
        return known
    open_runs = [run for run in runs if any(step.unconfirmed for step in run.steps) and _is_of(journal, run, target)]
    if not open_runs:
        return known
    log = _whole(journal, target, open_runs, newer or stored_log(journal, target, now))
    if newer is not None:
        records = {record.key: record for record in (*log.records, *newer.records)}
        log = log._replace(records=tuple(records.values()))
    by_org = {org_id: [run for run in open_runs if run.org_id == org_id] for org_id in {r.org_id for r in open_runs}}
    checked = (each for alike in by_org.values() for each in _looked_up(journal, alike, log, target))
    return {**known, **{(step.run, step.number): finding for step, finding in checked}}


def has_unconfirmed(journal: Journal, target: AuditTarget, now: datetime) -> bool:
    """Return whether the journal has unconfirmed steps of any org that the log may still confirm."""
    since = now - timedelta(days=target.keep_days)
    return any(_needs_records(run) for org_id in journal.orgs() for run in journal.unconfirmed(org_id, since))


def _needs_records(run: Run) -> bool:
    """Return whether a run has an unconfirmed step that a record can show: not all changes are logged."""
    return any(step.unconfirmed and is_any_logged(question_of(run, step, ())) for step in run.steps)


def known_changes(journal: Journal | None, live: Live) -> frozenset[str]:
    """Return the keys of records of changes that the org's file has: steps that were reported done, and confirmed.

    Such a record is no change after the section was read that nothing is known about.
    """
    reported = [item.address for part in live.coverage.values() for item in part.reported]
    if journal is None or not reported:
        return frozenset()
    runs = islice(newest_first(journal, live.facts.org_id, _CHANGING), _RECENT)
    confirmed = (step for run in runs for step in run.steps if _is_confirmed(step))
    steps = (step for step in confirmed if any(at == step.address or concerns(at, step.address) for at in reported))
    return frozenset(proof.key for step in steps if step.confirmation for proof in step.confirmation.proofs)


_RECENT = 100
"""The most runs whose confirmations are read: a section is read again after a few."""


def _is_confirmed(step: Step) -> bool:
    confirmation = step.confirmation if step.state == "attested" else None
    return confirmation is not None and confirmation.finding(step.by or "").status == "confirmed"


def may_be_confirmed(journal: Journal, target: AuditTarget, run: Run, now: datetime) -> bool:
    """Return whether a run of the org whose log this is has unconfirmed steps that the log may still show."""
    is_retained = run.started_at >= now - timedelta(days=target.keep_days)
    return is_retained and _needs_records(run) and _is_of(journal, run, target)


def confirmed_before(runs: Iterable[Run]) -> Findings:
    """Return the findings of steps whose confirmation is recorded."""
    steps = [step for run in runs for step in run.steps if step.state == "attested"]
    return {
        (step.run, step.number): step.confirmation.finding(step.by or "")
        for step in steps
        if step.confirmation is not None
    }


def stored_log(journal: Journal, target: AuditTarget, now: datetime) -> AuditLog:
    """Return how far the journal has the log, without its records."""
    position = journal.audit.position(target.writer)
    if position is None:
        return AuditLog((), Coverage("unread", problem="no records are stored"))
    oldest = now - timedelta(days=target.keep_days)
    return AuditLog((), Coverage(), position._replace(since=max(position.since, oldest)))


def question_of(run: Run, step: Step, newer: Sequence[Run]) -> Question:
    """Return the change of a step to look up: after the run began, and at most a day after it was reported done.

    ``newer`` are the runs after it that changed something, oldest first. If one that began after the report has the
    address, records after its start are about its own step.
    """
    reported = step.at or run.started_at
    again = [(each, newer_step) for each in newer for newer_step in each.steps if _same_setting(step, newer_step)]
    end = min([reported + LATER, *(each.started_at for each, _ in again if each.started_at > reported)])
    rivals = [each.started_at for each, newer_step in again if newer_step.after != step.after]
    return Question(
        step.address, step.before, step.after, run.started_at, end, reported, step.by or "", min(rivals, default=None)
    )


def _same_setting(step: Step, newer: Step) -> bool:
    return newer.address == step.address or (step.id is not None and newer.id == step.id)


def _looked_up(journal: Journal, runs: Sequence[Run], log: AuditLog, target: AuditTarget) -> Iterator[Checked]:
    """Yield each unconfirmed step of an org's runs with what the log shows of it."""
    if not runs:
        return
    first = min(run.id for run in runs)
    changing = takewhile(lambda run: run.id > first, newest_first(journal, runs[0].org_id, _CHANGING))
    newer = list(changing)[::-1]
    for run in runs:
        later = [each for each in newer if each.id > run.id]
        for step in run.steps:
            if step.unconfirmed:
                finding = look_up(question_of(run, step, later), log)
                yield Checked(step, finding._replace(writer=target.writer))


def _is_of(journal: Journal, run: Run, target: AuditTarget) -> bool:
    return journal.recall(run.org_id, WRITER, str) == target.writer


def _whole(journal: Journal, target: AuditTarget, runs: Iterable[Run], log: AuditLog) -> AuditLog:
    """Return the log with all stored records since the first of these runs whose steps need them."""
    first = min((run.started_at for run in runs if _needs_records(run)), default=None)
    if first is None:
        return log._replace(records=())
    since = first - CLOCKS - abs(log.skew)
    return log._replace(records=known_log(journal.audit, target.writer, since).records)
