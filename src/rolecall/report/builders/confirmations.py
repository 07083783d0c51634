"""Report what an audit log shows of a change: of a manual step, or of a drifted setting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rolecall.model.audit import CLOCKS
from rolecall.model.evidence import Finding, Proof, Status
from rolecall.model.run import Step
from rolecall.plan.dates import moment_words
from rolecall.report.document import Tone
from rolecall.report.phrases import listed, visible

_NAMED = 5

STATES: Mapping[Status, tuple[str, Tone]] = {
    "confirmed": ("confirmed", "ok"),
    "another_actor": ("reported done", "warn"),
    "unclear": ("reported done", "warn"),
    "not_in_log": ("reported done", "warn"),
    "not_logged": ("reported done", "ok"),
    "unread": ("reported done", "warn"),
}
"""The state of a step that was reported done, in text."""


def finding_words(finding: Finding, reported: datetime | None = None) -> str:
    """Return what a log shows: ``confirmed by the audit log: ann@acme.com, 12 Nov 2026, 09:14 UTC``.

    ``reported`` is when the change was reported done; records after it are named as such.
    """
    proofs = proofs_words(finding, reported)
    if finding.status == "confirmed":
        unlogged = f"; not logged: {_fields(finding.unlogged)}" if finding.unlogged else ""
        return f"confirmed by the audit log: {proofs}{unlogged}"
    if finding.status == "another_actor":
        return f"the audit log has another user: {proofs}"
    if finding.status == "not_logged":
        return "this kind of change is not logged"
    if finding.status == "not_in_log":
        silent = f"{_SILENT} yet" if finding.problem else _SILENT
        return f"{silent}: {_fields(finding.missing)}; confirmed: {proofs}" if proofs else silent
    return f"not confirmed: {visible(finding.problem or '')}"


_SILENT = "not in the audit log"


def unknown_writer(finding: Finding) -> str:
    """Return why it is not known, or not certain, who made a change; empty if it is, with fields that are not logged
    named."""
    proofs = proofs_words(finding)
    problem = visible(finding.problem or "")
    if finding.status == "confirmed":
        return f"Not logged: {_fields(finding.unlogged)}." if finding.unlogged else ""
    if finding.status == "not_logged":
        return "Who changed it is unknown: this kind of change is not logged."
    if finding.status == "not_in_log":
        silent = f"Not in the audit log{' yet' if finding.problem else ''}"
        return f"{silent}: {_fields(finding.missing)}. {proofs}." if proofs else f"{silent}."
    known = f" ({proofs})" if proofs else ""
    return f"Who changed it is {'not certain' if proofs else 'unknown'}: {problem}{known}."


def proofs_words(finding: Finding, reported: datetime | None = None) -> str:
    """Return who made a change and when, by each record of it; with its fields if there are several."""
    several = len({name for proof in finding.proofs for name in proof.fields}) > 1 or bool(finding.missing)
    return "; ".join(_proof_words(proof, reported, fields=several) for proof in finding.proofs)


def _proof_words(proof: Proof, reported: datetime | None, *, fields: bool) -> str:
    named = f"{_fields(proof.fields)} by " if fields else ""
    later = ", after it was reported done" if reported is not None and proof.at - reported > CLOCKS else ""
    return f"{named}{visible(proof.actor or 'an unknown user')}, {moment_words(proof.at)}{later}"


def _fields(addresses: tuple[str, ...]) -> str:
    return listed(addresses, _NAMED)


def confirmed_sentence(step: Step, finding: Finding) -> str:
    """Return ``Step 3 of run 12 (sso) is confirmed by the audit log: ann@acme.com, 12 Nov 2026, 09:14 UTC.``"""
    return f"Step {step.label} of run {step.run} ({visible(step.address)}) is {finding_words(finding, step.at)}."
