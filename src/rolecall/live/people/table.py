"""A people file as lines with their places: CSV as a spreadsheet or an IdP exports it, or JSON lines."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from rolecall.errors import ConfigError, Problem, Where
from rolecall.live.people.columns import Columns, read_columns
from rolecall.live.people.lines import OWN_KEYS, Form, Row, group_of

Json = Any
LONGEST_CELL = 1 << 20
_SAVE_AS = "save it as CSV UTF-8"


class Table(NamedTuple):
    """The lines of a file, and how it is written. ``problems`` are what is wrong with its form."""

    rows: tuple[Row, ...]
    form: Form
    problems: tuple[Problem, ...]


def read_csv(data: bytes, file: str, *, grouped: bool = False) -> Table:
    """Return the lines of a CSV file. The delimiter is ``,``, ``;`` or a tab, as the first line has it.

    ``grouped``: without a column for groups the file has the members of the group that it is called after.
    Raises ConfigError for what is no CSV.
    """
    text = _text(data, file)
    delimiter, start = _delimiter(text)
    problems: list[Problem] = []
    numbered = list(_cells(text, delimiter, start, file))
    number, headings = numbered[0] if numbered else (1, [])
    columns = read_columns(headings, Where(file, number, 1), grouped=grouped)
    rows = tuple(_rows(numbered[1:], headings, columns, file, problems))
    group = group_of(file) if grouped else None
    form = Form(columns.headings, "|" if delimiter == ";" else ";", columns.one_group, group, columns.ignored)
    return Table(rows, form, (*columns.problems, *problems))


def _text(data: bytes, file: str) -> str:
    if data[:4] == b"PK\x03\x04":
        raise ConfigError(Problem("people_encoding", "is an Excel workbook, not CSV", Where(file, 1, 1), _SAVE_AS))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:200]:
        message = "is UTF-16 text (Excel's `Unicode Text`), not UTF-8"
        raise ConfigError(Problem("people_encoding", message, Where(file, 1, 1), _SAVE_AS))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = Where(file, data.count(b"\n", 0, error.start) + 1, 1)
        raise ConfigError(Problem("people_encoding", "is not UTF-8", where, _SAVE_AS)) from None
    if not text.strip():
        raise ConfigError(Problem("people_empty", "has no lines", Where(file), "the first one names the columns"))
    return text


def _delimiter(text: str) -> tuple[str, int]:
    """The sign between cells, and the line of the headings: Excel writes ``sep=;`` before them."""
    lines = text.lstrip().splitlines()
    told = re.fullmatch(r"\"?sep=([,;\t])\"?", lines[0].strip(" \r\n"))
    if told:
        return told[1], 2
    header = re.sub(r'"[^"]*"', "", lines[0])
    return max(",;\t", key=header.count), 1


def _cells(text: str, delimiter: str, start: int, file: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold anything, each with the number of its first line."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    number, skip = 1, start == 2
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if not skip:
                    yield number, cells
                skip = False
            number = reader.line_num + 1
    except csv.Error as error:
        where = Where(file, max(1, reader.line_num), 1)
        raise ConfigError(Problem("people_syntax", f"is not CSV: {error}", where)) from None


def _rows(
    numbered: list[tuple[int, list[str]]], headings: list[str], columns: Columns, file: str, problems: list[Problem]
) -> Iterator[Row]:
    named = {at for at, heading in enumerate(headings) if heading.strip()}
    for number, cells in numbered:
        where = Where(file, number, 1)
        exact = len(cells) == len(headings) == len(named)
        if not exact and (len(cells) < len(headings) or _stray(cells, named)):
            has = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            message = f"has {has}, and the first line names {len(named)} columns"
            hint = "put a cell that has the delimiter in it between double quotes"
            problems.append(Problem("people_cells", message, where, hint))
        else:
            yield Row(where, {name: cells[at].strip() for at, name in columns.places.items()})


def _stray(cells: list[str], named: set[int]) -> bool:
    """Whether a cell stands under no heading."""
    return any(cell.strip() for at, cell in enumerate(cells) if at not in named)


def read_json_lines(data: bytes, file: str, *, grouped: bool = False) -> Table:
    """Return the lines of a file with a JSON object a line, under the headings that a CSV may have."""
    problems: list[Problem] = []
    objects = list(_objects(data.removeprefix(b"\xef\xbb\xbf"), file, problems))
    keys = list(dict.fromkeys(key for _, row in objects for key in row))
    known = read_columns(keys, Where(file, objects[0][0].line if objects else 1, 1), grouped=grouped, extra=OWN_KEYS)
    names = {keys[at]: name for at, name in known.places.items()} | {key: key for key in OWN_KEYS}
    rows = tuple(
        Row(where, {names[key]: value for key, value in row.items() if key in names and value is not None})
        for where, row in objects
    )
    group = group_of(file) if grouped else None
    form = Form(known.headings, ";", known.one_group, group, known.ignored)
    return Table(rows, form, (*(known.problems if objects else ()), *problems))


def _objects(data: bytes, file: str, problems: list[Problem]) -> Iterator[tuple[Where, dict[str, Json]]]:
    for number, text in enumerate(data.split(b"\n"), 1):
        if not text.strip():
            continue
        where = Where(file, number, 1)
        try:
            value = json.loads(text.decode())
        except (ValueError, RecursionError) as error:
            problems.append(Problem("people_syntax", f"is not JSON: {type(error).__name__}", where))
            continue
        if isinstance(value, dict):
            yield where, value
        else:
            problems.append(Problem("people_invalid", "is not an object", where))
