"""A look for drift as lines for a terminal, a pipe or a file."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.report.builders.drift import DriftWalk, Part
from rolecall.report.builders.drift_sentences import ways_on
from rolecall.report.builders.problems import problem_line
from rolecall.report.line import Line, Span, line
from rolecall.report.phrases import place
from rolecall.report.renderers.text import TONES, banner_line, entry_lines, note_line


def drift_lines(walked: DriftWalk, width: int | None = None) -> Iterator[Line]:
    """What was found from the first line to the last. ``width`` is the terminal's; None is a file or a pipe."""
    found = walked.found
    yield banner_line(walked.banner, walked.seen, alarm=bool(found.unread) or not found.determined)
    yield line(walked.headline, "bold")
    yield from (line(text, hang=2) for text in walked.impact)
    yield line(walked.basis, "dim")
    if walked.parts:
        yield line()
    for part in walked.parts:
        yield from _entries(part, width)
    if walked.alarms:
        yield line()
        yield line("The config says this must not be", "bold")
        for alarm, note in walked.alarms:
            yield line(note.text, "warn", indent=2, hang=4, tail=place(alarm.source))
    for part in walked.aside:
        yield line()
        yield Line((Span(part.title, "dim"), Span(f"  {len(part.entries):,}", "dim")), hang=2)
        yield from _entries(part, width)
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


def _entries(part: Part, width: int | None) -> Iterator[Line]:
    for entry in part.entries:
        yield from entry_lines(entry.mark, entry.address, entry.diffs, place(entry.where), 0, width)
        yield from map(note_line, entry.notes)


def _next(walked: DriftWalk) -> Iterator[Line]:
    for label, command, why in ways_on(walked.found):
        yield Line((Span(f"{label}: ", "dim"), Span(command), Span(f", {why}" if why else "", "dim")), hang=2)
