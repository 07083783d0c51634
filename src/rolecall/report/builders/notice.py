"""Report what is new about drift since the last notice, for a chat or a webhook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rolecall.drift.value import UNDETERMINED, DriftReport
from rolecall.report.builders.drift import drift_entry, drifts_by_section, violation_words
from rolecall.report.builders.drift_sentences import REVERTING, effects_of, undetermined_sentence
from rolecall.report.builders.header import org_banner, outdated_sentence, sections_sentence, users_sentence
from rolecall.report.document import Entry
from rolecall.report.phrases import visible

Cleared = Sequence[tuple[str, Mapping[str, Any]]]


def notice_text(report: DriftReport, new: Iterable[str], cleared: Cleared) -> str:
    """Return a few lines: the org, each new drift or violation with who did it and which users are affected, and each
    that cleared.

    ``new`` are fingerprints. ``report`` shows of users what it may.
    """
    return "\n".join(_lines(report, set(new), cleared))


def notice_document(report: DriftReport, new: Iterable[str], cleared: Cleared) -> dict[str, Any]:
    """Return the same for those who read JSON; nothing in it but what the text says."""
    fingerprints = set(new)
    return {
        "org": {"id": report.org.id, "name": report.org.name, "env": report.org.env},
        "at": report.at.isoformat(),
        "new": [
            {
                "address": drift.address,
                "class": drift.kind,
                "fingerprint": drift.fingerprint,
                "who": report.last_write(drift).by,
                "when": at.isoformat() if (at := report.last_write(drift).at) else None,
            }
            for drift in report.drifts
            if drift.fingerprint in fingerprints
        ],
        "alarms": [
            {"kind": alarm.kind, "name": alarm.name, "fingerprint": alarm.fingerprint}
            for alarm in report.alarms
            if alarm.fingerprint in fingerprints
        ],
        "undetermined": None if report.determined else UNDETERMINED,
        "unread": list(report.unread),
        **({"changed_since": list(report.outdated)} if report.outdated else {}),
        "not_evaluated": list(report.not_evaluated),
        "cleared": [{"fingerprint": key, "what": item["what"], "kind": item["kind"]} for key, item in cleared],
    }


def _lines(report: DriftReport, fingerprints: set[str], cleared: Cleared) -> Iterator[str]:
    yield org_banner(report.org).text
    if not report.determined:
        yield undetermined_sentence()
    effects = effects_of(report)
    for _, drifts in drifts_by_section(report):
        for drift in drifts:
            if drift.fingerprint in fingerprints:
                yield _drift(drift_entry(report, drift, effects))
    for alarm in report.alarms:
        if alarm.fingerprint in fingerprints:
            yield f"Policy violation: {violation_words(alarm)}"
    unread = (sections_sentence(report.coverage), users_sentence(report.coverage), outdated_sentence(report.coverage))
    yield from filter(None, unread)
    yield from (f"Cleared: {visible(str(item['what']))} ({item['kind']})" for _, item in cleared)


def _drift(entry: Entry) -> str:
    fields = " · ".join(map(str, entry.diffs))
    notes = [note.text for note in entry.notes if note.tone != "dim" and not note.text.startswith(REVERTING)]
    return f"New drift: {entry.mark} {entry.address}{f' {fields}' if fields else ''} · {' · '.join(notes)}"
