"""People from a file in the repo: CSV as a spreadsheet or an IdP exports it, or JSON lines as a snapshot has them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.codec.people import DirectoryBuilder
from rolecall.codec.people_lines import BATCH, decode_lines
from rolecall.errors import ConfigError, Problem, Where, did_you_mean
from rolecall.model import normalise
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.roles import BUILT_IN, Role
from rolecall.source.files import read_pieces

Json = Any

COLUMNS: Mapping[str, frozenset[str]] = {
    "email": frozenset({"email", "e-mail", "mail", "username", "user name", "userprincipalname", "login"}),
    "groups": frozenset({"groups", "group", "group name", "group names"}),
    "origin": frozenset({"origin"}),
    "active": frozenset({"active", "enabled", "accountenabled", "account enabled"}),
    "pending": frozenset({"pending"}),
    "role_attribute": frozenset({"role_attribute", "role attribute"}),
}
"""What a person has, and the headings under which a CSV may have it, in any case. Only the e-mail must be there."""

TRUE = frozenset({"true", "yes", "1", "active", "enabled"})
FALSE = frozenset({"false", "no", "0", "inactive", "disabled", "suspended"})
MOST_PROBLEMS = 50
LONGEST_CELL = 1 << 20


class PeopleFile:
    """The people of a ``.csv`` or ``.jsonl`` file, see ``port.People``. ``roles`` are the org's, for manual edits."""

    def __init__(self, path: Path, roles: Mapping[str, Role] = BUILT_IN) -> None:
        self.path = path
        self._roles = roles

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Everybody in the file, whatever the scope. Raises ConfigError with every line that is no person."""
        if scope == PeopleScope():
            return Directory()
        if self.path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
            return decode_lines(read_pieces(self.path, BATCH), file=str(self.path), roles=self._roles)
        return decode_csv(b"".join(read_pieces(self.path, BATCH)), str(self.path), self._roles)


class _Line(NamedTuple):
    """One line of a CSV: its number, and what it says under each known heading."""

    number: int
    said: Mapping[str, str]


def decode_csv(data: bytes, file: str, roles: Mapping[str, Role] = BUILT_IN) -> Directory:
    """The directory in a CSV file. A person may have several lines, one for each group; their groups are put together.

    Several groups in one cell are parted by ``;``, or by ``|`` where lines are parted by ``;``. ``origin`` is scim and
    ``active`` true where nothing is said. Raises ConfigError with every line that is no person.
    """
    text = _text(data, file)
    delimiter = _delimiter(text.partition("\n")[0])
    problems: list[Problem] = []
    people: dict[str, Json] = {}
    lines: dict[str, int] = {}
    for line in _lines(text, file, delimiter):
        try:
            row = _row(line.said, "|" if delimiter == ";" else ";")
            _merge(people, lines, row, line.number)
        except ValueError as error:
            problems.append(Problem("people_invalid", str(error), Where(file, line.number, 1)))
        if len(problems) >= MOST_PROBLEMS:
            break
    builder = DirectoryBuilder(roles=roles)
    numbers = list(lines.values())
    faults = builder.add(people.values())
    problems += (Problem("people_invalid", fault.message, Where(file, numbers[fault.row], 1)) for fault in faults)
    if problems:
        raise ConfigError(*sorted(problems[:MOST_PROBLEMS], key=lambda problem: problem.where or Where(file)))
    return builder.build()


def _text(data: bytes, file: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = Where(file, data.count(b"\n", 0, error.start) + 1, 1)
        raise ConfigError(Problem("people_encoding", "is not UTF-8", where, "save it as CSV UTF-8")) from None
    if not text.strip():
        raise ConfigError(Problem("people_empty", "has no lines", Where(file), "the first one names the columns"))
    return text


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _lines(text: str, file: str, delimiter: str) -> Iterator[_Line]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _columns(next(reader), file)
        start = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _Line(start, {columns[at]: cell.strip() for at, cell in enumerate(cells) if at in columns})
            start = reader.line_num + 1
    except csv.Error as error:
        where = Where(file, max(1, reader.line_num), 1)
        raise ConfigError(Problem("people_syntax", f"is not CSV: {error}", where)) from None


def _columns(header: list[str], file: str) -> dict[int, str]:
    """The known columns by their place. Raises ConfigError when one is there twice, or no e-mail."""
    known = {heading: name for name, headings in COLUMNS.items() for heading in headings}
    columns: dict[int, str] = {}
    for at, heading in enumerate(header):
        name = known.get(heading.strip().casefold())
        if name is not None and name in columns.values():
            raise ConfigError(Problem("people_columns", f"has two columns for `{name}`", Where(file, 1, 1)))
        if name is not None:
            columns[at] = name
    if "email" not in columns.values():
        near = next(filter(None, (did_you_mean("email", [heading.strip()]) for heading in header)), None)
        hint = near or f"the first line names the columns: {', '.join(COLUMNS)}"
        raise ConfigError(Problem("people_columns", "has no column `email`", Where(file, 1, 1), hint))
    return columns


def _row(said: Mapping[str, str], parting: str) -> dict[str, Json]:
    """A person as JSON has them. Raises ValueError."""
    row: dict[str, Json] = {"email": said.get("email", "")}
    if groups := [name for part in said.get("groups", "").split(parting) if (name := part.strip())]:
        row["groups"] = groups
    for flag in ("active", "pending"):
        if word := said.get(flag, ""):
            row[flag] = _truth(flag, word)
    if origin := said.get("origin", ""):
        row["origin"] = origin.lower()
    if attribute := said.get("role_attribute", ""):
        row["role_attribute"] = attribute
    return row


def _truth(column: str, word: str) -> bool:
    folded = word.casefold()
    if folded not in TRUE | FALSE:
        raise ValueError(f"`{column}` is `{word[:40]}`, which is neither true nor false")
    return folded in TRUE


def _merge(people: dict[str, Json], lines: dict[str, int], row: dict[str, Json], number: int) -> None:
    """Add a line's groups to the person's earlier ones. Raises ValueError where the lines contradict each other."""
    key = row["email"] = normalise.email(row["email"])
    if not key:
        raise ValueError("`email` is empty")
    if "@" not in key:
        raise ValueError(f"`email` is `{key[:60]}`, which is no e-mail address")
    held = people.get(key)
    if held is None:
        people[key], lines[key] = row, number
        return
    if {**held, "groups": None} != {**row, "groups": None}:
        raise ValueError(f"{key} is on line {lines[key]} too, and not with the same values")
    held["groups"] = [*held.get("groups", ()), *row.get("groups", ())]
