"""Pieces of Markdown that plans and drift share: names as they are, rows of a table, and room that runs out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rolecall.report.builders.changes import Diff
from rolecall.report.builders.plan import Note
from rolecall.report.phrases import count, visible

COMMENT = 65_535
"""The characters that a comment on GitHub may have; a job's summary may have a MiB."""

RESERVE = 200
"""Room kept for the sentence that counts what was left out."""

_OPEN = 12
"""Rows of a fold that is open."""

_LEAST = 80
"""Characters of the shortest row; with less room no row is tried."""

_MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)")
_REFERENCE = re.compile(r"(?<![\w&])[@#](?=\w)|:(?=//)|www(?=\.)|:(?=[\w+-]+:)")
_QUOTED = re.compile(r"`([^`]+)`")


def md(text: str) -> str:
    """Text as Markdown that shows it as it is: no markup, no link, nobody mentioned, no issue referred to."""
    shown = _MARKUP.sub(r"\\\g<0>", visible(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _REFERENCE.sub(r"\g<0><!-- -->", shown)


def code(text: str) -> str:
    """Text in a fixed font, as it is; nothing for nothing."""
    return f"<code>{md(text)}</code>" if text else ""


def told(text: str) -> str:
    """A sentence whose words in backticks stand in a fixed font."""
    pieces = _QUOTED.split(text)
    return "".join(code(piece) if number % 2 else md(piece) for number, piece in enumerate(pieces))


def marker(kind: str, org: str, env: str | None) -> str:
    """The comment by which a pipeline finds its own again; it names the org and its environment alone."""
    plain = (re.sub(r"[^A-Za-z0-9_.]", "", text) for text in (org, env or ""))
    return f"<!-- rolecall:{kind}:{':'.join(plain)} -->"


def row(mark: str, address: str, diffs: Iterable[Diff], notes: Iterable[Note], where: str) -> str:
    """A row of four cells: what changes at an address, for whom and why, and its place."""
    cell = [_diff(str(diff)) for diff in diffs]
    cell += [f"{'🔶 ' if note.tone == 'risk' else ''}{told(note.text)}" for note in notes]
    return f"| {code(mark)} | {code(address)} | {'<br>'.join(cell)} | {code(where)} |\n"


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

    def fold(self, title: str, total: int, what: str, rows: Iterable[str], after: str = "") -> None:
        """A table in its fold, open when short. Either its frame fits, with as many rows as there is room for, or no
        row does. ``total`` counts rows that were left out before, too.
        """
        start = f"\n<details{' open' if total <= _OPEN else ''}><summary><b>{md(title)}</b> · {total:,}</summary>\n\n"
        start += f"| | address | {what} | where |\n|---|---|---|---|\n"
        end = f"{after}\n</details>\n"
        if len(start + end) > self.room:
            self.cut += total
            return
        self.room -= len(start + end)
        self.blocks.append(start)
        tried = 0
        for text in rows:
            self.add(text)
            tried += 1
            if self.room < _LEAST:
                break
        self.cut += total - tried
        self.blocks.append(end)

    def cut_words(self) -> str:
        """What was left out, as a sentence; nothing when nothing was."""
        if not self.cut:
            return ""
        return (
            f"\n_{count(self.cut, 'entry')} left out here for want of room; the HTML and JSON reports have them all._\n"
        )
