"""Combines the lines of people files into users: groups are merged, contradictions are problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from rolecall.codec.people import DirectoryBuilder
from rolecall.errors import ConfigError, Problem, Where
from rolecall.live.people.values import Address, Known, is_user, read_address, read_truth, split_groups
from rolecall.model import normalise
from rolecall.model.directory import Directory
from rolecall.model.roles import BUILT_IN, Role

Json = Any
MOST_PROBLEMS = 50


class FileForm(NamedTuple):
    """The format of a file.

    ``headings`` are its names for columns, ``separator`` separates groups, ``one_group`` says whether a cell is one
    group, ``group`` is the group whose members it has (None if a column gives it), ``ignored`` are the headings that
    are not read.
    """

    headings: Mapping[str, str]
    separator: str = ";"
    one_group: bool = False
    group: str | None = None
    ignored: tuple[str, ...] = ()


class FileLine(NamedTuple):
    """One line: its place, and its values by the names in `COLUMNS`; ``id`` and ``manual`` as in a snapshot."""

    where: Where
    values: Mapping[str, Json]


class Users:
    """Collects the users of one or more files. ``known`` are the groups of the org and the configuration; ``whole``:
    there are no others.
    """

    def __init__(self, known: Known = None, *, whole: bool = True) -> None:
        self._known = known
        self._whole = whole
        self._users: dict[str, dict[str, Json]] = {}
        self._places: dict[str, Where] = {}
        self._rivals: list[tuple[Where, Address]] = []
        self._cells: dict[tuple[str, str, bool], list[str]] = {}
        self._skipped = 0
        self._ignored: dict[str, None] = {}
        self.problems: list[Problem] = []

    @property
    def full(self) -> bool:
        """Return whether the maximum number of problems is reached."""
        return len(self.problems) >= MOST_PROBLEMS

    def add(self, lines: Iterable[FileLine], form: FileForm) -> None:
        """Add the lines of a file, and collect their problems in ``problems``."""
        self._ignored.update(dict.fromkeys(form.ignored))
        for line in lines:
            try:
                self._add(line, form)
            except ValueError as error:
                self.problems.append(Problem("people_invalid", str(error), line.where))
            if self.full:
                return

    def build(self, roles: Mapping[str, Role] = BUILT_IN) -> Directory:
        """Return the directory of all added users, with warnings. Raises ConfigError."""
        builder = DirectoryBuilder(roles=roles)
        places = list(self._places.values())
        faults = builder.add(self._users.values())
        self.problems += (Problem("people_invalid", fault.message, places[fault.row]) for fault in faults)
        if self.problems:
            placed = sorted(self.problems[:MOST_PROBLEMS], key=lambda problem: problem.where or Where(""))
            raise ConfigError(*placed)
        return builder.build()

    def notes(self) -> tuple[Problem, ...]:
        """Return warnings: unread columns, members that are not users, lines with two addresses."""
        notes = []
        if self._ignored:
            listed = ", ".join(self._ignored)
            notes.append(Problem("people_ignored", f"ignored columns of the people files: {listed}", None))
        if self._skipped:
            message = f"group members that are not users are left out ({self._skipped}, R29)"
            notes.append(Problem("people_no_users", message, None))
        if self._rivals:
            where, address = self._rivals[0]
            notes.append(_two_addresses(len(self._rivals), address)._replace(where=where))
        return tuple(note._replace(severity="warning") for note in notes)

    def _add(self, line: FileLine, form: FileForm) -> None:
        values, headings = line.values, form.headings
        if (kind := values.get("kind")) and not is_user(headings["kind"], str(kind)):
            self._skipped += 1
            return
        address = read_address(values, headings)
        if address.rival:
            self._rivals.append((line.where, address))
        user: dict[str, Json] = {"email": normalise.email(address.text)}
        for flag in ("active", "pending"):
            if (value := values.get(flag)) not in ("", None):
                user[flag] = read_truth(headings.get(flag, flag), value)
        if (value := values.get("blocked")) not in ("", None) and read_truth(headings["blocked"], value, states=False):
            user["active"] = False
        if origin := values.get("origin"):
            user["origin"] = str(origin).lower()
        user |= {
            name: values[name] for name in ("role_attribute", "id", "manual") if values.get(name) not in ("", None)
        }
        self._merge(user, self._groups(values, form), line.where)

    def _groups(self, values: Mapping[str, Json], form: FileForm) -> list[str]:
        if "groups" not in form.headings and form.group is not None:
            return [form.group]
        cell = values.get("groups") or ""
        if isinstance(cell, list) and all(isinstance(group, str) for group in cell):
            return list(cell)
        if not isinstance(cell, str):
            raise ValueError(f"`{form.headings.get('groups', 'groups')}` is neither text nor a list of names")
        key = (cell, form.separator, form.one_group)
        if (groups := self._cells.get(key)) is None:
            single = form.one_group or not self._whole
            groups = self._cells[key] = split_groups(cell, form.separator, self._known, single=single)
        return groups

    def _merge(self, user: dict[str, Json], groups: list[str], where: Where) -> None:
        """Add a line to its user. Raises ValueError if it contradicts an earlier line."""
        key = user["email"]
        known = self._users.setdefault(key, {"email": key, "groups": []})
        first = self._places.setdefault(key, where)
        for name, value in user.items():
            if known.setdefault(name, value) != value:
                place = f"line {first.line}" if first.file == where.file else f"{first.file}:{first.line}"
                raise ValueError(f"{key} is also on {place} with a different `{name}`")
        known["groups"] += (group for group in groups if group not in known["groups"])


def _two_addresses(lines: int, address: Address) -> Problem:
    heading, text = address.rival or ("", "")
    shown = f"`{address.heading}` {address.text} and `{heading}` {text}"
    have = "line has" if lines == 1 else "lines have"
    message = f"{lines} {have} two addresses: {shown}; `{address.heading}` is used"
    hint = f"if provisioning sends the other, remove the column `{address.heading}`"
    return Problem("people_addresses", message, None, hint)


def group_of_file(name: str) -> str:
    """Return the group whose members a file of this name has: Writer-Legal for ``members/Writer-Legal.csv``."""
    return normalise.name(name.rpartition("/")[2].rpartition(".")[0])


def canonical(keys: Iterable[str]) -> bool:
    """Return whether JSON keys are those of a snapshot, so that a line is a complete user (see `codec.people`)."""
    return SNAPSHOT.issuperset(keys)


SNAPSHOT = frozenset(("email", "id", "origin", "active", "pending", "groups", "role_attribute", "manual"))
OWN_KEYS = ("id", "manual")
