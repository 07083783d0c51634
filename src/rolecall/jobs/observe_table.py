"""Tables of IdP groups as people have them: copied from a browser, or as CSV ``group,role,teams``. Pure."""

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
"""The code of the problem that a line may be a group, or belong to the row above."""


class Known(NamedTuple):
    """What the org has: teams (None when nobody read them) and roles."""

    teams: frozenset[str] | None = None
    roles: Mapping[str, Role] = BUILT_IN


class Row(NamedTuple):
    """One group of a table as it was read, with the line it stands on. ``teams`` are parted by ``parting``."""

    line: int
    group: str
    role: str = ""
    teams: str = ""
    parting: str = ","
    members: int | None = None
    id: str | None = None


class Table(NamedTuple):
    """The groups as a snapshot has them, and what is wrong with the rest."""

    groups: Mapping[str, Any]
    problems: tuple[Problem, ...]


def with_ids(groups: Mapping[str, Any], known_groups: Mapping[str, Any]) -> dict[str, Any]:
    """The groups of a table, with the ids that were known of them: a table seldom has those."""
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
    """The table as it was copied, see ``take_apart``; CSV is taken too. A heading is known by its words; without one
    the columns are group, role, teams."""
    first = text.lstrip().partition("\n")[0]
    if "\t" not in first and any(heading(first.split(mark)) for mark in ",;"):
        return read_csv(text, known, file)
    pasted = take_apart(text, known.teams or ())
    table = _table(_cells(iter(pasted.rows), known), known, file)
    odd = (_alone(line, file) for line in pasted.alone)
    problems = sorted((*table.problems, *odd), key=lambda problem: problem.where or Where(file))
    if not (table.groups or problems):
        problems = [Problem("table", "holds no group", Where(file), "copy the whole table, its heading included")]
    return Table(table.groups, tuple(problems))


def _alone(line: Line, file: str) -> Problem:
    message = f"`{line.cells[0]}` stands alone on its line: it is a group that is blank, or a team of the row above"
    return Problem(ALONE, message, Where(file, line.number, 1), "give it the columns of the other rows")


def read_csv(text: str, known: Known, file: str) -> Table:
    """``group,role,teams``, teams parted by ``;``; an ``id`` column is read too."""
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(with_plain_spaces(text.removeprefix("\ufeff")), newline=""), delimiter=delimiter)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        return Table({}, (Problem("table", f"is not CSV: {error}", Where(file, reader.line_num, 1)),))
    if not lines or heading(lines[0][1]) is None:
        hint = "the first line is `group,role,teams`"
        return Table({}, (Problem("table", "has no heading", Where(file, 1, 1), hint),))
    return _table(_cells(iter(lines), known, ";"), known, file)


def write_csv(groups: Mapping[str, Any], known: Known = Known()) -> str:
    """``group,role,teams`` to be filled in, with what is known already."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("group", "role", "teams"))
    for name, entry in groups.items():
        fields = entry if isinstance(entry, dict) else {}
        role = fields.get("role")
        role_label = role_words(role, known.roles) if role else ""
        writer.writerow((fields.get("name", name), role_label, ";".join(fields.get("teams", ()))))
    return out.getvalue()


def mapping(role: str, teams: Iterable[str], known: Known) -> dict[str, Any]:
    """A role and teams in anybody's words as a snapshot has them. Raises ValueError that says what is wrong."""
    fields: dict[str, Any] = {}
    if role.casefold() not in NOTHING:
        fields["role"] = _role(role, known)
    team_names = [_team(team, known) for team in teams if team.strip().casefold() not in NOTHING]
    if team_names:
        fields["teams"] = sorted(dict.fromkeys(team_names))
    if "role" in fields and "teams" not in fields:
        raise ValueError(f"a role ({role}) needs at least one team (R4)")
    return fields


def split_teams(text: str, known: Known, parting: str = ",") -> list[str]:
    """Team names in one cell. Names that hold a comma are found where the org's teams are known."""
    if _HIDDEN.search(text.strip()):
        raise ValueError(f"`{text.strip()}` hides some teams: open the row and write them out")
    teams = sorted(known.teams or (), key=len, reverse=True)
    remaining, parts = text.strip(), list[str]()
    while remaining:
        whole = next(
            (
                team
                for team in teams
                if remaining == team or remaining.startswith((f"{team}{parting}", f"{team} {parting}"))
            ),
            None,
        )
        name = whole if whole is not None else remaining.partition(parting)[0]
        parts.append(name.strip())
        remaining = remaining[len(name) :].lstrip().removeprefix(parting).lstrip()
    names = [name for name in parts if name]
    if parting != "," and known.teams and not known.teams.issuperset(map(normalise.name, names)):
        with_commas = split_teams(text, known)
        if known.teams.issuperset(map(normalise.name, with_commas)):
            return with_commas
    return names


def _role(text: str, known: Known) -> str:
    role = role_id(text, known.roles)
    if role not in known.roles and role not in BUILT_IN:
        role_names = [candidate.name for candidate in {**BUILT_IN, **known.roles}.values()]
        raise ValueError(
            f"there is no role `{text}`. {did_you_mean(text, role_names) or 'Roles are ' + ', '.join(role_names)}"
        )
    return role


def _team(text: str, known: Known) -> str:
    team = normalise.name(text)
    if known.teams is not None and team not in known.teams:
        near = did_you_mean(team, known.teams)
        raise ValueError(f"there is no team `{team}`{f'. {near}' if near else ''}")
    return team


def _cells(lines: Iterator[tuple[int, Sequence[str]]], known: Known, parting: str = ",") -> Iterator[Row]:
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
            parting,
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
            problems.append(Problem("table", "has no group's name", where))
        elif name in groups and row.id is None:
            problems.append(Problem("table", f"`{name}` is on line {lines[name]} too", where, "keep one of the two"))
        else:
            try:
                key = name if name not in groups else f"{name} [{row.id}]"
                groups[key], lines[key] = _entry(row, known), row.line
            except ValueError as error:
                problems.append(Problem("table", f"`{name}`: {error}", where))
    return Table(groups, tuple(problems))


def _entry(row: Row, known: Known) -> Any:
    fields = mapping(row.role, split_teams(row.teams, known, row.parting), known)
    facts = {"id": row.id, "members": row.members}
    return {**fields, **{name: fact for name, fact in facts.items() if fact is not None}} or "blank"
