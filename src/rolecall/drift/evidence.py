"""Looks a change up in an audit log: whether a record proves it, and otherwise why none does. Nothing is guessed.

A record proves a field if it succeeded, names the entry, and the table of documented actions has just its words and
says that they change this field, to this value or without stating it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rolecall.codec.audit_table import ENTRY, changes_of, is_logged, sections_of_area
from rolecall.model.audit import CLOCKS, AuditLog, AuditRecord
from rolecall.model.evidence import Finding, Proof, Question, Status, is_another
from rolecall.model.kinds import field_address, field_changes, split_address
from rolecall.plan.dates import moment_words


class _Field(NamedTuple):
    """One field of a change: its name in the table, its address, and its new value."""

    name: str
    address: str
    value: Any


class _Shown(NamedTuple):
    """A record that shows one field, at this machine's time, and the value that it states, None for none."""

    at: datetime
    record: AuditRecord
    value: Any


def is_any_logged(question: Question) -> bool:
    """Return whether a record can show the change, as far as WRITER's documentation says."""
    section = split_address(question.address)[0]
    return any(is_logged(section, field.name, field.value) for field in _fields(question))


def look_up(question: Question, log: AuditLog) -> Finding:
    """Return what a log shows of a change. Its records may have any order."""
    fields = _fields(question)
    section = split_address(question.address)[0]
    logged = [field for field in fields if is_logged(section, field.name, field.value)]
    unlogged = tuple(field.address for field in fields if field not in logged)
    if not logged:
        return Finding("not_logged", unlogged=unlogged)
    findings = [_of_field(question, field, log) for field in logged]
    status = next(status for status in _ORDER if any(finding.status == status for finding in findings))
    return Finding(
        status,
        _merged(proof for finding in findings for proof in finding.proofs),
        tuple(field.address for field, finding in zip(logged, findings, strict=True) if not finding.proofs),
        unlogged,
        next((finding.problem for finding in findings if finding.status == status), None),
    )


_ORDER: tuple[Status, ...] = ("unread", "not_in_log", "unclear", "another_actor", "confirmed")
"""The status of a change of several fields is the first of these that one of them has."""


def _fields(question: Question) -> tuple[_Field, ...]:
    """Return the fields that change. Of an entry that comes or goes, that is the first one."""
    section, key = split_address(question.address)
    changes = field_changes(section, question.before, question.after)
    fields = tuple(
        _Field(change.path, field_address(question.address, change.path), change.after)
        for change in changes
        if change.after is not None
    )
    if key is not None and (question.before is None) != (question.after is None):
        return (_Field(ENTRY, question.address, None),)
    return fields or (_Field("", question.address, None),)


def _of_field(question: Question, field: _Field, log: AuditLog) -> Finding:
    """Return what a log shows of one field."""
    now = question.end if log.position is None else log.position.read_at
    shown, possible = [], set[tuple[str, str]]()
    for record in log.records:
        at = log.time_of(record)
        if at is not None and not question.start - CLOCKS <= at <= question.end:
            continue
        value = _value(question, field, record)
        if at is None or value is None:
            possible |= {(record.key, record.unrecognized or _UNNAMED)} if _may_be(question, field, record) else set()
        elif at > now + CLOCKS:
            possible.add((record.key, _FUTURE))
        elif value.stated is None and question.reported is None and at < question.start + CLOCKS:
            possible.add((record.key, _AT_START))
        elif value.stated is None and at < question.start:
            possible.add((record.key, _BEFORE_RUN))
        elif value.stated is None and question.rival is not None and at >= question.rival:
            possible.add((record.key, _RIVAL))
        else:
            shown.append(_Shown(at, record, value.stated))
    shown.sort(key=lambda item: (item.at, item.record.key))
    finding = (
        _last_writer(question, field, shown, log) if question.reported is None else _report(question, field, shown)
    )
    return finding or _without_proof(question, log, possible)


def _report(question: Question, field: _Field, shown: Sequence[_Shown]) -> Finding | None:
    """Return the proof of a field that was reported done: the last state before the report, or a record after it."""
    assert question.reported is not None
    before = [item for item in shown if item.at <= question.reported + CLOCKS]
    standing, undone = _standing(field, before)
    by_user = [item for item in standing if not is_another(question.by, item.record.actor)]
    after = [item for item in shown[len(before) :] if _fits(field, item)]
    chosen = next(iter((*reversed(by_user), *reversed(standing), *after)), None)
    if chosen is not None:
        by_another = is_another(question.by, chosen.record.actor)
        return Finding("another_actor" if by_another else "confirmed", (_proof(field, chosen),))
    return _undone(field, undone) if any(_fits(field, item) for item in shown) else None


def _last_writer(question: Question, field: _Field, shown: Sequence[_Shown], log: AuditLog) -> Finding | None:
    """Return the record that set the value of a field. It is certain only if the log was read for the whole time, and,
    without values in records, if there is only one."""
    standing, undone = _standing(field, shown)
    if not standing:
        return _undone(field, undone) if any(_fits(field, item) for item in shown) else None
    candidates = standing[:1] if standing[0].value is not None else standing
    proofs = tuple(_proof(field, item) for item in candidates)
    problem = unread_words(question, log)
    if problem is None and len(candidates) > 1:
        problem = f"{len(candidates):,} records of the audit log may be about it ({_UNSTATED})"
    return Finding("confirmed" if problem is None else "unclear", proofs, problem=problem)


def _standing(field: _Field, shown: Sequence[_Shown]) -> tuple[Sequence[_Shown], _Shown | None]:
    """Return the records of a field's value since it was last changed to another one, and the record that did so.

    Of two records of one moment, either may be the later one, so neither proves a value that the other contradicts.
    """
    undoing = [item for item in shown if not _fits(field, item)]
    return ([item for item in shown if item.at > undoing[-1].at], undoing[-1]) if undoing else (shown, None)


def _undone(field: _Field, undone: _Shown | None) -> Finding | None:
    if undone is None:
        return None
    change = f"{field.address} was changed again by {undone.record.actor or 'an unknown user'}"
    return Finding("unclear", problem=f"{change} on {moment_words(undone.at)}")


_UNNAMED = "the setting is not named"
_RIVAL = "another value was requested as well"
_UNSTATED = "they do not state values"
_AT_START = "its time is that of the last apply"
_BEFORE_RUN = "its time is before the run began"
_FUTURE = "its time is later than that of the reading"
"""Say why a record may be about a change, but does not prove it."""


def _without_proof(question: Question, log: AuditLog, possible: Collection[tuple[str, str]]) -> Finding:
    """Return why no record proves a change. ``possible`` are those that may be about it, each with the reason."""
    if possible:
        number = "1 record" if len(possible) == 1 else f"{len(possible):,} records"
        reasons = ", ".join(sorted({reason for _, reason in possible}))
        return Finding("unclear", problem=f"{number} of the audit log may be about it ({reasons})")
    if (problem := unread_words(question, log)) is not None:
        return Finding("unread", problem=problem)
    return Finding("not_in_log", problem=_unsettled(question, log))


SETTLED = timedelta(days=1)
"""The time after which a record of a change is expected in the log, which lists settled records only."""


def _unsettled(question: Question, log: AuditLog) -> str | None:
    """Return that a record may still come; None if the log was read long enough after the change."""
    ended = None if log.position is None else log.position.ended_at
    if ended is None or ended - (question.reported or question.end) >= SETTLED:
        return None
    return f"the log was read on {moment_words(ended)}, and records appear with a delay"


def _fits(field: _Field, item: _Shown) -> bool:
    return item.value is None or item.value == field.value


class _Value(NamedTuple):
    """The value that a record states of a field, None where it states none."""

    stated: Any


def _value(question: Question, field: _Field, record: AuditRecord) -> _Value | None:
    """Return the value that a record shows a field to be changed to; None if it does not prove a change of it."""
    changes = changes_of(record.area, record.action) or {}
    if not record.counts or question.address not in record.addresses or field.name not in changes:
        return None
    return _Value(changes[field.name])


def _may_be(question: Question, field: _Field, record: AuditRecord) -> bool:
    """Return whether a record may be about a field although it does not prove it."""
    if record.result == "failure":
        return False
    if not record.action:
        return True
    section, key = split_address(question.address)
    if section not in (*record.sections, *sections_of_area(record.area, record.action)):
        return False
    changes = changes_of(record.area, record.action)
    if changes is not None and field.name not in changes:
        return False
    named = {split_address(at)[1] for at in record.addresses if split_address(at)[0] == section} - {None}
    return key is None or not named or key in named


def _proof(field: _Field, shown: _Shown) -> Proof:
    record = shown.record
    return Proof(
        record.key,
        shown.at,
        record.actor,
        record.area,
        record.action,
        record.object,
        record.source,
        (field.address,),
        shown.value is not None,
        record.at if record.at != shown.at else None,
    )


def _merged(proofs: Iterator[Proof]) -> tuple[Proof, ...]:
    """Return each record once, with all the fields that it shows, oldest first."""
    merged: dict[str, Proof] = {}
    for proof in proofs:
        known = merged.get(proof.key)
        merged[proof.key] = proof if known is None else known._replace(fields=(*known.fields, *proof.fields))
    return tuple(sorted(merged.values(), key=lambda proof: (proof.at, proof.key)))


def unread_words(question: Question, log: AuditLog) -> str | None:
    """Return why a log does not cover the time of a change, as a sentence; None if it does."""
    position = log.position
    if log.unread is not None or position is None:
        return log.unread
    if position.since - question.start > CLOCKS:
        return f"the records before {moment_words(position.since)} are unknown"
    gap = next((gap for gap in position.gaps if gap.end > question.start and gap.start < question.end), None)
    if gap is not None:
        return f"the audit log may lack records from {moment_words(gap.start)} to {moment_words(gap.end)}"
    if position.ended_at is None:
        return "the audit log was never read to its end"
    if position.ended_at < (question.reported or question.end):
        return f"the audit log was last read on {moment_words(position.ended_at)}"
    return None
