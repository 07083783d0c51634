"""A look for drift as a pipeline reads it: findings, JUnit suites, counts, and a table for a spreadsheet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from rolecall.codec.settings import encode_value
from rolecall.drift.value import UNDETERMINED, DriftReport
from rolecall.model.kinds import split_address
from rolecall.model.settings import Value
from rolecall.plan.coverage import USERS
from rolecall.report.builders.drift import DriftWalk, Entry
from rolecall.report.builders.drift_sentences import undetermined_sentence
from rolecall.report.coverage import users_sentence
from rolecall.report.findings import Finding, Level, of_problems, worst_first
from rolecall.report.phrases import visible
from rolecall.report.renderers.csv import table
from rolecall.report.renderers.junit import Case

COLUMNS = (
    "address", "class", "counts", "last", "desired", "live", "who", "when", "from", "gain", "lose", "change",
    "source", "fingerprint",
)  # fmt: skip


def drift_findings(walked: DriftWalk) -> list[Finding]:
    """What must not be as errors, drift as warnings, the rest as notes; worst first."""
    found = [Finding("error", f"drift.{alarm.kind}", note.text, alarm.source) for alarm, note in walked.alarms]
    if not walked.found.determined:
        found.append(Finding("error", "drift.undetermined", undetermined_sentence()))
    found += of_problems(walked.warnings, "drift")
    for part in (*walked.parts, *walked.aside):
        for entry in part.entries:
            level: Level = "warning" if entry.counts else "note"
            found.append(Finding(level, f"drift.{entry.row.kind}", entry_words(entry), entry.where))
    found += [Finding("note", "drift.news", note.text) for note in walked.news]
    return worst_first(found)


def entry_words(entry: Entry) -> str:
    """One address in one line: what moved, who did it, whom it touches."""
    told = [f"{entry.mark} {entry.address}", *map(str, entry.diffs), *(note.text for note in entry.notes)]
    return " · ".join(told)


def drift_suites(walked: DriftWalk) -> list[tuple[str, list[Case]]]:
    """A case for each section that was looked at, which fails with its drift; one for each thing that must not be."""
    drifts = {part.title: part.entries for part in walked.parts}
    sections = []
    for section in sorted({*walked.found.coverage, *drifts}):
        if section in walked.found.unread:
            sections.append(Case(section, _unread_words(section, walked), error=True))
            continue
        if not walked.found.determined and section not in drifts and section != USERS:
            sections.append(Case(section, undetermined_sentence(), error=True))
            continue
        told = "\n".join(entry_words(entry) for entry in drifts.get(section, ()))
        where = next((entry.where for entry in drifts.get(section, ())), None)
        sections.append(Case(section, told or None, where=where))
    alarms = [Case(visible(alarm.name), note.text, where=alarm.source) for alarm, note in walked.alarms]
    alarms += [Case(kind, "not evaluated: users were not read", error=True) for kind in walked.found.not_evaluated]
    return [("drift", sections), ("must not be", alarms)]


def _unread_words(section: str, walked: DriftWalk) -> str:
    if section == USERS:
        return users_sentence(walked.found.coverage)
    return "not read completely, so nothing is known about it"


def drift_gitlab(walked: DriftWalk) -> str:
    """Counts as GitLab's widget reads them: what somebody created, updated and deleted in the org. ``unread`` lists
    what could not be read, if anything, and ``undetermined`` why drift is unknown; the widget ignores both."""
    marks = Counter(entry.mark for part in walked.parts for entry in part.entries)
    found = walked.found
    unknown: dict[str, object] = {"unread": list(found.unread)} if found.unread else {}
    unknown |= {} if found.determined else {"undetermined": UNDETERMINED}
    return json.dumps({"create": marks["+"], "update": marks["~"], "delete": marks["-"], **unknown}) + "\n"


def drift_csv(found: DriftReport) -> str:
    """A line for each address that is not in sync; values as JSON, people as counts of what the drift did.

    The last lines say what is unknown: address ``settings``, class ``unknown``, where no apply is recorded, and address
    ``people`` where users were not read completely.
    """
    unknown = [*([] if found.determined else ["settings"]), *([USERS] if USERS in found.unread else [])]
    lines = ((name, "unknown", "no", *("" for _ in COLUMNS[3:])) for name in unknown)
    return table(COLUMNS, (*_rows(found), *lines))


def _rows(found: DriftReport) -> Iterator[tuple[str, ...]]:
    for row in found.rows:
        counts = row.fingerprint in found.counted
        tally = found.tally("did", row.address) if counts else None
        people = ("", "", "") if tally is None else tuple(map(str, tally))
        event = row.event
        yield (
            row.address,
            row.kind,
            "yes" if counts else "no",
            *(_value(row.address, value) for value in (row.last, row.desired, row.live)),
            event.actor if event else "",
            event.at.isoformat() if event else "",
            (event.source_ip or "") if event else "",
            *people,
            f"{row.source.file}:{row.source.line}" if row.source else "",
            row.fingerprint,
        )


def _value(at: str, value: Value | None) -> str:
    section, _ = split_address(at)
    return "" if value is None else json.dumps(encode_value(section, value), ensure_ascii=False)
