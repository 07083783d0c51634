"""A document as lines for a terminal, a pipe or a file: one change to a line, its users below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rolecall.report.document import REHEARSAL, Banner, ChangeTable, CheckResult, Diff, Document, Entry, Mark, Note
from rolecall.report.line import WIDEST, Line, Span, Spans, Style, fits, line, problem_line
from rolecall.report.phrases import cells, count, place

_MARKS: Mapping[Mark, Style] = {"+": "add", "~": "change", "-": "remove", "↑": "warn"}
_LABELS: Mapping[str, Style] = {"block": "error", "not judged": "error", "review": "warn", "allowed": "ok"}
_DEEP = 6
"""Columns that what belongs to an address is indented by."""

_WIDE_ADDRESS = 44
MOST_PROBLEMS = 20
"""Problems shown one by one; more than that are counted, for no one reads them here."""

_NARROW = 80


def document_lines(document: Document, width: int | None = None) -> Iterator[Line]:
    """Yield a report from its first line to its last. ``width`` is the terminal's; None is a file or a pipe."""
    yield from _head(document)
    yield from (line(text, hang=2) for text in document.effects)
    if document.basis:
        yield line(document.basis, "dim")
    yield from _changes(document, width)
    yield from _notices(document)
    yield from _checks(document)
    if document.basis:
        yield line()
    yield line(document.summary, "bold")
    yield from _next(document, width)


def brief_lines(document: Document) -> Iterator[Line]:
    """Yield a report for somebody who has seen it: the org, the headline, the counts."""
    yield from _head(document)
    yield line(document.summary, "bold")


def _head(document: Document) -> Iterator[Line]:
    yield banner_line(document.banner)
    if document.headline:
        yield line(document.headline, "bold")


def banner_line(banner: Banner) -> Line:
    """Return the first line: the org, and to the right how much of it was read."""
    spans: Spans = (Span(banner.text, "head"),)
    if banner.local:
        spans = (Span(REHEARSAL, "warn"), Span(banner.text.removeprefix(REHEARSAL), "head"))
    read: Spans = (Span(banner.read, "error" if banner.incomplete else "dim"),) if banner.read else ()
    return Line(spans, hang=2, tail=read)


def _changes(document: Document, width: int | None) -> Iterator[Line]:
    """Yield the sections, then policy violations, then the changes that are reported apart from the sections."""
    aligned = document.subject == "plan"
    sections = [table for table in document.changes if not table.titled]
    column = _column(sections, width) if aligned else 0
    if sections:
        yield line()
    for table in sections:
        yield from _entries(table, column, width)
    if violations := document.violations():
        yield line()
        yield line("The config says this must not be", "bold")
        for check in violations:
            yield line(check.text, "warn", indent=2, hang=4, tail=place(check.where))
    for table in document.changes:
        if table.titled:
            yield line()
            title = Span(table.title, "bold" if table.counts else "dim")
            yield Line((title, Span(f"  {len(table.entries):,}", "dim")), hang=2)
            yield from _entries(table, _column([table], width) if aligned else 0, width)


def _column(tables: Iterable[ChangeTable], width: int | None) -> int:
    """Return where the fields begin, so that they are aligned; 0 on a narrow terminal."""
    if width is not None and width < _NARROW:
        return 0
    longest = max((cells(entry.address) for table in tables for entry in table.entries), default=0)
    return min(longest, _WIDE_ADDRESS)


def _entries(table: ChangeTable, column: int, width: int | None) -> Iterator[Line]:
    for entry in table.entries:
        yield from _entry(entry, column, width)
        yield from _entry_notes(entry, width)
    yield from (line(note.text, note.tone, indent=2, hang=2) for note in table.notes)


def _entry(entry: Entry, column: int, width: int | None) -> Iterator[Line]:
    """Yield what changes at an address, and to the right its place: in one row, or the fields below the address."""
    head: Spans = (Span(f"{entry.mark} ", _MARKS[entry.mark]), Span(entry.address, "bold"))
    where = place(entry.where)
    tail: Spans = (Span(where, "dim"),) if where else ()
    fields = _fields(entry.diffs)
    if not fields:
        yield Line(head, 2, _DEEP, tail)
        return
    gaps = (max(column - cells(entry.address), 0) + 3, 3)
    lines = [Line((*head, Span(" " * gap), *fields), 2, _DEEP, tail) for gap in gaps]
    above = Line(head, 2, _DEEP, tail)
    if fits(lines[-1], width):
        yield next(candidate for candidate in lines if fits(candidate, width))
    elif fits(above, width) or not where:
        yield from (above, Line(fields, _DEEP, _DEEP))
    else:
        yield from (above._replace(tail=()), Line(fields, _DEEP, _DEEP, tail))


def _entry_notes(entry: Entry, width: int | None) -> Iterator[Line]:
    """Yield the notes below an entry: its users, then the reasons in the same row where there is room."""
    if len(entry.notes) == 2 and entry.notes[1].tone == "dim":
        users, reasons = entry.notes
        spans = (Span(users.text.removesuffix("."), users.tone), Span(f" · {reasons.text}", "dim"))
        if fits(Line(spans, _DEEP), min(width or WIDEST, WIDEST)):
            yield Line(spans, _DEEP, _DEEP)
            return
    yield from (line(note.text, note.tone, indent=_DEEP, hang=_DEEP) for note in entry.notes)


def _fields(diffs: Sequence[Diff]) -> Spans:
    spans: list[Span] = []
    for diff in diffs:
        spans += [Span(" · ", "dim")] if spans else []
        spans.append(Span(f"{diff.path}: ", "dim"))
        if diff.before is not None:
            spans += [Span(diff.before, "remove"), Span(" → "), Span(diff.after, "add")]
        else:
            spans.append(Span(diff.after))
    return tuple(spans)


def _notices(document: Document) -> Iterator[Line]:
    """Yield the notes about the whole report, then its problems."""
    if document.changes and not document.basis:
        yield line()
    for notes in ((*document.users, *document.policy), document.left):
        yield from _indented(notes)
    if document.news:
        yield line()
        yield line("Not drift", "bold")
        yield from _indented(document.news)
    if document.inventory:
        yield line()
        yield from _indented(document.inventory)
    problems, more = document.worst(MOST_PROBLEMS)
    yield from map(problem_line, problems)
    if more:
        yield line(f"… and {count(more, 'warning')} more; --format json has them all", "dim")


def _indented(notes: Iterable[Note]) -> Iterator[Line]:
    return (line(note.text, note.tone, indent=2, hang=4) for note in notes)


def _checks(document: Document) -> Iterator[Line]:
    unresolved = document.unresolved()
    notices = document.users or document.policy or document.left or document.problems
    if notices and any(check.kind == "guard" for check in document.checks):
        yield line()
    for check in unresolved:
        if check.kind == "guard":
            yield from _guard(check)
    if document.passed:
        yield line(document.passed, "ok", indent=8, hang=8)
    for check in unresolved:
        if check.kind == "access test":
            style: Style = "error" if check.level == "error" else "dim"
            yield line(f"{check.label:<8}{check.text}", style, hang=8, tail=place(check.where))


def _guard(check: CheckResult) -> Iterator[Line]:
    label = Span(f"{check.label.upper():<7} ", _LABELS[check.label])
    tail: Spans = (Span(check.place, "dim"),) if check.place else ()
    yield Line((label, Span(check.text)), hang=8, tail=tail)
    yield from (line(way, "dim", indent=8, hang=10) for way in check.ways)


def _next(document: Document, width: int | None) -> Iterator[Line]:
    """Yield how to see who, and what to do now."""
    if document.naming:
        yield line(f"People are not named here. To see who: {document.naming}", "dim", hang=2)
    for step in document.next_steps:
        text = " ".join(part for part in (step.words, step.command) if part)
        first: Spans = (Span(f"{step.label}: ", "error" if step.refused else "dim"), Span(text))
        if step.note:
            first = (*first, Span(f", {step.note}", "dim"))
        instead: Spans = (Span(f"{step.instead_label}: ", "dim"), Span(step.instead)) if step.instead else ()
        both = Line((*first, Span("   "), *instead), hang=2)
        if instead and fits(both, width):
            yield both
        else:
            yield from (Line(spans, hang=2) for spans in (first, instead) if spans)
