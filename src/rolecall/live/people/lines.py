"""Reads the values of lines of people files, and combines lines into users: groups are merged, contradictions found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from rolecall.codec.people import DirectoryBuilder
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model import normalise
from rolecall.model.directory import Directory
from rolecall.model.roles import BUILT_IN, Role

Json = Any

Known = frozenset[str] | None
"""The groups of the org and the configuration; None if the org was not read."""

ADDRESSES = ("app_name", "email", "login")
"""The columns with an address, the best first: what provisioning sends, the mailbox, the sign-in name."""

TRUE = frozenset({"true", "yes", "1", "enabled"})
FALSE = frozenset({"false", "no", "0", "disabled"})
ACTIVE = frozenset(
    (*("ACTIVE", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT"), "PENDING_USER_ACTION", "PASSWORD_RESET")
)
"""Okta states of a user who is in the org. Reports call PROVISIONED *Pending user action* and RECOVERY *Password
reset*.
"""
INACTIVE = frozenset(("INACTIVE", "DEPROVISIONED", "DEACTIVATED", "SUSPENDED", "STAGED"))

USERS = frozenset(("user", "guest", "member", "microsoftgraphuser"))
NOT_USERS = frozenset(
    ("group", "serviceprincipal", "device", "contact", "orgcontact", "application", "microsoftgraphgroup")
)
"""Other possible members of an Entra group, which are not users of the org (R29)."""


_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+")
"""A bare address: without a display name, `mailto:`, or a second address."""


class Address(NamedTuple):
    """A user's address, its heading, and another address of the same line if they differ."""

    text: str
    heading: str
    rival: tuple[str, str] | None = None


def read_address(values: Mapping[str, Json], headings: Mapping[str, str]) -> Address:
    """Return the address of a line. Raises ValueError if it has none."""
    cells = [(name, str(values[name]).strip()) for name in ADDRESSES if values.get(name)]
    addresses = [(name, address) for name, text in cells if (address := _address(text))]
    if not addresses:
        shown = " and ".join(f"`{headings[name]}`" for name in ADDRESSES if name in headings) or "`email`"
        if not cells:
            raise ValueError(f"{shown} {'are' if ' and ' in shown else 'is'} empty")
        name, text = cells[0]
        raise ValueError(f"`{headings.get(name, name)}` is `{text[:60]}`, which is not an email address")
    (name, text), *more = addresses
    different = ((headings[name], rival) for name, rival in more if normalise.email(rival) != normalise.email(text))
    return Address(text, headings[name], next(different, None))


def _address(text: str) -> str | None:
    if is_guest_name(text):
        return external_address(text)
    return text if _ADDRESS.fullmatch(text) else None


def read_truth(heading: str, value: Json, *, states: bool = True) -> bool:
    """Return a flag, or with ``states`` whether a status means active. Raises ValueError for other values."""
    if isinstance(value, bool):
        return value
    text = str(value).strip()
    if not states and text.lower() not in TRUE | FALSE:
        raise ValueError(f"`{heading}` is `{text[:40]}`, which is neither true nor false")
    return _is_true(heading, text)


@lru_cache(maxsize=64)
def _is_true(heading: str, text: str) -> bool:
    status = re.sub(r"[\s_-]+", "_", text).upper()
    if text.lower() in TRUE or status in ACTIVE:
        return True
    if text.lower() in FALSE or status in INACTIVE:
        return False
    message = f"`{heading}` is `{text[:40]}`, which is neither true, false nor a user status"
    raise ValueError(f"{message} ({', '.join(sorted(ACTIVE | INACTIVE))})")


def is_user(heading: str, value: str) -> bool:
    """Return whether a line is a user, by Entra's type. Raises ValueError for an unknown type."""
    kind = "".join(filter(str.isalnum, value.lower()))
    if kind in USERS or kind in NOT_USERS:
        return kind in USERS
    raise ValueError(f"`{heading}` is `{value[:40]}`, which is not a known member type")


def split_groups(cell: str, separator: str, known: Known, *, single: bool = False) -> list[str]:
    """Return the groups in a cell. ``separator`` always separates them, unless the whole cell is a known group.

    A comma or ``|`` separates them only if every part is a known group and the whole cell is not. ``single``: a cell is
    one group unless that applies. Raises ValueError if the cell is ambiguous.
    """
    parts = _parts(cell, separator)
    if separator not in cell:
        return _finer(normalise.name(cell), separator, known, single) if parts else []
    if known is not None and normalise.name(cell) in known:
        if known.issuperset(parts):
            raise ValueError(_ambiguous(normalise.name(cell), parts))
        return [normalise.name(cell)]
    for part in parts:
        if len(_finer(part, separator, known, True)) > 1:
            raise ValueError(f"`{part[:80]}` has a different separator from the other groups in the cell")
    return parts


def _finer(text: str, separator: str, known: Known, single: bool) -> list[str]:
    if known is None:
        return [text]
    signs = [sign for sign in (",", "|") if sign in text and sign != separator]
    ways = [parts for way in dict.fromkeys((*signs, "".join(signs))) if len(parts := _parts(text, way)) > 1]
    for parts in filter(known.issuperset, ways):
        if text in known:
            raise ValueError(_ambiguous(text, parts))
        return parts
    for parts in ways:
        strangers = [part for part in parts if part not in known]
        if text not in known and not single and len(strangers) < len(parts):
            raise ValueError(
                f"`{text[:80]}` is not a known group, and neither is its part {_listed(strangers)}; write"
                f" `{separator}` between groups, and after a group name that contains a separator"
            )
    return [text]


def _parts(text: str, signs: str) -> list[str]:
    pieces = re.split(f"[{re.escape(signs)}]", text) if signs else [text]
    return [name for piece in pieces if (name := normalise.name(piece))]


def _ambiguous(whole: str, parts: list[str]) -> str:
    return f"`{whole[:80]}` is ambiguous: it is a group, and so are {_listed(parts)}; write one line per membership"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name[:40]}`" for name in names[:5]) + (", ..." if len(names) > 5 else "")


MARK = "#ext#"


def is_guest_name(name: str) -> bool:
    """Return whether a user principal name is a guest's, such as ``bo_partner.com#EXT#@acme.onmicrosoft.com``."""
    return "#" in name and MARK in name.lower()


def external_address(name: str) -> str | None:
    """Return the address in a guest's user principal name: ``bo@partner.com`` for the example above.

    Entra writes the address with ``_`` instead of ``@``. A domain has no ``_``, so the last one was the ``@``. None
    where there is none.
    """
    local, _, domain = name[: name.lower().index(MARK)].rpartition("_")
    return f"{local}@{domain}" if local and "." in domain else None


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
        self._names: dict[str, str] = {}
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
        faults = builder.add({**user, **self._name_of(email)} for email, user in self._users.items())
        self.problems += (Problem("people_invalid", fault.message, places[fault.row]) for fault in faults)
        if self.problems:
            placed = sorted(self.problems[:MOST_PROBLEMS], key=lambda problem: problem.where or Where(""))
            raise ConfigError(*placed)
        return builder.build()

    def _name_of(self, email: str) -> dict[str, str]:
        """Return the full name of a user as a part of a record; nothing without one."""
        return {"name": self._names[email]} if email in self._names else {}

    def notes(self) -> tuple[Problem, ...]:
        """Return warnings: unread columns, members that are not users, lines with two addresses."""
        notes = []
        if self._ignored:
            listed = ", ".join(self._ignored)
            notes.append(Problem("people_ignored", f"ignored columns of the people files: {listed}"))
        if self._skipped:
            message = f"group members that are not users are left out ({self._skipped}, R29)"
            notes.append(Problem("people_no_users", message))
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
                user[flag] = read_truth(headings[flag], value)
        if (value := values.get("blocked")) not in ("", None) and read_truth(headings["blocked"], value, states=False):
            user["active"] = False
        if origin := values.get("origin"):
            user["origin"] = str(origin).lower()
        user |= {
            name: values[name] for name in ("role_attribute", "id", "manual") if values.get(name) not in ("", None)
        }
        self._merge(user, self._groups(values, form), line.where)
        if values.get("name"):
            self._names.setdefault(user["email"], values["name"])

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
