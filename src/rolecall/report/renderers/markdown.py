"""Render a document as Markdown for a pull request, an issue or a job's summary, within a size limit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from rolecall.report.document import (
    ChangeTable,
    CheckResult,
    Document,
    Entry,
    NextStep,
    Status,
    Tone,
)
from rolecall.report.escalation import MOST_ESCALATIONS, MOST_NAMES
from rolecall.report.findings import of_problems
from rolecall.report.phrases import count, place, visible
from rolecall.report.renderers.alike import combine_alike

COMMENT = 65_535
"""The characters that a comment on GitHub may have; a job's summary may have a MiB."""

_RESERVE = 200
"""Characters reserved for the sentence that counts omitted entries."""

_OPEN = 12
"""The most rows of a fold that is open."""

_LEAST = 80
"""Characters of the shortest row."""

_LEAST_MARKUP = 40
"""Characters of a row besides its texts."""

_MOST_PROBLEMS = 20

_SIGNS: Mapping[Status, str] = {"refused": "⛔", "attention": "🔶", "incomplete": "⚠️", "ok": "✅"}
_LABELS: Mapping[str, str] = {"block": "⛔", "not judged": "⛔", "review": "🔶", "allowed": "✅"}
_TONES: Mapping[Tone, str] = {"more": "🔶 ", "risk": "🔻 ", "warn": "⚠️ ", "plain": "", "dim": "", "detail": ""}

_MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)")
_REFERENCE = re.compile(r"(?<![\w&])[@#](?=\w)|:(?=//)|www(?=\.)|:(?=[\w+-]+:)")
_QUOTED = re.compile(r"`([^`]+)`")


def markdown(document: Document, limit: int = COMMENT) -> str:
    """Return at most ``limit`` characters. Changes are left out first where they do not fit, and counted.

    The first line is a marker by which a comment is found again; it names the org and its environment alone.
    """
    foot = _foot(document, limit // 8)
    out = Budget(limit - _RESERVE - len(foot))
    head = out.fitting(_head(document))
    guards = out.fitting(_guards(document))
    problems = out.fitting(_section("Warnings", _problems(document)))
    users = out.fitting(_section("Users", _users(document)))
    left = out.fitting(_section("Not changed", _left(document)))
    tables = [block for table in document.changes for block in out.table(table, document.columns.short)]
    if tables:
        tables.insert(0, _title("Changes"))
    return "".join((*head, *tables, *left, *users, *guards, *problems, out.cut_words(), foot))


def md(text: str) -> str:
    """Return text as Markdown that shows it as it is, without markup, links, mentions or references to issues."""
    shown = _MARKUP.sub(r"\\\g<0>", visible(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _REFERENCE.sub(r"\g<0><!-- -->", shown)


def code(text: str) -> str:
    """Return text in a fixed font, as it is; nothing for nothing."""
    return f"<code>{md(text)}</code>" if text else ""


def quoted(text: str) -> str:
    """Return a sentence with the parts in backticks in a fixed font."""
    pieces = _QUOTED.split(text)
    return "".join(code(piece) if number % 2 else md(piece) for number, piece in enumerate(pieces))


def _marker(document: Document) -> str:
    """Return the comment by which a pipeline finds its own again; it names the org and its environment alone."""
    names = (re.sub(r"[^A-Za-z0-9_.]", "", text) for text in (document.org_id, document.env or ""))
    return f"<!-- rolecall:{document.subject}:{':'.join(names)} -->"


def _title(text: str) -> str:
    return f"\n#### {text}\n\n"


def _section(title: str, blocks: Iterable[str]) -> Iterator[str]:
    """Yield a title and blocks; nothing where there are no blocks."""
    for number, block in enumerate(blocks):
        yield block if number else f"{_title(title)}{block}"


def _head(document: Document) -> Iterator[str]:
    """Yield the org, the escalations, highlighted, and the other parts of the summary."""
    yield f"{_marker(document)}\n"
    yield f"### {_SIGNS[document.status]} {md(document.banner.text)}\n\n"
    if document.leads:
        yield f"**{md(document.summary)}**\n\n"
    yield from _escalations(document)
    if document.overview:
        yield from (f"- {_TONES[note.tone]}{quoted(note.text)}\n" for note in document.overview)
        yield "\n"
    elif document.headline:
        yield f"**{md(document.headline)}**\n\n"
    read = f"{document.banner.read[:1].upper()}{document.banner.read[1:]}." if document.banner.read else ""
    if document.idp:
        yield f"{md(f'{document.idp.text}: {document.idp.read}.')}\n\n"
    summary = "" if document.leads else document.summary
    if summary or read:
        yield f"{' '.join(filter(None, (f'**{md(summary)}**' if summary else '', md(read))))}\n\n"
    yield from (f"- {md(text)}\n" for text in document.effects)


def _escalations(document: Document) -> Iterator[str]:
    """Yield who gains roles above member: of many groups the totals, then the first few."""
    listed = document.escalations
    few = len(listed) <= MOST_ESCALATIONS
    yield from () if few else (f"> 🔶 **{md(text)}**\n>\n" for text in document.totals)
    for escalation in listed[:MOST_ESCALATIONS]:
        text = escalation.text if few else escalation.named(MOST_NAMES)
        yield f"> 🔶 **{md(text)}** {code(place(escalation.where))}\n>\n"
    if not few:
        yield f"> and {len(listed) - MOST_ESCALATIONS:,} more; the JSON report has all of them\n>\n"
    if listed:
        yield "\n"


def _guards(document: Document) -> Iterator[str]:
    """Yield policy violations, the guards that did not pass, the access tests that failed, and policy changes."""
    violations = (f"- ⛔ {quoted(check.text)} {code(place(check.where))}\n" for check in document.violations())
    yield from _section("Policy violations", violations)
    yield from _section("Guards", _verdicts(document))


def _verdicts(document: Document) -> Iterator[str]:
    for check in combine_alike(document.unresolved()):
        if check.kind == "guard":
            yield _guard(check)
        else:
            sign = "⛔" if check.level == "error" else "⏳"
            lines = "".join(f"\n  - {text}" for text in _details(check))
            yield f"- {sign} **{check.label}** {quoted(check.text)} {code(place(check.where))}{lines}\n"
    passed = [check for check in document.checks if check.kind == "guard" and check.passed and check.message]
    yield from (f"- {md(check.name)}: {quoted(check.message)}\n" for check in passed)
    if document.passed:
        yield f"- {'✅ ' if document.changes else ''}{md(document.passed)}\n"
    yield from (f"- {_TONES[note.tone]}{quoted(note.text)}\n" for note in document.policy)


def _guard(check: CheckResult) -> str:
    message = f"{quoted(check.message or check.figures)} {code(place(check.set_at))}".rstrip()
    lines = "".join(f"\n  - {text}" for text in (*_details(check), *map(_way, check.ways)))
    return f"- {_LABELS[check.label]} **{check.label.upper()}** {code(check.name)} {message}{lines}\n"


def _details(check: CheckResult) -> list[str]:
    return [f"{quoted(detail.text)} {code(place(detail.where))}".rstrip() for detail in check.details]


def _way(text: str) -> str:
    label, colon, command = text.partition(": rolecall ")
    return f"{md(label)}: {code(f'rolecall {command}')}" if colon else quoted(text)


def _users(document: Document) -> Iterator[str]:
    """Yield what concerns the users of several changes, and how to see their names."""
    yield from (f"- {_TONES[note.tone]}{quoted(note.text)}\n" for note in document.users if note.tone != "detail")
    if document.naming:
        yield f"- {document.naming_lead} {code(document.naming)}\n"


def _problems(document: Document) -> Iterator[str]:
    """Yield the problems: all of a configuration, the worst of a plan or a drift check."""
    most = len(document.problems) if document.subject == "validate" else _MOST_PROBLEMS
    problems, more = document.worst(most)
    for finding in of_problems(problems):
        yield f"- {'⛔' if finding.level == 'error' else '⚠️'} {quoted(finding.message)} {code(place(finding.where))}\n"
    if more:
        yield f"- {count(more, 'more warning')}; the JSON report has all of them\n"


def _left(document: Document) -> Iterator[str]:
    """Yield what is not changed, what is not drift, and what is not managed."""
    yield from (f"- {_TONES[note.tone]}{quoted(note.text)}\n" for note in document.left)
    if document.news:
        yield "\n**Not drift**\n\n"
        yield from (f"- {quoted(note.text)}\n" for note in document.news)
    yield from (f"\n{_TONES[note.tone] if note.tone == 'warn' else ''}{md(note.text)}\n" for note in document.inventory)


def _foot(document: Document, limit: int) -> str:
    """Return what to do next, unless it is too long to be copied, and what the report was computed from."""
    steps = "".join(_section("Next", map(_next_step, document.next_steps)))
    basis = document.basis or document.validity
    return (steps if len(steps) <= limit else "") + (f"\n<sub>{md(basis)}</sub>\n" if basis else "")


def _next_step(step: NextStep) -> str:
    text = " ".join(part for part in (md(step.words), code(step.command)) if part)
    note = md(f" ({step.note})") if step.note else ""
    return f"- {step.label}: {text}{note}\n"


def _table_row(entry: Entry) -> str:
    """Return a row of four cells: what changes at an address with its users and reasons, and its place."""
    cell = [_diff(str(diff)) for diff in entry.diffs]
    cell += (f"{_TONES[note.tone]}{quoted(note.text)}" for note in entry.notes if note.tone != "detail")
    return f"| {code(entry.mark)} | {code(entry.address)} | {'<br>'.join(cell)} | {code(place(entry.where))} |\n"


def _least_length(entry: Entry) -> int:
    """Return a number of characters that the row of an entry has at least, without writing it."""
    diffs = sum(len(diff.path) + len(diff.before or "") + len(diff.after) for diff in entry.diffs)
    return len(entry.address) + diffs + _LEAST_MARKUP


def _diff(text: str) -> str:
    path, _, values = text.partition(": ")
    return f"{md(path)}: {code(values)}"


class Budget:
    """Room for a number of characters; counts what does not fit."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.cut = 0

    def fitting(self, blocks: Iterable[str]) -> list[str]:
        """Return the blocks for which there is room."""
        return [block for block in blocks if self._fits(block)]

    def _fits(self, block: str) -> bool:
        if len(block) > self.room:
            self.cut += 1
            return False
        self.room -= len(block)
        return True

    def table(self, table: ChangeTable, column: str) -> list[str]:
        """Return a table in its fold, open when short. Either its frame fits, with as many rows as there is room for,
        or no row does."""
        total = len(table.entries)
        start = f"\n<details{' open' if total <= _OPEN else ''}><summary><b>{md(table.title)}</b> · {total:,}</summary>"
        start += f"\n\n| | address | {column} | where |\n|---|---|---|---|\n"
        end = "".join((*(f"\n{quoted(note.text)}\n" for note in table.notes), "\n</details>\n"))
        if len(start + end) > self.room:
            self.cut += total
            return []
        self.room -= len(start + end)
        lines: list[str] = []
        for tried, entry in enumerate(table.entries, 1):
            if _least_length(entry) > self.room:
                self.cut += 1
                continue
            line = _table_row(entry)
            lines += [line] if self._fits(line) else []
            if self.room < _LEAST:
                self.cut += total - tried
                break
        return [start, *lines, end]

    def cut_words(self) -> str:
        """Return how much was left out, as a sentence; nothing when nothing was."""
        if not self.cut:
            return ""
        omitted = count(self.cut, "entry")
        return f"\n_{omitted} omitted to stay within the size limit; the HTML and JSON reports have all of them._\n"
