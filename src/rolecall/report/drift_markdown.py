"""A look for drift as Markdown, for an issue, a comment or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.report.drift_walk import DriftWalk, Entry
from rolecall.report.findings import of_problems
from rolecall.report.markdown import COMMENT, code, md
from rolecall.report.phrases import count, place

_ROOM = COMMENT - 400
_TABLE = "| | address | what moved | where |\n|---|---|---|---|\n"


def drift_markdown(walked: DriftWalk, limit: int = _ROOM) -> str:
    """At most ``limit`` characters and a line; what does not fit is left out from the end, and counted.

    The first line is a marker by which a comment or an issue is found again.
    """
    kept: list[str] = []
    left, room = 0, limit
    for block in _blocks(walked):
        if len(block) > room:
            left += 1
            room = 0
        else:
            kept.append(block)
            room -= len(block)
    if left:
        kept.append(f"\n_{count(left, 'entry')} left out here for want of room; the JSON report has them all._\n")
    return "".join(kept)


def _blocks(walked: DriftWalk) -> Iterator[str]:
    org = walked.found.org
    yield f"<!-- rolecall:drift:{_plain(org.id)}:{_plain(org.env or '')} -->\n"
    yield f"### {'🔶' if walked.parts or walked.alarms else '✅'} {md(walked.banner)}\n\n"
    yield f"**{md(walked.headline)}**\n\n{md(walked.summary)} {md(walked.seen)}.\n\n"
    yield from (f"- {md(text)}\n" for text in walked.impact)
    yield from (f"- ⛔ {md(note.text)} {_where(place(alarm.source))}\n" for alarm, note in walked.alarms)
    yield from (f"- ⚠️ {md(finding.message)}\n" for finding in of_problems(walked.warnings))
    for part in (*walked.parts, *walked.aside):
        yield f"\n**{md(part.title)}** · {len(part.entries):,}\n\n{_TABLE}"
        yield from map(_row, part.entries)
    if walked.news:
        yield "\n**Not drift**\n\n"
        yield from (f"- {md(note.text)}\n" for note in walked.news)
    yield from (f"\n{md(note.text)}\n" for note in walked.inventory)
    yield f"\n<sub>{md(walked.basis)}</sub>\n"


def _row(entry: Entry) -> str:
    told = [md(str(diff)) for diff in entry.diffs]
    told += [f"{'🔶 ' if note.tone == 'risk' else ''}{md(note.text)}" for note in entry.notes]
    return f"| {code(entry.mark)} | {code(entry.address)} | {'<br>'.join(told)} | {_where(place(entry.where))} |\n"


def _where(text: str) -> str:
    return code(text) if text else ""


def _plain(text: str) -> str:
    return "".join(char for char in text if char.isascii() and (char.isalnum() or char in "_."))
