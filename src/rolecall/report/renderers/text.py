"""A document as lines for a terminal, a pipe or a file: one idea per line, in the order in which a reviewer reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from rolecall.model.kinds import SECTIONS
from rolecall.report.document import (
    REHEARSAL,
    Banner,
    ChangeTable,
    CheckResult,
    Diff,
    Document,
    Entry,
    Mark,
    Note,
    Part,
    Sense,
    Tone,
)
from rolecall.report.escalation import MOST_ESCALATIONS, MOST_NAMES
from rolecall.report.line import Line, Span, Spans, Style, fits, line
from rolecall.report.phrases import cells, count, place, visible
from rolecall.report.renderers.alike import combine_alike

_MARKS: Mapping[Mark, Style] = {"+": "more", "~": "bold", "-": "less", "↑": "more"}
_LABELS: Mapping[str, Style] = {"block": "error", "not judged": "error", "review": "alert", "allowed": "plain"}
_TONES: Mapping[Tone, Style] = {
    "detail": "dim",
    "dim": "dim",
    "plain": "plain",
    "more": "more",
    "risk": "less",
    "warn": "warn",
}
_SENSES: Mapping[Sense, Style] = {"same": "plain", "more": "more", "less": "less", "new": "bold"}
_PLAIN: Style = "plain"
_DEEP = 6
"""Columns that the lines below an address are indented by."""

_BODY = 10
"""Columns that the text of a guard is indented by, after its label."""

_WIDE_ADDRESS = 44
MOST_PROBLEMS = 20
"""Problems that are shown one by one; more are counted."""

_NARROW = 80


def document_lines(document: Document, width: int | None = None, *, verbose: bool = False) -> Iterator[Line]:
    """Yield a report from its first line to its last.

    ``width`` is that of the terminal, None for a file or a pipe. ``verbose`` adds details, such as the guards that
    passed.
    """
    yield banner_line(document.banner)
    if document.idp:
        yield banner_line(document.idp)
    yield from _summary(document, verbose=verbose)
    yield from _changes(document, width, verbose=verbose)
    yield from _users(document, verbose=verbose)
    yield from _guards(document, width, verbose=verbose)
    yield from _inventory(document)
    yield from _warnings(document)
    yield from next_lines(document, width)


def brief_lines(document: Document) -> Iterator[Line]:
    """Yield a report for a reader who has read it before: the org and the summary."""
    yield banner_line(document.banner)
    yield from _summary(document)


def banner_line(banner: Banner) -> Line:
    """Return the first line: the org, and to the right how much of it was read."""
    spans: Spans = (Span(banner.text, "head"),)
    if banner.local:
        spans = (Span(REHEARSAL, "warn"), Span(banner.text.removeprefix(REHEARSAL), "head"))
    read: Spans = (Span(banner.read, "error" if banner.incomplete else "dim"),) if banner.read else ()
    return Line(spans, hang=2, tail=read)


def _heading(text: str) -> Iterator[Line]:
    yield line()
    yield line(text, "bold")


def _summary(document: Document, *, verbose: bool = False) -> Iterator[Line]:
    """Yield the escalations, then what the report is about as a whole, then the counts; of a drift check with drift,
    the counts first."""
    yield from _heading("Summary")
    leads = document.leads
    if leads:
        yield line(document.summary, "bold", indent=2, hang=2)
    yield from _escalations(document, verbose=verbose)
    if document.overview:
        yield from _notes(document.overview)
    elif document.headline:
        yield line(document.headline, "bold", indent=2, hang=2)
    yield from (line(text, indent=2, hang=4) for text in document.effects)
    if document.summary and not leads:
        yield line(document.summary, "bold", indent=2, hang=2)
    if document.basis:
        yield line(document.basis, "dim", indent=2, hang=2)


def _escalations(document: Document, *, verbose: bool) -> Iterator[Line]:
    """Yield who gains roles above member: of many groups the totals, then the first few, unless ``verbose``."""
    listed = document.escalations
    few = len(listed) <= MOST_ESCALATIONS
    for text in () if few else document.totals:
        yield Line((Span("! ", "more"), Span(text, "alert")), 2, 4)
    for escalation in listed if few or verbose else listed[:MOST_ESCALATIONS]:
        where = place(escalation.where)
        tail: Spans = (Span(where, "dim"),) if where else ()
        all_names = len(escalation.users) if verbose else MOST_NAMES
        text = escalation.text if few and not verbose else escalation.named(all_names)
        yield Line((Span("! ", "more"), Span(text, "alert")), 2, 4, tail)
    if not few and not verbose:
        yield line(f"and {len(listed) - MOST_ESCALATIONS:,} more; -v lists them", "dim", indent=4, hang=4)


def _changes(document: Document, width: int | None, *, verbose: bool) -> Iterator[Line]:
    """Yield the sections, then the changes with a title of their own, then what is not changed."""
    if not document.changes and not document.left:
        return
    aligned = document.subject == "plan"
    sections = [table for table in document.changes if not table.titled]
    if document.changes:
        yield from _heading("Changes")
    column = _column(sections, width) if aligned else 0
    for table in sections:
        yield from _entries(table, column, width, verbose=verbose)
    for number, table in enumerate(table for table in document.changes if table.titled):
        if number or sections:
            yield line()
        title = Span(table.title, "bold" if table.counts else "dim")
        yield Line((title, Span(f"  {len(table.entries):,}", "dim")), 2, 4)
        yield from _entries(table, _column([table], width) if aligned else 0, width, verbose=verbose)
    if document.left:
        yield from _heading("Not changed")
        yield from _notes(document.left)


def _column(tables: Iterable[ChangeTable], width: int | None) -> int:
    """Return where the fields begin, so that they are aligned; 0 on a narrow terminal."""
    if width is not None and width < _NARROW:
        return 0
    longest = max((cells(entry.address) for table in tables for entry in table.entries), default=0)
    return min(longest, _WIDE_ADDRESS)


def _entries(table: ChangeTable, column: int, width: int | None, *, verbose: bool) -> Iterator[Line]:
    for entry in table.entries:
        yield from _entry(entry, column, width)
        yield from _notes(entry.notes, _DEEP, verbose=verbose)
    yield from _notes(table.notes, 4)


def _entry(entry: Entry, column: int, width: int | None) -> Iterator[Line]:
    """Yield what changes at an address, and to the right its place: in one row, or the fields below the address."""
    head: Spans = (Span(f"{entry.mark} ", _MARKS[entry.mark]), Span(entry.address, "bold"))
    where = place(entry.where)
    tail: Spans = (Span(where, "dim"),) if where else ()
    fields = _fields(entry.diffs)
    if not fields:
        yield Line(head, 2, _DEEP, tail)
        return
    for gap in (max(column - cells(entry.address), 0) + 3, 3):
        one_row = Line((*head, Span(" " * gap), *fields), 2, _DEEP, tail)
        if fits(one_row, width):
            yield one_row
            return
    above = Line(head, 2, _DEEP, tail)
    if fits(above, width) or not where:
        yield from (above, Line(fields, _DEEP, _DEEP))
    else:
        yield from (above._replace(tail=()), Line(fields, _DEEP, _DEEP, tail))


def _fields(diffs: Sequence[Diff]) -> Spans:
    spans: list[Span] = []
    for diff in diffs:
        spans += [Span(" · ", "dim")] if spans else []
        spans.append(Span(f"{diff.path}: ", "dim"))
        if diff.before is not None:
            spans += [*_side(diff.before, diff.before_parts), Span(" → ")]
        spans += _side(diff.after, diff.after_parts)
    return tuple(spans)


def _side(text: str, parts: Sequence[Part]) -> Iterator[Span]:
    """Yield one side of a field, one span for each run of a style; only the parts that differ are colored."""
    style: Style = "plain"
    run = "" if parts else text
    for number, part in enumerate(parts):
        for piece, piece_style in (((", ", _PLAIN),) if number else ()) + ((part.text, _SENSES[part.sense]),):
            if piece_style != style and run:
                yield Span(run, style)
                run = ""
            style, run = piece_style, run + piece
    yield Span(run, style)


def _notes(notes: Iterable[Note], indent: int = 2, *, verbose: bool = False) -> Iterator[Line]:
    for note in notes:
        if verbose or note.tone != "detail":
            yield line(note.text, _TONES[note.tone], indent=indent, hang=indent + 2)


def _users(document: Document, *, verbose: bool) -> Iterator[Line]:
    """Yield what concerns the users of several changes, and how to see their names."""
    lines = list(_notes(document.users, verbose=verbose))
    if document.naming:
        lines.append(line(f"{document.naming_lead} {document.naming}", "dim", indent=2, hang=4))
    if lines:
        yield from _heading("Users")
        yield from lines


def _guards(document: Document, width: int | None, *, verbose: bool) -> Iterator[Line]:
    """Yield policy violations, the guards that did not pass, the access tests that failed, and policy changes."""
    if violations := document.violations():
        yield from _heading("Policy violations")
        yield from (line(check.text, "warn", indent=2, hang=4, tail=place(check.where)) for check in violations)
    checks = [check for check in document.checks if check.kind != "violation"]
    if not checks and not document.policy:
        return
    yield from _heading("Guards" if any(check.kind == "guard" for check in checks) else "Access tests")
    for check in combine_alike(document.unresolved()):
        yield from _verdict(check, width) if check.kind == "guard" else _test(check)
    passed = [check for check in checks if check.kind == "guard" and check.passed]
    yield from _passed(passed, document.passed, verbose=verbose and bool(document.changes))
    yield from _notes(document.policy)


def _verdict(check: CheckResult, width: int | None) -> Iterator[Line]:
    """Yield the block of a guard that did not pass: what it found, causes and overrides, then what to do."""
    yield Line((Span(f"{check.label.upper():<7} ", _LABELS[check.label]), Span(check.name, "bold")), 2, _BODY)
    message = (check.message or check.figures, place(check.set_at))
    for text, where in (message, *((detail.text, place(detail.where)) for detail in check.details)):
        yield line(text, indent=_BODY, hang=_BODY + 2, tail=where)
    for way in check.ways:
        label, colon, command = way.partition(": rolecall ")
        if colon:
            yield from _command(f"{label}: ", f"rolecall {command}", width, _BODY)
        else:
            yield line(way, indent=_BODY, hang=_BODY + 2)


def _command(label: str, command: str, width: int | None, indent: int, style: Style = "plain") -> Iterator[Line]:
    """Yield what a command is for and the command, which is never wrapped: below, where it does not fit."""
    both = Line((Span(label, style), Span(command, "bold")), indent, indent + 2, whole=True)
    if fits(both, width):
        yield both
    else:
        yield line(label, style, indent=indent, hang=indent + 2)
        yield Line((Span(command, "bold"),), indent + 2, whole=True)


def _test(check: CheckResult) -> Iterator[Line]:
    style: Style = "error" if check.level == "error" else "dim"
    yield Line((Span(f"{check.label:<7} ", style), Span(f"access test: {check.name}", "bold")), 2, _BODY)
    if check.message:
        yield line(check.message, indent=_BODY, hang=_BODY + 2, tail=place(check.where))
    for detail in check.details:
        yield line(detail.text, indent=_BODY, hang=_BODY + 2, tail=place(detail.where))


def _passed(passed: Sequence[CheckResult], summary: str, *, verbose: bool) -> Iterator[Line]:
    """Yield how many guards passed (``words``), or each of them; those with a message are always shown."""
    shown = passed if verbose else [check for check in passed if check.message]
    for check in shown:
        yield Line((Span("PASS    "), Span(check.name, "bold"), Span(f"  {check.message or check.figures}")), 2, _BODY)
    if passed and not verbose:
        listed = f"{count(len(passed), 'guard')} passed; -v lists them."
        yield line(listed if summary.endswith("passed.") else summary or listed, "dim", indent=2, hang=2)


def _inventory(document: Document) -> Iterator[Line]:
    if document.news or document.inventory:
        yield from _heading("Not drift")
        yield from _notes((*document.news, *document.inventory))


def _warnings(document: Document) -> Iterator[Line]:
    problems, more = document.worst(MOST_PROBLEMS)
    if not problems:
        return
    errors = any(problem.severity == "error" for problem in problems)
    yield from _heading("Errors and warnings" if errors else "Warnings")
    for _, alike in groupby(problems, lambda problem: (problem.code, problem.hint)):
        hint = None
        for problem in alike:
            hint = problem.hint
            style: Style = "error" if problem.severity == "error" else "plain"
            yield line(sentence(problem.message), style, indent=2, hang=4, tail=place(problem.where))
        if hint:
            yield line(sentence(hint), "dim", indent=4, hang=6)
    if more:
        yield line(f"{count(more, 'more warning')}; --format json has all of them", "dim", indent=2)


def sentence(text: str) -> str:
    """Return a message with a capital letter, unless it begins with a name."""
    shown = visible(text)
    first = shown.split(" ", 1)[0]
    return shown if not first.isalpha() or first in SECTIONS else f"{shown[:1].upper()}{shown[1:]}"


def next_lines(document: Document, width: int | None) -> Iterator[Line]:
    """Yield what to do now, as commands to copy."""
    if document.next_steps:
        yield from _heading("Next")
    for step in document.next_steps:
        style: Style = "error" if step.refused else "plain"
        note = f" ({step.note})" if step.note else ""
        if step.command:
            lead = f"{step.words} " if step.words else ""
            yield from _command(f"{step.label}{note}: {lead}", step.command, width, 2, style)
        else:
            yield Line((Span(f"{step.label}: ", style), Span(f"{step.words}{note}")), 2, 4)
