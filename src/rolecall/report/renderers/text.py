"""A walk as lines for a terminal, a pipe or a file: `+ ~ -`, one change to a line, its people below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.plan.value import GuardResult, Verdict
from rolecall.report.builders.changes import Diff
from rolecall.report.builders.checks import guard_place, guard_words, passed_words
from rolecall.report.builders.header import REHEARSAL
from rolecall.report.builders.next_steps import REFUSED, naming, next_step
from rolecall.report.builders.plan import ASIDE, Entry, Mark, Note, Part, Tone, Walk
from rolecall.report.builders.problems import problem_line
from rolecall.report.line import WIDEST, Line, Row, Span, Style, fits, line
from rolecall.report.phrases import cells, count, place, visible

_MARK_STYLE: dict[str, Style] = {"+": "add", "~": "change", "-": "remove", "↑": "warn"}
TONES: dict[Tone, Style] = {"dim": "dim", "plain": "plain", "risk": "risk", "warn": "warn"}
_VERDICT_STYLE: dict[Verdict, Style] = {
    "block": "error",
    "not judged": "error",
    "review": "warn",
    "allowed": "ok",
    "pass": "ok",
}
DEEP = 6
"""Columns that what is told below an address is indented by."""

_WIDE_ADDRESS = 44
MOST_WARNINGS = 20
"""Warnings told one by one; more than that are counted, for nobody reads them here."""

_NARROW = 80


def plan_lines(walked: Walk, width: int | None = None) -> Iterator[Line]:
    """The plan from its first line to its last. ``width`` is the terminal's; None is a file or a pipe."""
    yield banner_line(walked.banner, walked.seen, alarm=bool(walked.plan.unread))
    if walked.headline:
        yield line(walked.headline, "bold")
    sections = _column([part for part in walked.parts if part.key not in ASIDE], width)
    for number, part in enumerate(walked.parts):
        column = _column([part], width) if part.key in ASIDE else sections
        yield from _part(part, column, width, first=number == 0)
    yield from _asides(walked)
    yield from (line(note.text, note.tone, indent=2, hang=4) for note in walked.remain)
    yield from _warnings(walked)
    if walked.verdicts and (walked.people or walked.policy or walked.remain or walked.warnings):
        yield line()
    yield from _judgement(walked)
    yield line(walked.summary, "bold")
    yield from _next(walked, width)


def brief_lines(walked: Walk) -> Iterator[Line]:
    """The plan for somebody who has seen it: the org, the headline, the counts."""
    yield banner_line(walked.banner, walked.seen, alarm=bool(walked.plan.unread))
    if walked.headline:
        yield line(walked.headline, "bold")
    yield line(walked.summary, "bold")


def banner_line(text: str, seen: str = "", *, alarm: bool = False) -> Line:
    """The first line: the org, and to the right how much of it was seen."""
    spans: Row = (Span(text, "head"),)
    if text.startswith(REHEARSAL):
        spans = (Span(REHEARSAL, "warn"), Span(text.removeprefix(REHEARSAL), "head"))
    return Line(spans, hang=2, tail=(Span(seen, "error" if alarm else "dim"),) if seen else ())


def _column(parts: Iterable[Part], width: int | None) -> int:
    """Where the fields begin, one below the other; nowhere in particular on a narrow terminal."""
    if width is not None and width < _NARROW:
        return 0
    longest = max((cells(entry.address) for part in parts for entry in part.entries), default=0)
    return min(longest, _WIDE_ADDRESS)


def _part(part: Part, column: int, width: int | None, *, first: bool) -> Iterator[Line]:
    """A part's entries; those of a section need no title, for each address begins with it."""
    titled = part.key in ASIDE
    if titled or first:
        yield line()
    if titled:
        yield Line((Span(part.title, "bold"), Span(f"  {part.total:,}", "dim")), hang=2)
    for entry in part.entries:
        yield from entry_lines(entry.mark, entry.address, entry.diffs, place(entry.where), column, width)
        yield from _notes(entry, width)
    if part.hidden:
        yield line(f"… and {part.hidden:,} more", "dim", indent=2)
    yield from (line(note.text, note.tone, indent=2, hang=2) for note in part.notes)


def entry_lines(
    mark: Mark, address: str, diffs: tuple[Diff, ...], where: str, column: int, width: int | None
) -> Iterator[Line]:
    """What changes at an address, and to the right its place: in one row, or the fields below the address."""
    head: Row = (Span(f"{mark} ", _MARK_STYLE[mark]), Span(address, "bold"))
    tail: Row = (Span(where, "dim"),) if where else ()
    what = _fields(diffs)
    if not what:
        yield Line(head, 2, DEEP, tail)
        return
    gaps = (max(column - cells(address), 0) + 3, 3)
    rows = [Line((*head, Span(" " * gap), *what), 2, DEEP, tail) for gap in gaps]
    above = Line(head, 2, DEEP, tail)
    if fits(rows[-1], width):
        yield next(row for row in rows if fits(row, width))
    elif fits(above, width) or not where:
        yield from (above, Line(what, DEEP, DEEP))
    else:
        yield from (above._replace(tail=()), Line(what, DEEP, DEEP, tail))


def note_line(note: Note) -> Line:
    """A sentence below what it is about."""
    return line(note.text, TONES[note.tone], indent=DEEP, hang=DEEP)


def _notes(entry: Entry, width: int | None) -> Iterator[Line]:
    """The sentences below an entry: the people, then the reasons behind them in the same row where there is room."""
    if len(entry.notes) == 2 and entry.notes[1].tone == "dim":
        told, why = entry.notes
        spans = (Span(told.text.removesuffix("."), TONES[told.tone]), Span(f" · {why.text}", "dim"))
        if fits(Line(spans, DEEP), min(width or WIDEST, WIDEST)):
            yield Line(spans, DEEP, DEEP)
            return
    yield from map(note_line, entry.notes)


def _fields(diffs: tuple[Diff, ...]) -> Row:
    spans: list[Span] = []
    for diff in diffs:
        spans += [Span(" · ", "dim")] if spans else []
        spans.append(Span(f"{diff.path}: ", "dim"))
        if diff.before is not None:
            spans += [Span(diff.before, "remove"), Span(" → "), Span(diff.after, "add")]
        else:
            spans.append(Span(diff.after))
    return tuple(spans)


def _asides(walked: Walk) -> Iterator[Line]:
    if walked.parts:
        yield line()
    yield from (line(note.text, note.tone, indent=2, hang=4) for note in (*walked.people, *walked.policy))


def _warnings(walked: Walk) -> Iterator[Line]:
    found, more = walked.worst(MOST_WARNINGS)
    yield from map(problem_line, found)
    if more:
        yield line(f"… and {count(more, 'warning')} more; --format json has them all", "dim")


def _judgement(walked: Walk) -> Iterator[Line]:
    for verdict, guards in walked.verdicts:
        if verdict == "pass":
            yield line(passed_words(guards), "ok", indent=8, hang=8)
        else:
            for guard in guards:
                yield _verdict(verdict, guard)
                yield from (line(visible(way), "dim", indent=8, hang=10) for way in guard.ways)
    for test in walked.plan.access_tests:
        if not test.passed:
            told = f"{test.label:<8}{visible(test.name)}: {visible(test.message)}"
            yield line(told, "error" if test.refuses else "dim", hang=8, tail=place(test.source))


def _verdict(verdict: Verdict, guard: GuardResult) -> Line:
    label = Span(f"{verdict.upper():<7} ", _VERDICT_STYLE[verdict])
    where = guard_place(guard)
    return Line((label, Span(guard_words(guard))), hang=8, tail=(Span(where, "dim"),) if where else ())


def _next(walked: Walk, width: int | None) -> Iterator[Line]:
    """How to see who, and what to do now."""
    if walked.counted:
        yield line(f"People are not named here. To see who: {naming(walked.plan)}", "dim", hang=2)
    step = next_step(walked.plan, walked.digest)
    if step is None:
        return
    said = " ".join(part for part in (step.words, step.command) if part)
    first: Row = (Span(f"{step.label}: ", "error" if step.label == REFUSED else "dim"), Span(said))
    aside: Row = (Span(f"{step.aside_label}: ", "dim"), Span(step.aside)) if step.aside else ()
    both = Line((*first, Span("   "), *aside), hang=2)
    yield from (both,) if aside and fits(both, width) else (Line(row, hang=2) for row in (first, aside) if row)
