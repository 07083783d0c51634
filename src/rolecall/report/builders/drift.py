"""Report a drift check: what changed outside rolecall, who changed it, and which users are affected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from rolecall.codec.settings import encode_value
from rolecall.drift.compare import Drift, DriftClass
from rolecall.drift.value import UNDETERMINED, DriftReport, Violation
from rolecall.model.evidence import Finding
from rolecall.model.kinds import BY_SECTION, SECTIONS, field_changes, split_address
from rolecall.model.settings import Value
from rolecall.plan.coverage import USERS
from rolecall.plan.dates import moment_words
from rolecall.plan.headline import escalation_sentences
from rolecall.report.builders.changes import changed, created, deleted, scalar
from rolecall.report.builders.confirmations import proofs_words, unknown_writer
from rolecall.report.builders.drift_sentences import (
    CLASSES,
    Effect,
    acknowledged_words,
    affected_users,
    basis_words,
    drift_escalations,
    effects_of,
    event_words,
    impact_sentences,
    news_notes,
    next_steps,
    overview_notes,
    summary_line,
    undetermined_sentence,
    who_words,
    written_words,
)
from rolecall.report.builders.header import scan_banner, users_sentence
from rolecall.report.builders.unmanaged import released_words, unmanaged_notes
from rolecall.report.document import (
    ChangeTable,
    CheckResult,
    Diff,
    Document,
    Entry,
    Gap,
    Mark,
    Note,
    Status,
    Table,
)
from rolecall.report.phrases import visible

COLUMNS = (
    "address", "class", "counts", "last", "desired", "live", "who", "when", "from", "gain", "lose", "change",
    "source", "fingerprint",
)  # fmt: skip
"""Of a drift check's table for a spreadsheet."""

_ASIDE: Mapping[DriftClass, str] = {
    "unapplied": "Changed in the config, not applied yet",
    "differs": "Different from the config, never applied: what an apply would change",
    "converged": "Changed in the console to match the config",
    "idp": "Deleted in the IdP, without users",
    "unknown": "Not read",
}
"""The differences that do not count as drift, with their titles."""

_ACKNOWLEDGED = "Acknowledged drift"
_PENDING = "Pending: the IdP has not pushed these groups yet"


def drift_document(report: DriftReport, *, reverts: bool = False) -> Document:
    """Return the report of a drift check, which shows of users what it may. ``reverts``: the plan that reverts the
    drift is saved next."""
    return Document(
        "drift",
        title=f"Drift of {visible(report.org.name)}",
        org_id=report.org.id,
        env=report.org.env,
        banner=scan_banner(
            report.org, report.coverage, report.counts, incomplete=bool(report.unread) or not report.determined
        ),
        status=_status(report),
        escalations=tuple(drift_escalations(report)),
        totals=() if report.did is None else tuple(map(visible, escalation_sentences(report.did.impact))),
        overview=tuple(overview_notes(report)),
        effects=tuple(impact_sentences(report)),
        basis=basis_words(report),
        validity=f"checked {moment_words(report.at)}",
        summary=summary_line(report),
        changes=(*_sections(report), *_aside(report)),
        news=tuple(news_notes(report)),
        inventory=tuple(_inventory(report)),
        checks=tuple(_checks(report)),
        gaps=() if report.determined else (Gap("drift.undetermined", "error", undetermined_sentence()),),
        problems=report.warnings,
        compared=tuple(_compared(report)),
        next_steps=tuple(next_steps(report, reverts=reverts)),
        unread=report.unread,
        undetermined="" if report.determined else UNDETERMINED,
        table=partial(drift_table, report),
    )


def _status(report: DriftReport) -> Status:
    if report.drifts or report.alarms:
        return "attention"
    known = report.determined and not report.unread and not report.outdated
    return "ok" if known else "incomplete"


def _inventory(report: DriftReport) -> Iterable[Note]:
    yield from (Note(acknowledged_words(item), "dim") for item in report.acknowledged.values())
    yield from (Note(text) for text in released_words(report.released))
    yield from unmanaged_notes(report.unmanaged)


def _checks(report: DriftReport) -> Iterable[CheckResult]:
    """Yield the policy violations, and the kinds of checks that need users who were not read."""
    for alarm in report.alarms:
        rule = f"drift.{alarm.kind}"
        yield CheckResult(
            "violation", visible(alarm.name), "FAILED", violation_words(alarm), "error", rule, alarm.source
        )
    for kind in report.not_evaluated:
        yield CheckResult("violation", kind, "UNKNOWN", "not evaluated: users were not read")


def violation_words(alarm: Violation) -> str:
    """Return a policy violation, with the user that it is about."""
    subject = f"{who_words(alarm.who)} " if alarm.who is not None else ""
    return visible(f"{alarm.name}: {subject}{alarm.message}" if alarm.kind != "watch" else f"{subject}{alarm.message}")


def _compared(report: DriftReport) -> Iterator[tuple[str, str]]:
    drifted = {split_address(drift.address)[0] for drift in report.drifts}
    for section in sorted({*report.coverage, *drifted}):
        if section in report.unread:
            unread = "not read completely, so nothing is known about it"
            yield section, users_sentence(report.coverage) if section == USERS else unread
        elif not report.determined and section not in drifted and section != USERS:
            yield section, undetermined_sentence()
        else:
            yield section, ""


def drifts_by_section(report: DriftReport) -> Iterator[tuple[str, list[Drift]]]:
    """Yield the sections that drifted, in their order, each with what drifted, by the kind of drift."""
    order = list(CLASSES)
    for section in SECTIONS:
        drifts = [drift for drift in report.drifts if split_address(drift.address)[0] == section]
        if drifts:
            yield section, sorted(drifts, key=lambda drift: order.index(drift.kind))


def _sections(report: DriftReport) -> Iterable[ChangeTable]:
    effects = effects_of(report)
    for section, drifts in drifts_by_section(report):
        yield ChangeTable(section, section, tuple(drift_entry(report, drift, effects) for drift in drifts))


def _aside(report: DriftReport) -> Iterable[ChangeTable]:
    """Yield the differences that do not count as drift: acknowledged ones, then by class, then pending ones."""
    grouped: dict[str, list[Drift]] = {title: [] for title in (_ACKNOWLEDGED, *_ASIDE.values(), _PENDING)}
    for drift in report.entries:
        if drift.fingerprint in report.counted:
            continue
        if drift.fingerprint in report.acknowledged:
            grouped[_ACKNOWLEDGED].append(drift)
        elif drift.address in report.waiting:
            grouped[_PENDING].append(drift)
        elif drift.kind in _ASIDE:
            grouped[_ASIDE[drift.kind]].append(drift)
    for title, drifts in grouped.items():
        if drifts:
            entries = tuple(drift_entry(report, drift) for drift in drifts)
            yield ChangeTable("aside", title, entries, titled=True, counts=False)


def drift_entry(report: DriftReport, drift: Drift, effects: Sequence[Effect] = ()) -> Entry:
    """Return one address as a reader sees it. ``effects`` are those of all drift, empty where it does not count."""
    before, after = _sides(drift)
    mark: Mark = "+" if before is None else "-" if after is None else "~"
    return Entry(
        mark,
        visible(drift.address),
        diffs(drift),
        drift.source,
        tuple(_notes(report, drift, effects)),
        f"drift.{drift.kind}",
        "warning" if effects else "note",
    )


def diffs(drift: Drift) -> tuple[Diff, ...]:
    """Return what changed, field by field: from the last applied value to that in the org, or as an apply would change
    it."""
    section, _ = split_address(drift.address)
    if drift.kind == "unknown":
        return ()
    before, after = _sides(drift)
    fields = field_changes(section, before, after)
    if before is None:
        return created(fields)
    if after is None:
        return deleted(fields)
    return tuple(
        changed(field)
        for field in fields
        if BY_SECTION[section].whole or (field.before is not None and field.after is not None)
    )


def _sides(drift: Drift) -> tuple[Value | None, Value | None]:
    """Return the values before and after: in the org, or, where only an apply is due, as the apply would set them."""
    return (drift.live, drift.desired) if drift.kind in ("differs", "unapplied") else (drift.last, drift.live)


def _notes(report: DriftReport, drift: Drift, effects: Sequence[Effect]) -> Iterable[Note]:
    counts = bool(effects)
    finding = report.findings.get(drift.address)
    if counts or drift.event or finding:
        yield Note(f"{CLASSES[drift.kind]}{_by(drift, finding)}", "plain" if counts else "dim")
    if finding is not None and (unknown := unknown_writer(finding)):
        yield Note(unknown, "dim")
    if writes := report.writes.get(drift.address):
        each = (f"{visible(at)} by {visible(by)}, {moment_words(when)}" for at, by, when in writes)
        yield Note(f"Of the fields: {'; '.join(each)}", "dim")
    if drift.new_admin:
        state = "New unmanaged mapping" if drift.last is None else "Unmanaged mapping, changed since the last apply"
        yield Note(f"{state}: it gives org admin.", "more")
    if drift.kind == "both":
        section, _ = split_address(drift.address)
        fields = field_changes(section, None, drift.desired)
        requested = ", ".join(f"{path}: {scalar(path, after)}" for path, _, after in fields)
        yield Note(f"The config has {requested or 'no entry here'}")
    if counts and drift.address in report.written:
        yield Note(written_words(report.written[drift.address]), "dim")
    if counts:
        yield from affected_users(effects, drift.address, managed=drift.managed)
        yield Note(f"Fingerprint: {drift.fingerprint}", "dim")


def _by(drift: Drift, finding: Finding | None) -> str:
    """Return who made a change and when, with a space before it; nothing if that is not certain."""
    if drift.event is not None:
        return f" {event_words(drift.event)}"
    return f" by {proofs_words(finding)}" if finding is not None and finding.status == "confirmed" else ""


def drift_table(report: DriftReport) -> Table:
    """Return a row for each address that is not in sync; values as JSON, users as counts of what the drift did.

    The last rows say what is unknown: address ``settings``, class ``unknown``, where no apply is recorded, and address
    ``people`` where users were not read completely.
    """
    unknown = [*([] if report.determined else ["settings"]), *([USERS] if USERS in report.unread else [])]
    closing = ((name, "unknown", "no", *("" for _ in COLUMNS[3:])) for name in unknown)
    return Table(COLUMNS, (*_drift_rows(report), *closing))


def _drift_rows(report: DriftReport) -> Iterator[tuple[str, ...]]:
    for drift in report.entries:
        counts = drift.fingerprint in report.counted
        tally = report.tally("did", drift.address) if counts else None
        users = ("", "", "") if tally is None else tuple(map(str, tally))
        event, last = drift.event, report.last_write(drift)
        yield (
            drift.address,
            drift.kind,
            "yes" if counts else "no",
            *(_value(drift.address, value) for value in (drift.last, drift.desired, drift.live)),
            last.by or "",
            last.at.isoformat() if last.at else "",
            (event.source_ip or "") if event else "",
            *users,
            f"{drift.source.file}:{drift.source.line}" if drift.source else "",
            drift.fingerprint,
        )


def _value(at: str, value: Value | None) -> str:
    section, _ = split_address(at)
    return "" if value is None else json.dumps(encode_value(section, value), ensure_ascii=False)
