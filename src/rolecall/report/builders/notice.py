"""What is news about drift, for a chat or a webhook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rolecall.drift.value import UNDETERMINED, DriftReport
from rolecall.report.builders.drift import DriftWalk, Entry, drift_walk
from rolecall.report.builders.drift_sentences import undetermined_sentence
from rolecall.report.builders.header import org_line
from rolecall.report.coverage import sections_sentence, users_sentence
from rolecall.report.phrases import visible

Cleared = Sequence[tuple[str, Mapping[str, Any]]]


def notice_text(found: DriftReport, new: Iterable[str], cleared: Cleared) -> str:
    """A few lines: the org, each new drift or alarm with who did it and whom it touches, each that cleared.

    ``new`` are fingerprints. ``found`` shows of people what it may.
    """
    return "\n".join(_lines(drift_walk(found), set(new), cleared))


def notice_document(found: DriftReport, new: Iterable[str], cleared: Cleared) -> dict[str, Any]:
    """The same for those who read JSON; nothing in it but what the text says."""
    wanted = set(new)
    rows = [row for row in found.drifts if row.fingerprint in wanted]
    return {
        "org": {"id": found.org.id, "name": found.org.name, "env": found.org.env},
        "at": found.at.isoformat(),
        "new": [
            {
                "address": row.address,
                "class": row.kind,
                "fingerprint": row.fingerprint,
                "who": row.event.actor if row.event else None,
                "when": row.event.at.isoformat() if row.event else None,
            }
            for row in rows
        ],
        "alarms": [
            {"kind": alarm.kind, "name": alarm.name, "fingerprint": alarm.fingerprint}
            for alarm in found.alarms
            if alarm.fingerprint in wanted
        ],
        "undetermined": None if found.determined else UNDETERMINED,
        "unread": list(found.unread),
        "not_evaluated": list(found.not_evaluated),
        "cleared": [{"fingerprint": key, "what": item["what"], "kind": item["kind"]} for key, item in cleared],
    }


def _lines(walked: DriftWalk, wanted: set[str], cleared: Cleared) -> Iterator[str]:
    yield org_line(walked.found.org)
    if not walked.found.determined:
        yield undetermined_sentence()
    for part in walked.parts:
        for entry in part.entries:
            if entry.row.fingerprint in wanted:
                yield _drift(entry)
    for alarm, note in walked.alarms:
        if alarm.fingerprint in wanted:
            yield f"Must not be: {note.text}"
    yield from filter(None, (sections_sentence(walked.found.coverage), users_sentence(walked.found.coverage)))
    yield from (f"Cleared: {visible(str(item['what']))} ({item['kind']})" for _, item in cleared)


def _drift(entry: Entry) -> str:
    what = " · ".join(map(str, entry.diffs))
    told = [note.text for note in entry.notes if note.tone != "dim" and not note.text.startswith("reverting: ")]
    return f"New drift: {entry.mark} {entry.address}{f' {what}' if what else ''} · {' · '.join(told)}"
