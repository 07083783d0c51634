"""A look for drift as lines for a terminal, a pipe or a file."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.report.drift_walk import DriftWalk, Part
from rolecall.report.line import Line, Span, Style, line
from rolecall.report.phrases import place
from rolecall.report.problems import problem_line
from rolecall.report.text import TONES, banner_line, entry_lines, note_line


def drift_lines(walked: DriftWalk, width: int | None = None) -> Iterator[Line]:
    """What was found from the first line to the last. ``width`` is the terminal's; None is a file or a pipe."""
    found = walked.found
    yield banner_line(walked.banner, walked.seen, alarm=bool(found.unread))
    yield line(walked.headline, "bold")
    yield from (line(text, hang=2) for text in walked.impact)
    yield line(walked.basis, "dim")
    for part in walked.parts:
        yield from _part(part, width, "bold")
    if walked.alarms:
        yield line()
        yield line("The config says this must not be", "bold")
        for alarm, note in walked.alarms:
            yield line(note.text, "warn", indent=2, hang=4, tail=place(alarm.source))
    for part in walked.aside:
        yield from _part(part, width, "dim")
    if walked.news:
        yield line()
        yield line("Not drift", "bold")
        yield from (line(note.text, TONES[note.tone], indent=2, hang=4) for note in walked.news)
    if walked.inventory:
        yield line()
        yield from (line(note.text, TONES[note.tone], indent=2, hang=4) for note in walked.inventory)
    yield from (problem_line(problem) for problem in walked.warnings)
    yield line()
    yield line(walked.summary, "bold")
    yield from _next(walked)


def _part(part: Part, width: int | None, style: Style) -> Iterator[Line]:
    yield line()
    yield Line((Span(part.title, style), Span(f"  {len(part.entries):,}", "dim")), hang=2)
    for entry in part.entries:
        yield from entry_lines(entry.mark, entry.address, entry.diffs, place(entry.where), 0, width)
        yield from map(note_line, entry.notes)


def _next(walked: DriftWalk) -> Iterator[Line]:
    """What can be done about it."""
    if not walked.parts:
        return
    org = walked.found.org
    env = f" -e {org.env}" if org.env else ""
    yield line(f"Keep it: rolecall drift{env} --accept, which changes the YAML here, to be reviewed", "dim", hang=2)
    yield line(f"Undo it: rolecall drift{env} --revert --out revert.json, then rolecall apply{env} revert.json", "dim")
