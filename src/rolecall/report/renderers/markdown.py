"""A document as Markdown for a pull request, an issue or a job's summary: what matters most first, the rest folded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from rolecall.report.document import ChangeTable, CheckResult, Document, Entry, NextStep, Note, Status, Tone
from rolecall.report.findings import of_problems
from rolecall.report.phrases import count, place, visible

COMMENT = 65_535
"""The characters that a comment on GitHub may have; a job's summary may have a MiB."""

_RESERVE = 200
"""Room kept for the sentence that counts what was left out."""

_OPEN = 12
"""Rows of a fold that is open."""

_LEAST = 80
"""Characters of the shortest row; with less room no row is tried."""

_MOST_PROBLEMS = 20

_SIGNS: Mapping[Status, str] = {"refused": "⛔", "attention": "🔶", "incomplete": "⚠️", "ok": "✅"}
_LABELS: Mapping[str, str] = {"block": "⛔", "not judged": "⛔", "review": "🔶", "allowed": "✅"}
_TONES: Mapping[Tone, str] = {"risk": "🔶 ", "warn": "⚠️ ", "plain": "", "dim": ""}

_MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)")
_REFERENCE = re.compile(r"(?<![\w&])[@#](?=\w)|:(?=//)|www(?=\.)|:(?=[\w+-]+:)")
_QUOTED = re.compile(r"`([^`]+)`")


def markdown(document: Document, limit: int = COMMENT) -> str:
    """Return at most ``limit`` characters. What does not fit is left out from the end, and counted.

    The first line is a marker by which a comment is found again; it names the org and its environment alone.
    """
    foot = _foot(document, limit // 8)
    out = Budget(limit - _RESERVE - len(foot))
    for block in (*_head(document), *_checks(document), *_risks(document), *_problems(document)):
        out.add(block)
    for table in document.changes:
        out.add_table(table, document.columns.short)
    for block in _left(document):
        out.add(block)
    if document.news and out.add("\n**Not drift**\n\n"):
        for note in document.news:
            out.add(f"- {quoted(note.text)}\n")
    for note in document.inventory:
        out.add(f"\n{'⚠️ ' if note.tone == 'warn' else ''}{md(note.text)}\n")
    return "".join((*out.blocks, out.cut_words(), foot))


def md(text: str) -> str:
    """Return text as Markdown that shows it as it is: no markup, no link, no one mentioned, no issue referred to."""
    shown = _MARKUP.sub(r"\\\g<0>", visible(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _REFERENCE.sub(r"\g<0><!-- -->", shown)


def code(text: str) -> str:
    """Return text in a fixed font, as it is; nothing for nothing."""
    return f"<code>{md(text)}</code>" if text else ""


def quoted(text: str) -> str:
    """Return a sentence in which what stands in backticks has a fixed font."""
    pieces = _QUOTED.split(text)
    return "".join(code(piece) if number % 2 else md(piece) for number, piece in enumerate(pieces))


def _marker(document: Document) -> str:
    """Return the comment by which a pipeline finds its own again; it names the org and its environment alone."""
    names = (re.sub(r"[^A-Za-z0-9_.]", "", text) for text in (document.org_id, document.env or ""))
    return f"<!-- rolecall:{document.subject}:{':'.join(names)} -->"


def _head(document: Document) -> Iterator[str]:
    yield f"{_marker(document)}\n"
    yield f"### {_SIGNS[document.status]} {md(document.banner.text)}\n\n"
    if document.headline:
        yield f"**{md(document.headline)}**\n\n"
    if document.summary:
        read = document.banner.read
        yield f"{md(document.summary)} {md(read[:1].upper() + read[1:])}.\n\n"
    yield from (f"- {md(text)}\n" for text in document.effects)


def _checks(document: Document) -> Iterator[str]:
    unresolved = document.unresolved()
    yield from (_guard(check) for check in unresolved if check.kind == "guard")
    if document.passed:
        yield f"- ✅ {md(document.passed)}\n"
    for check in unresolved:
        if check.kind == "access test":
            sign = "⛔" if check.level == "error" else "⏳"
            yield f"- {sign} **{check.label}** {quoted(check.text)} {code(place(check.where))}\n"
    yield from (f"- ⛔ {quoted(check.text)} {code(place(check.where))}\n" for check in document.violations())


def _guard(check: CheckResult) -> str:
    ways = "".join(f"\n  - {quoted(way)}" for way in check.ways)
    where = f" {code(check.place)}" if check.place else ""
    return f"- {_LABELS[check.label]} **{check.label.upper()}** {quoted(check.text)}{where}{ways}\n"


def _risks(document: Document) -> Iterator[str]:
    notes = [*document.users, *document.policy, *(note for note in document.left if note.tone == "warn")]
    yield from (f"- {_TONES[note.tone]}{quoted(note.text)}\n" for note in notes)


def _problems(document: Document) -> Iterator[str]:
    """Yield the problems: all of a configuration, the worst of a plan or a drift check."""
    most = len(document.problems) if document.subject == "validate" else _MOST_PROBLEMS
    problems, more = document.worst(most)
    for finding in of_problems(problems):
        yield f"- {'⛔' if finding.level == 'error' else '⚠️'} {quoted(finding.message)} {code(place(finding.where))}\n"
    if more:
        yield f"- and {count(more, 'warning')} more; the JSON report has them all\n"


def _left(document: Document) -> Iterable[str]:
    return (f"\n{md(note.text)}\n" for note in document.left if note.tone != "warn")


def _foot(document: Document, limit: int) -> str:
    """Return what to do next, as far as it is short enough to be typed, and what the report was computed from."""
    steps = "".join(map(_next_step, document.next_steps))
    if document.naming:
        steps += f"\nPeople are not named here. To see who: {code(document.naming)}\n"
    basis = document.basis or document.validity
    return (steps if len(steps) <= limit else "") + (f"\n<sub>{md(basis)}</sub>\n" if basis else "")


def _next_step(step: NextStep) -> str:
    text = " ".join(part for part in (md(step.words), code(step.command)) if part)
    note = md(f", {step.note}") if step.note else ""
    instead = f"\n{step.instead_label}: {code(step.instead)}\n" if step.instead else ""
    return f"\n{step.label}: {text}{note}\n{instead}"


def _table_row(entry: Entry) -> str:
    """Return a row of four cells: what changes at an address, for whom and why, and its place."""
    cell = [_diff(str(diff)) for diff in entry.diffs]
    cell += map(_entry_note, entry.notes)
    return f"| {code(entry.mark)} | {code(entry.address)} | {'<br>'.join(cell)} | {code(place(entry.where))} |\n"


def _entry_note(note: Note) -> str:
    return f"{'🔶 ' if note.tone == 'risk' else ''}{quoted(note.text)}"


def _diff(text: str) -> str:
    path, _, values = text.partition(": ")
    return f"{md(path)}: {code(values)}"


class Budget:
    """Blocks of text up to a number of characters; counts what no longer fits."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.blocks: list[str] = []
        self.cut = 0

    def add(self, block: str) -> bool:
        """Keep a block if there is room."""
        if len(block) > self.room:
            self.cut += 1
            return False
        self.room -= len(block)
        self.blocks.append(block)
        return True

    def add_table(self, table: ChangeTable, column: str) -> None:
        """Keep a table in its fold, open when short. Either its frame fits, with as many rows as there is room for, or
        no row does."""
        total = len(table.entries)
        start = f"\n<details{' open' if total <= _OPEN else ''}><summary><b>{md(table.title)}</b> · {total:,}</summary>"
        start += f"\n\n| | address | {column} | where |\n|---|---|---|---|\n"
        end = "".join((*(f"\n{md(note.text)}\n" for note in table.notes), "\n</details>\n"))
        if len(start + end) > self.room:
            self.cut += total
            return
        self.room -= len(start + end)
        self.blocks.append(start)
        tried = 0
        for entry in table.entries:
            self.add(_table_row(entry))
            tried += 1
            if self.room < _LEAST:
                break
        self.cut += total - tried
        self.blocks.append(end)

    def cut_words(self) -> str:
        """Return what was left out, as a sentence; nothing when nothing was."""
        if not self.cut:
            return ""
        return (
            f"\n_{count(self.cut, 'entry')} left out here for want of room; the HTML and JSON reports have them all._\n"
        )
