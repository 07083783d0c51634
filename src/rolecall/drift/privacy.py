"""Remove users from a drift report as far as they may not be shown. Users who changed a setting stay."""

from __future__ import annotations

from dataclasses import replace

from rolecall.drift.value import DriftReport, Violation
from rolecall.model.sighting import Sighting
from rolecall.plan.saved.privacy import Shown, Veil, redact
from rolecall.plan.value import Plan


def redact_report(report: DriftReport, mode: Shown, key: bytes = b"") -> DriftReport:
    """Return the report with users by ``names`` (as it is), ``masked`` under a key, or as ``counts``.

    Users named in the configuration, such as required org admins, stay. The access record is removed: only the journal
    has it.
    """
    if mode == "names":
        return report
    addresses = (
        record.address for records in (report.entries, report.released, report.unmanaged) for record in records
    )
    veil = Veil(
        mode,
        key,
        frozenset(addresses),
        special={
            Plan: lambda plan, _: redact(plan, mode, key),
            Violation: _violation,
            Sighting: lambda sighting, _: replace(sighting, holdings=()),
        },
        orders={Violation: None},
    )
    return veil.redacted(report)


def _violation(violation: Violation, veil: Veil) -> Violation:
    if violation.kind == "limit":
        return violation
    who = None if violation.who is None else veil.anonymous(violation.who)
    return violation._replace(who=who, message=veil.text(violation.message))
