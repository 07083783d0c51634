"""Split a table that was copied from a browser, a spreadsheet or a chat into rows of cells. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

HEADINGS: Mapping[str, frozenset[str]] = {
    "group": frozenset({"group", "groups", "idp group", "idp groups", "group name", "name"}),
    "role": frozenset({"role", "roles", "writer role"}),
    "teams": frozenset({"team", "teams", "writer team", "writer teams"}),
    "members": frozenset({"members", "users", "people", "# of users", "member count"}),
    "id": frozenset({"id", "group id"}),
}
BUTTONS = frozenset({"edit", "save", "cancel", "delete", "remove", "…", "...", "⋮", "actions"})

_SPACES = str.maketrans({"\u00a0": " ", "\u2007": " ", "\u202f": " "})
_UNSEEN = "\u200b\u2060\ufeff"
_COLUMNS = re.compile(r" {2,}")
_RULE = re.compile(r":?-+:?")
_BEFORE_HEADING = 10


class Line(NamedTuple):
    """A row: the number of its first line, and its cells."""

    number: int
    cells: Sequence[str]


class Pasted(NamedTuple):
    """The rows, and lines that may be a group or belong to the row above, which the user has to decide."""

    rows: Sequence[Line]
    alone: Sequence[Line] = ()


def heading(cells: Sequence[str]) -> dict[str, int] | None:
    """Return the columns by name, or None if the cells are not a heading."""
    columns: dict[str, int] = {}
    for at, cell in enumerate(cells):
        name = next((name for name, names in HEADINGS.items() if cell.strip().casefold() in names), None)
        if name is not None:
            columns.setdefault(name, at)
    return columns if "group" in columns and len(columns) > 1 else None


def take_apart(text: str, teams: Collection[str] = ()) -> Pasted:
    """Return the rows of a paste.

    Cells are separated by tabs, by ``|``, by several spaces, or are on a line each with a button at the end of a row; a
    paste may also have names only. ``teams`` help to distinguish a cell of several lines from a row.
    """
    text = with_plain_spaces(text)
    lines = [Line(number, [line]) for number, line in enumerate(text.splitlines(), 1) if _clean(line)]
    texts = [_clean(line.cells[0]) for line in lines]
    if any("\t" in line.cells[0].strip(" ") for line in lines):
        return _tabbed(text, lines, teams)
    if lines and all(line_text.startswith("|") and line_text.endswith("|") for line_text in texts):
        rows = [Line(line.number, line_text[1:-1].split("|")) for line, line_text in zip(lines, texts, strict=True)]
        return Pasted(_trimmed(row for row in rows if not all(_RULE.fullmatch(cell.strip()) for cell in row.cells)))
    if any(line_text.casefold() in BUTTONS for line_text in texts):
        return Pasted(list(_stacked(lines)))
    if texts and heading(_COLUMNS.split(texts[0])) is not None:
        return Pasted(_trimmed(Line(line.number, _COLUMNS.split(line.cells[0].strip())) for line in lines))
    return Pasted(_trimmed(line for line in lines if _clean(line.cells[0]).casefold() not in HEADINGS["group"]))


def with_plain_spaces(text: str) -> str:
    """Return the text with the special spaces of web pages replaced by normal ones."""
    return text.translate(_SPACES)


def _tabbed(text: str, lines: Sequence[Line], teams: Collection[str]) -> Pasted:
    rows = list(_trimmed(_quoted(text) if re.search(r'(^|\t)"', text) else _split(lines)))
    start = next((at for at, row in enumerate(rows[:_BEFORE_HEADING]) if heading(row.cells) is not None), 0)
    rows = rows[start:]
    if all(not row.cells[0] for row in rows if len(row.cells) > 1):
        rows = [row._replace(cells=row.cells[1:] if len(row.cells) > 1 else row.cells) for row in rows]
    whole_rows: list[Line] = []
    alone = []
    for row in rows:
        if len(row.cells) > 1 or (not whole_rows and heading(row.cells)):
            whole_rows.append(row)
        elif row.cells[0] in teams and whole_rows:
            last_row = whole_rows[-1]
            whole_rows[-1] = last_row._replace(cells=[*last_row.cells[:-1], f"{last_row.cells[-1]}, {row.cells[0]}"])
        else:
            alone.append(row)
    return Pasted(whole_rows, alone)


def _split(lines: Sequence[Line]) -> Iterator[Line]:
    for line in lines:
        yield Line(line.number, line.cells[0].strip(" \r\n").split("\t"))


def _quoted(text: str) -> Iterator[Line]:
    """Yield rows as spreadsheets copy them, with a cell of several lines in quotes."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    number = 1
    for cells in reader:
        if any(_clean(cell) for cell in cells):
            yield Line(number, [", ".join(filter(None, map(_clean, cell.splitlines()))) for cell in cells])
        number = reader.line_num + 1


def _trimmed(lines: Iterator[Line] | Sequence[Line]) -> list[Line]:
    """Return the lines with trimmed cells, and without the buttons at the end of a row."""
    trimmed = []
    for line in lines:
        cells = [_clean(cell) for cell in line.cells]
        while len(cells) > 1 and cells[-1].casefold() in BUTTONS:
            cells.pop()
        trimmed.append(Line(line.number, cells))
    return trimmed


def _stacked(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield rows whose cells are on a line each, ended by a button such as Edit."""
    stack: list[Line] = []
    for line in lines:
        if _clean(line.cells[0]).casefold() not in BUTTONS:
            stack.append(line)
        elif stack:
            names = [_clean(line_above.cells[0]) for line_above in stack]
            cells = names[_headings(names) :]
            if cells:
                yield Line(stack[0].number, [cells[0], *cells[1:2], ", ".join(cells[2:])])
            stack = []


def _headings(names: Sequence[str]) -> int:
    """Return how many of the first cells are headings."""
    headings = frozenset[str]().union(*HEADINGS.values())
    number = next((at for at, name in enumerate(names) if name.casefold() not in headings), len(names))
    return number if heading(names[:number]) else 0


def _clean(text: str) -> str:
    return text.strip().strip(_UNSEEN).strip()
