"""Read the audit log that a configuration names, for the commands that use it. Imported only if there is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from rolecall.cli.journals import find_journal
from rolecall.cli.messages import remark, tell
from rolecall.cli.options import Invocation
from rolecall.cli.session import now, secret, wait_for
from rolecall.errors import Problem
from rolecall.jobs.audit import AuditRequest, known_log, mark_changes, read_log
from rolecall.live.audit import AuditExport, audit_export
from rolecall.model import normalise
from rolecall.model.audit import CLOCKS, AuditLog, first_reading

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.journal.port import AuditStore, Journal
    from rolecall.model.evidence import Findings
    from rolecall.model.live import Live
    from rolecall.model.run import Run
    from rolecall.model.target import AuditTarget


@dataclass(slots=True)
class AuditReader:
    """Reads the audit log for a plan, and marks the sections that were changed after they were read.

    With ``journal``, the records are stored in it, with the manual steps that they confirm. Without it, nothing is
    stored, and the log is read only for an org of which something was read in the past. ``log`` is the last reading.
    """

    call: Invocation
    config: Config
    target: AuditTarget
    journal: Journal | None = None
    log: AuditLog | None = None

    async def __call__(self, live: Live) -> tuple[Live, tuple[Problem, ...]]:
        """Return the org with the marks, and warnings about what the log may not show."""
        first, journal = first_reading(live.coverage.values()), self.journal
        if first is None and journal is None:
            return live, ()
        store = None if journal is None else journal.audit
        log = self.log = await read_audit(self.call, self.config, self.target, store, first or now())
        if journal is not None:
            confirm_steps(self.call, self.target, journal, live.facts.org_id, log)
        return mark_changes(live, log, now(), self._known_changes(live))

    def _known_changes(self, live: Live) -> frozenset[str]:
        """Return the keys of records of steps that are confirmed, as far as the journal has them."""
        from rolecall.jobs.confirm import known_changes

        if self.journal is not None:
            return known_changes(self.journal, live)
        with find_journal(self.call, self.config) or nullcontext() as journal:
            return known_changes(journal, live)

    def since(self, start: datetime) -> AuditLog | None:
        """Return the last reading with the stored records from a moment on; None if nothing was read or stored."""
        if self.log is None or self.journal is None:
            return None
        first = start - CLOCKS - abs(self.log.skew)
        return self.log._replace(records=known_log(self.journal.audit, self.target.writer, first).records)


def confirm_steps(
    call: Invocation, target: AuditTarget, journal: Journal, org_id: str, log: AuditLog, run: int | None = None
) -> Findings:
    """Record which manual steps the log confirms, and write them to stderr, except those of ``run``.

    Return what the log shows of the steps that were not confirmed before.
    """
    from rolecall.jobs.confirm import confirm_steps as confirm
    from rolecall.report.builders.confirmations import confirmed_sentence

    checked = confirm(journal, org_id, target, log, now())
    for step, finding in checked:
        if finding.status == "confirmed" and step.run != run:
            remark("step_confirmed", confirmed_sentence(step, finding), as_json=call.log_format == "json")
    return {(step.run, step.number): finding for step, finding in checked}


async def read_audit(
    call: Invocation, config: Config, target: AuditTarget, store: AuditStore | None, since: datetime, text: str = ""
) -> AuditLog:
    """Return the records from a moment on, as far as they are kept, and read the log on to its end.

    Of the stored ones, return only those that have a text in them; see ``AuditStore.records``.
    """
    oldest = now() - timedelta(days=target.keep_days)
    start = oldest if store is not None else max(since, oldest)
    export = audit_source(call, config, target)
    try:
        known = _known(call, config, target, store, since, text)
        log = await read_log(AuditRequest(export, target.writer, start, now, known, store))
    finally:
        await export.close()
    if store is not None:
        store.prune(target.writer, oldest)
    position = log.position
    return log if position is None else log._replace(position=position._replace(since=max(position.since, oldest)))


def log_of_run(call: Invocation, config: Config, journal: Journal, run: Run) -> AuditLog | None:
    """Read the log on for the unconfirmed steps of a run, and store nothing.

    Return None if it cannot show any of them, and with a warning if it could not be read: then what is stored counts.
    """
    from rolecall.jobs.confirm import may_be_confirmed

    target = config.audit
    if target is None or not may_be_confirmed(journal, target, run, now()):
        return None
    log = wait_for(read_audit(call, config, target, None, run.started_at - CLOCKS))
    if log.unread is None:
        return log
    message = f"{log.unread}; confirmations are as of the last reading"
    problem = Problem("audit_unread", message, log.where, None, "warning")
    tell([problem], as_json=call.log_format == "json", color=call.color)
    return None


def audit_source(call: Invocation, config: Config, target: AuditTarget) -> AuditExport:
    """Return the connection to the log; the key is read at the first request."""
    return audit_export(target.writer, _token(call, config, target), now, target.url)


def user_events(call: Invocation, config: Config, email: str) -> AuditLog | None:
    """Return the records about a user, and store nothing; None without an audit log, and for a snapshot."""
    target = config.audit
    if target is None or call.snapshot is not None:
        return None
    since = now() - timedelta(days=target.keep_days)
    user, local_part = normalise.email(email), normalise.email(email).rpartition("@")[0]
    text = local_part if re.fullmatch(r"[a-z0-9.+-]+", local_part) else ""  # a domain may have two spellings
    log = wait_for(read_audit(call, config, target, None, since, text))
    return log._replace(records=tuple(record for record in log.records if normalise.email(record.object) == user))


def _known(
    call: Invocation, config: Config, target: AuditTarget, store: AuditStore | None, since: datetime, text: str
) -> AuditLog:
    """Return what the journal has of the log."""
    if store is not None:
        return known_log(store, target.writer, since, text)
    with find_journal(call, config) or nullcontext() as journal:
        return known_log(None if journal is None else journal.audit, target.writer, since, text)


def _token(call: Invocation, config: Config, target: AuditTarget) -> Callable[[], str]:
    """Return a function that returns the key, read at the first call."""

    @cache
    def fetch() -> str:
        return secret(call, config, target.token)

    return fetch
