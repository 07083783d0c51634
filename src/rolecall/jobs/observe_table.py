"""Read and write tables of IdP groups: copied from a browser, or as CSV ``group,role,teams``. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rolecall.errors import Problem, Where, did_you_mean
from rolecall.jobs.observe_paste import Line, heading, take_apart, with_plain_spaces
from rolecall.model import normalise
from rolecall.model.roles import BUILT_IN, Role, role_id, role_words

NOTHING = frozenset({"", "-", "–", "—", "none", "not mapped", "unmapped", "blank", "select role", "select team", "n/a"})
_HIDDEN = re.compile(r"\+\s*\d+(\s*more)?$", re.IGNORECASE)


ALONE = "table_alone"
"""The code of the problem that a line may be a group or belong to the row above."""


class Known(NamedTuple):
    """The teams and roles of the org; teams are None if they were not read."""

    teams: frozenset[str] | None = None
    roles: Mapping[str, Role] = BUILT_IN


class Row(NamedTuple):
    """A group of a table, with the number of its line. ``teams`` are separated by ``separator``."""

    line: int
    group: str
    role: str = ""
    teams: str = ""
    separator: str = ","
    members: int | None = None
    id: str | None = None


class Table(NamedTuple):
    """The groups as in a snapshot, and the problems of rows that could not be read."""

    groups: Mapping[str, Any]
    problems: tuple[Problem, ...]


def with_ids(groups: Mapping[str, Any], known_groups: Mapping[str, Any]) -> dict[str, Any]:
    """Return the groups of a table with the IDs that are known, as tables seldom have those."""
    return {name: _with_id(entry, known_groups.get(name)) for name, entry in groups.items()}


def _with_id(entry: Any, known_entry: Any) -> Any:
    known = (
        {name: known_entry[name] for name in ("name", "id", "external_id") if name in known_entry}
        if isinstance(known_entry, dict)
        else {}
    )
    if not known:
        return entry
    fields = entry if isinstance(entry, dict) else {}
    return {**fields, **{name: fact for name, fact in known.items() if name not in fields}}


def read_paste(text: str, known: Known, file: str = "the paste") -> Table:
    """Read a table as it was copied, see ``take_apart``, or as CSV.

    A heading is recognized by its words; without one the columns are group, role, teams.
    """
    first = text.lstrip().partition("\n")[0]
    if "\t" not in first and any(heading(first.split(mark)) for mark in ",;"):
        return read_csv(text, known, file)
    pasted = take_apart(text, known.teams or ())
    table = _table(_cells(iter(pasted.rows)), known, file)
    odd = (_alone(line, file) for line in pasted.alone)
    problems = sorted((*table.problems, *odd), key=lambda problem: problem.where or Where(file))
    if not (table.groups or problems):
        hint = "copy the whole table, including its header line"
        problems = [Problem("table", "contains no groups", Where(file), hint)]
    return Table(table.groups, tuple(problems))


def _alone(line: Line, file: str) -> Problem:
    name = line.cells[0]
    message = f"`{name}` is alone on its line, so it may be an unmapped group, or a team of the group above"
    hint = f"put a team on the line of its group; for an unmapped group, use CSV with {_HEADER}: `{name},,`"
    return Problem(ALONE, message, Where(file, line.number, 1), hint)


_HEADER = "`group,role,teams`"


def read_csv(text: str, known: Known, file: str) -> Table:
    """Read CSV ``group,role,teams``; teams are separated by ``;`` or, as on the page, by commas. ``id`` is read too."""
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(with_plain_spaces(text.removeprefix("\ufeff")), newline=""), delimiter=delimiter)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        where = Where(file, reader.line_num, 1)
        return Table({}, (Problem("table", f"is not CSV: {error}", where, "export or copy the table again"),))
    if not lines or heading(lines[0][1]) is None:
        hint = f"add the first line {_HEADER}"
        return Table({}, (Problem("table", "has no header line", Where(file, 1, 1), hint),))
    return _table(_cells(iter(lines), ";"), known, file)


def write_csv(groups: Mapping[str, Any], known: Known = Known()) -> str:
    """Return CSV ``group,role,teams`` to be filled in, with what is known already."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("group", "role", "teams"))
    for name, entry in groups.items():
        fields = entry if isinstance(entry, dict) else {}
        role = fields.get("role")
        role_label = role_words(role, known.roles) if role else ""
        writer.writerow((fields.get("name", name), role_label, _joined(fields.get("teams", ()))))
    return out.getvalue()


def _joined(teams: Sequence[str]) -> str:
    """Return team names in one cell. A single name with a comma gets a ``;``, so that it is not read as two."""
    return ";".join(teams) + (";" if len(teams) == 1 and "," in teams[0] else "")


def mapping(role: str, teams: Iterable[str], known: Known) -> dict[str, Any]:
    """Convert a role and teams, in the console's words or as ids, to those of a snapshot. Raises ValueError."""
    fields: dict[str, Any] = {}
    if role.casefold() not in NOTHING:
        fields["role"] = _role(role, known)
    team_names = [_team(team, known) for team in teams if team.strip().casefold() not in NOTHING]
    if team_names:
        fields["teams"] = sorted(dict.fromkeys(team_names))
    if "role" in fields and "teams" not in fields:
        raise ValueError(f"the role {role} needs at least one team")
    return fields


def split_teams(text: str, known: Known, separator: str = ",") -> list[str]:
    """Return the team names in a cell. Names with a separator in them are recognized if the org's teams are known.

    With the separator ``;``, a cell without one is split at commas, as the console writes it.
    """
    if _HIDDEN.search(text.strip()):
        raise ValueError(f"`{text.strip()}` does not show all teams: open the row and enter all of them")
    if ";" not in text:
        separator = ","
    teams = sorted(known.teams or (), key=len, reverse=True)
    remaining, parts = text.strip(), list[str]()
    while remaining:
        whole = next(
            (
                team
                for team in teams
                if remaining == team or remaining.startswith((f"{team}{separator}", f"{team} {separator}"))
            ),
            None,
        )
        name = whole if whole is not None else remaining.partition(separator)[0]
        parts.append(name.strip())
        remaining = remaining[len(name) :].lstrip().removeprefix(separator).lstrip()
    return [name for name in parts if name]


def _role(text: str, known: Known) -> str:
    role = role_id(text, known.roles)
    if role not in known.roles and role not in BUILT_IN:
        role_names = [candidate.name for candidate in {**BUILT_IN, **known.roles}.values()]
        hint = did_you_mean(text, role_names) or f"use one of: {', '.join(role_names)}"
        raise ValueError(f"no role `{text}`; {hint}")
    return role


def _team(text: str, known: Known) -> str:
    team = normalise.name(text)
    if known.teams is not None and team not in known.teams:
        near = did_you_mean(team, known.teams)
        raise ValueError(f"no team `{team}`{f'; {near}' if near else ''}")
    return team


def _cells(lines: Iterator[tuple[int, Sequence[str]]], separator: str = ",") -> Iterator[Row]:
    columns = {"group": 0, "role": 1, "teams": 2}
    for position, (number, cells) in enumerate(lines):
        named_columns = heading(cells) if position == 0 else None
        if named_columns is not None:
            columns = named_columns
            continue
        values = {name: cells[at].strip() for name, at in columns.items() if at < len(cells)}
        members = values.get("members", "").replace(",", "")
        yield Row(
            number,
            values.get("group", ""),
            values.get("role", ""),
            values.get("teams", ""),
            separator,
            int(members) if members.isdecimal() else None,
            values.get("id") or None,
        )


def _table(rows: Iterable[Row], known: Known, file: str) -> Table:
    groups: dict[str, Any] = {}
    lines: dict[str, int] = {}
    problems = []
    for row in rows:
        name = normalise.name(row.group)
        where = Where(file, row.line, 1)
        if not name:
            problems.append(Problem("table", "has no group name", where, "add the group's name, or delete the line"))
        elif name in groups and row.id is None:
            problems.append(Problem("table", f"`{name}` is also on line {lines[name]}", where, "remove one of the two"))
        else:
            try:
                key = name if name not in groups else f"{name} [{row.id}]"
                groups[key], lines[key] = _entry(row, known), row.line
            except ValueError as error:
                problems.append(Problem("table", f"`{name}`: {error}", where))
    return Table(groups, tuple(problems))


def _entry(row: Row, known: Known) -> Any:
    fields = mapping(row.role, split_teams(row.teams, known, row.separator), known)
    facts = {"id": row.id, "members": row.members}
    return {**fields, **{name: fact for name, fact in facts.items() if fact is not None}} or "blank"
