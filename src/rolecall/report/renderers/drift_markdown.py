"""A look for drift as Markdown, for an issue, a comment or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.report.builders.drift import DriftWalk
from rolecall.report.builders.drift_sentences import ways_on
from rolecall.report.findings import of_problems
from rolecall.report.phrases import place
from rolecall.report.renderers.markdown_text import COMMENT, RESERVE, Budget, code, marker, md, row, told


def drift_markdown(walked: DriftWalk, limit: int = COMMENT) -> str:
    """At most ``limit`` characters; what does not fit is left out from the end, and counted.

    The first line is a marker by which a comment or an issue is found again.
    """
    ways = (f"\n{label}: {code(command)}{md(f', {why}')}\n" for label, command, why in ways_on(walked.found))
    foot = f"{''.join(ways)}\n<sub>{md(walked.basis)}</sub>\n"
    out = Budget(limit - RESERVE - len(foot))
    for block in _head(walked):
        out.add(block)
    for part in (*walked.parts, *walked.aside):
        rows = (row(entry.mark, entry.address, entry.diffs, entry.notes, place(entry.where)) for entry in part.entries)
        out.fold(part.title, len(part.entries), "what moved", rows)
    if walked.news and out.add("\n**Not drift**\n\n"):
        for note in walked.news:
            out.add(f"- {told(note.text)}\n")
    for note in walked.inventory:
        out.add(f"\n{'⚠️ ' if note.tone == 'warn' else ''}{md(note.text)}\n")
    return "".join((*out.blocks, out.cut_words(), foot))


def _sign(walked: DriftWalk) -> str:
    found = walked.found
    if walked.parts or walked.alarms:
        return "🔶"
    return "✅" if found.determined and not found.unread else "⚠️"


def _head(walked: DriftWalk) -> Iterator[str]:
    org = walked.found.org
    yield f"{marker('drift', org.id, org.env)}\n"
    yield f"### {_sign(walked)} {md(walked.banner)}\n\n"
    yield f"**{md(walked.headline)}**\n\n{md(walked.summary)} {md(walked.seen[:1].upper() + walked.seen[1:])}.\n\n"
    yield from (f"- {md(text)}\n" for text in walked.impact)
    yield from (f"- ⛔ {told(note.text)} {code(place(alarm.source))}\n" for alarm, note in walked.alarms)
    yield from (f"- ⚠️ {told(finding.message)}\n" for finding in of_problems(walked.warnings))
