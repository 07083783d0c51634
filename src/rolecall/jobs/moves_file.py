"""Reads supposed memberships from a CSV file with the columns `user`, `group` and `change`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rolecall.errors import ConfigError, Problem, Where, did_you_mean
from rolecall.jobs.what_if import Reading, Stated
from rolecall.source.files import read_file

_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("user", "email", "person", "login", "username"), "user"),
    **dict.fromkeys(("group", "group name", "idp group"), "group"),
    **dict.fromkeys(("change", "action"), "change"),
}
_JOINS: Mapping[str, bool] = {
    **dict.fromkeys(("join", "joins", "add", "+", "'+"), True),
    **dict.fromkeys(("leave", "leaves", "remove", "-", "'-"), False),
}
_HEADINGS = "the first line must name the columns: user,group,change"
_LARGEST = 64 * 2**20


class Cell(NamedTuple):
    """A cell with the column of its first character, which counts from 1."""

    text: str
    column: int


def read_moves(path: Path) -> list[Stated]:
    """Return the memberships of a file. Raises ConfigError with every problem, each with its line and column."""
    file = str(path)
    lines = _lines(_text(path, file))
    problems: list[Problem] = []
    number, headings = next(lines, (1, []))
    columns = _columns(headings, Where(file, number), problems)
    entries = [] if problems else list(_entries(lines, columns, len(headings), file, problems))
    if problems:
        raise ConfigError(*problems)
    return entries


def _text(path: Path, file: str) -> str:
    data = read_file(path, limit=_LARGEST)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = Where(file, data.count(b"\n", 0, error.start) + 1, 1)
        raise ConfigError(Problem("what_if_file", "is not UTF-8", where, "save it as CSV UTF-8")) from None
    if not text.strip():
        raise ConfigError(Problem("what_if_file", "has no lines", Where(file, 1, 1), _HEADINGS))
    return text


def _lines(text: str) -> Iterator[tuple[int, list[Cell]]]:
    """Yield the lines that are not empty, as cells. The delimiter is ``,``, ``;`` or a tab, as in the first line."""
    listed = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    delimiter = max(",;\t", key=listed[0][1].count)
    for number, line in listed:
        cells = list(_cells(line, delimiter))
        if any(cell.text for cell in cells):
            yield number, cells


def _cells(line: str, delimiter: str) -> Iterator[Cell]:
    start = 0
    while start <= len(line):
        lead = len(line[start:]) - len(line[start:].lstrip(" "))
        at = start + lead
        if line[at : at + 1] == '"':
            end, text = at + 1, ""
            while end < len(line):
                if line[end : end + 2] == '""':
                    text, end = f'{text}"', end + 2
                elif line[end] == '"':
                    break
                else:
                    text, end = text + line[end], end + 1
            stop = line.find(delimiter, end)
        else:
            stop = line.find(delimiter, start)
            text = line[start:] if stop < 0 else line[start:stop]
        yield Cell(text.strip(), at + 1)
        if stop < 0:
            return
        start = stop + 1


def _columns(headings: Sequence[Cell], where: Where, problems: list[Problem]) -> dict[str, int]:
    """Return the place of each column; ``change`` may be missing, for a file of users who join."""
    places: dict[str, int] = {}
    for at, heading in enumerate(headings):
        name = _NAMES.get(heading.text.casefold())
        place = where._replace(column=heading.column)
        if name is None:
            message = f"unknown column `{heading.text}`"
            hint = did_you_mean(heading.text, _NAMES) or _HEADINGS
            problems.append(Problem("what_if_columns", message, place, hint))
        elif name in places:
            message = f"has two columns for {name}"
            problems.append(Problem("what_if_columns", message, place, "remove one of them"))
        else:
            places[name] = at
    for name in ("user", "group"):
        if name not in places and not any(problem.code == "what_if_columns" for problem in problems):
            problems.append(Problem("what_if_columns", f"no column for {name}", where._replace(column=1), _HEADINGS))
    return places


def _entries(
    lines: Iterator[tuple[int, list[Cell]]],
    columns: Mapping[str, int],
    width: int,
    file: str,
    problems: list[Problem],
) -> Iterator[Stated]:
    for number, cells in lines:
        if len(cells) != width:
            has, expected = (f"{n} cell{'' if n == 1 else 's'}" for n in (len(cells), width))
            message, hint = f"has {has}, but the first line has {expected}", "quote cells that contain the delimiter"
            problems.append(Problem("what_if_cells", message, Where(file, number, 1), hint))
            continue
        values = {name: cells[at] for name, at in columns.items()}
        before = len(problems)
        for name, cell in values.items():
            if not cell.text:
                place = Where(file, number, cell.column)
                problems.append(
                    Problem("what_if_cells", f"the {name} is missing", place, "enter it, or remove the line")
                )
        change = values.get("change", Cell("join", 0))
        joins = _JOINS.get(change.text.casefold())
        if joins is None and change.text:
            hint = did_you_mean(change.text, ("join", "leave")) or "enter `join` or `leave`"
            place = Where(file, number, change.column)
            problems.append(Problem("what_if_change", f"unknown change `{change.text}`", place, hint))
        if joins is not None and len(problems) == before:
            reading = Reading(values["user"].text, values["group"].text, joins)
            yield Stated("", (reading,), Where(file, number, values["user"].column))
