"""A walk as lines for a terminal, a pipe or a file: `+ ~ -`, one change to a line, its people below it."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.plan.digest import short
from rolecall.plan.value import GuardResult, Verdict
from rolecall.report.again import again
from rolecall.report.banner import REHEARSAL
from rolecall.report.line import Line, Row, Span, Style, fits, line, width_of
from rolecall.report.phrases import place
from rolecall.report.problems import problem_line
from rolecall.report.verdicts import guard_words, passed_words
from rolecall.report.visible import cells, visible
from rolecall.report.walk import Entry, Part, Walk

_MARK_STYLE: dict[str, Style] = {"+": "add", "~": "change", "-": "remove", "↑": "warn"}
_VERDICT_STYLE: dict[Verdict, Style] = {
    "block": "error",
    "not judged": "error",
    "review": "warn",
    "allowed": "ok",
    "pass": "ok",
}
_DEEP = 6
_WIDE_ADDRESS = 44
_NARROW = 80


def plan_lines(walked: Walk, width: int | None = None) -> Iterator[Line]:
    """The plan from its first line to its last. ``width`` is the terminal's; None is a file or a pipe."""
    yield banner_line(walked.banner, walked.seen, alarm=bool(walked.plan.unread))
    if walked.headline:
        yield line(walked.headline, "bold")
    for part in walked.parts:
        yield from _part(part, width)
    yield from _asides(walked)
    yield from (line(note.text, note.tone, indent=2, hang=4) for note in walked.remain)
    yield from (problem_line(problem) for problem in walked.warnings)
    if walked.verdicts and (walked.people or walked.remain or walked.warnings):
        yield line()
    yield from _judgement(walked)
    yield line(walked.summary, "bold")
    yield from _next(walked)


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


def _part(part: Part, width: int | None) -> Iterator[Line]:
    yield line()
    yield Line((Span(part.title, "bold"), Span(f"  {part.total:,}", "dim")), hang=2)
    longest = max((cells(entry.address) for entry in part.entries), default=0)
    column = min(longest, _WIDE_ADDRESS) if width is None or width >= _NARROW else 0
    for entry in part.entries:
        yield from _entry(entry, column, width)
    if part.hidden:
        yield line(f"… and {part.hidden:,} more", "dim", indent=2)
    yield from (line(note.text, note.tone, indent=2, hang=2) for note in part.notes)


def _entry(entry: Entry, column: int, width: int | None) -> Iterator[Line]:
    """An entry's rows; its place stands at the end of the first row that has room for it, else below the fields."""
    mark: Row = (Span(f"{entry.mark} ", _MARK_STYLE[entry.mark]), Span(entry.address, "bold"))
    pad = Span(" " * (max(column - cells(entry.address), 0) + 3))
    what = _diffs(entry)
    one = (*mark, pad, *what) if what else mark
    notes = [line(note.text, note.tone, indent=_DEEP, hang=_DEEP) for note in entry.notes]
    if width is None or 2 + width_of(one) <= width:
        rows = [Line(one, 2, _DEEP), *notes]
    else:
        rows = [Line(mark, 2, _DEEP), Line(what, _DEEP, _DEEP), *notes]
    if entry.where:
        where: Row = (Span(place(entry.where), "dim"),)
        roomy = (at for at, row in enumerate(rows) if fits(row._replace(tail=where), width))
        at = next(roomy, len(rows) - len(notes) - 1)
        rows[at] = rows[at]._replace(tail=where)
    yield from rows


def _diffs(entry: Entry) -> Row:
    spans: list[Span] = []
    for diff in entry.diffs:
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
    yield from (line(note.text, note.tone, indent=2, hang=4) for note in walked.people)


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
            yield line(
                f"FAILED  {visible(test.name)}: {visible(test.message)}", "error", hang=8, tail=place(test.source)
            )


def _verdict(verdict: Verdict, guard: GuardResult) -> Line:
    label = Span(f"{verdict.upper():<8}", _VERDICT_STYLE[verdict])
    words, where = guard_words(guard), place(guard.source)
    tail: Row = (Span(where, "dim"),) if where and where not in words else ()
    return Line((label, Span(words)), hang=8, tail=tail)


FROM_A_FILE = ("rollback", "drift")
"""Reasons of changes that planning from the config would not give again: such a plan is applied from its file."""


def _next(walked: Walk) -> Iterator[Line]:
    plan = walked.plan
    env = f" -e {plan.org.env}" if plan.org.env else ""
    if walked.counted:
        yield line(f"People are not named here. To see who: rolecall plan{env} --people names", "dim", hang=2)
    if not plan.writes or plan.errored or plan.verdict == "block" or walked.digest is None:
        return
    if any(change.reason in FROM_A_FILE for change in plan.changes):
        yield Line((Span("Go on: ", "dim"), Span(f"save it with --out FILE, then rolecall apply{env} FILE")), hang=2)
        return
    same = "".join(f" {word}" for word in again(plan))
    yield Line((Span("Approve: ", "dim"), Span(f"rolecall apply{env}{same} --approve {short(walked.digest)}")), hang=2)
