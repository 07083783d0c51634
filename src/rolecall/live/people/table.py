"""Reads a people file as lines with their places: CSV from a spreadsheet or an IdP export, or JSON lines.

Columns are recognized by the headings of Okta's and Entra's exports.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rolecall.errors import ConfigError, Problem, Where, did_you_mean
from rolecall.live.people.full_names import HEADINGS, full_name
from rolecall.live.people.lines import ADDRESSES, OWN_KEYS, FileForm, FileLine, group_of_file

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "app_name": ("Application username", "Application login", "App username"),
    "email": ("email", "mail", "Primary email", "User email", "Email address", "profile.email"),
    "login": (
        *("login", "Username", "User login", "userPrincipalName", "UPN", "Okta username", "User name"),
        "profile.login",
    ),
    "groups": (
        *("groups", "group", "Group name", "Group names", "memberOf", "Group memberships", "Group membership"),
        "Member of",
    ),
    "active": (
        *("active", "status", "User status", "Okta user status", "Account status", "enabled", "accountEnabled"),
        "Is active",
    ),
    "blocked": ("Block credential", "Blocked", "Suspended", "Disabled", "Account disabled", "Deactivated", "Deleted"),
    "kind": ("Member type", "objectType"),
    "origin": ("origin",),
    "pending": ("pending",),
    "role_attribute": ("role_attribute",),
}
"""The values of a line, and the headings for each. Case, spaces and punctuation do not matter."""

ONE_GROUP = frozenset(("group", "groupname"))
"""Headings, normalized by `squeezed`, whose cells are one group each."""

_SHORTEST = 5


def squeezed(heading: str) -> str:
    """Return a heading for comparison: letters and digits only, in lower case."""
    return "".join(filter(str.isalnum, heading.lower()))


KNOWN: Mapping[str, str] = {squeezed(heading): name for name, headings in COLUMNS.items() for heading in headings}
_NAMES: Mapping[str, str] = {squeezed(heading): key for heading, key in HEADINGS.items()}
_SHOWN = {squeezed(heading): heading for headings in COLUMNS.values() for heading in headings}


class Columns(NamedTuple):
    """The columns of one file. ``places`` are the known ones by position, ``headings`` their names in the file,
    ``ignored`` the other headings. ``problems`` are the problems with the headings. ``names`` are the columns with
    parts of full names, by position, and the key of each part; none if they were not asked for.
    """

    places: Mapping[int, str]
    headings: Mapping[str, str]
    ignored: tuple[str, ...]
    problems: tuple[Problem, ...]
    names: Mapping[int, str] = {}

    @property
    def one_group(self) -> bool:
        """Return whether a cell of ``groups`` is one group, regardless of separators."""
        return squeezed(self.headings.get("groups", "")) in ONE_GROUP


def read_headings(
    headings: Sequence[str],
    where: Where,
    *,
    grouped: bool = False,
    extra: Iterable[str] = (),
    full_names: bool = False,
) -> Columns:
    """Return the columns of a file with these headings. ``grouped``: the file is for one group and needs no column for
    groups. ``extra`` are headings that the caller reads itself. ``full_names``: full names are read as well.
    """
    places = {at: KNOWN[key] for at, heading in enumerate(headings) if (key := squeezed(heading)) in KNOWN}
    named: dict[str, str] = {}
    problems: list[Problem] = []
    for at, name in places.items():
        heading = headings[at].strip()
        if name in named:
            message = f"has two columns for {name}: `{named[name]}` and `{heading}`"
            problems.append(Problem("people_columns", message, where, "remove or rename one of them"))
        named.setdefault(name, heading)
    names = {at: _NAMES[key] for at, heading in enumerate(headings) if (key := squeezed(heading)) in _NAMES}
    names = {at: key for at, key in names.items() if full_names and at not in places}
    known = places.keys() | names.keys()
    unknown = [text for at, heading in enumerate(headings) if at not in known and (text := heading.strip())]
    ignored = tuple(dict.fromkeys(text for text in unknown if text not in extra))
    problems += _missing(named, headings, ignored, where, grouped)
    if not problems:
        problems += (_slip(heading, near, where) for heading in ignored if (near := _near(heading)))
    return Columns(places, named, ignored, tuple(problems), names)


def _missing(
    named: Mapping[str, str], headings: Sequence[str], ignored: Sequence[str], where: Where, grouped: bool
) -> Iterable[Problem]:
    has = ", ".join(heading.strip()[:40] for heading in headings[:20]) or "no headings"
    if not any(name in named for name in ADDRESSES):
        yield _no_column("email", has, ignored, where, "the first line must name the columns, such as email,groups")
    if "groups" not in named and not grouped:
        hint = "name it `groups`; if each file has one group's members, list the files in `people.files`"
        yield _no_column("groups", has, ignored, where, hint)


def _no_column(name: str, has: str, ignored: Sequence[str], where: Where, hint: str) -> Problem:
    known = [heading for column in (name, "login" if name == "email" else name) for heading in COLUMNS[column]]
    near = next(filter(None, (did_you_mean(heading, known) for heading in ignored)), None)
    return Problem("people_columns", f"no column for {name}; the columns are {has}", where, near or hint)


def _slip(heading: str, near: str, where: Where) -> Problem:
    message = f"the column `{heading}` is not read"
    return Problem("people_columns", message, where, f"did you mean `{near}`? If not, rename or remove it")


def _near(heading: str) -> str | None:
    """Return the known heading that differs from this one by a single typing error."""
    key = squeezed(heading)
    return next((_SHOWN[known] for known in KNOWN if len(known) >= _SHORTEST and _one_slip(key, known)), None)


def _one_slip(heading: str, known: str) -> bool:
    """Return whether one letter is missing, extra or different, or two neighbors are swapped."""
    if abs(len(heading) - len(known)) > 1:
        return False
    if len(heading) == len(known):
        differ = [at for at, pair in enumerate(zip(heading, known, strict=True)) if pair[0] != pair[1]]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1 and heading[differ[0]] == known[differ[1]]
        return len(differ) == 1 or (swapped and heading[differ[1]] == known[differ[0]])
    short, long = sorted((heading, known), key=len)
    return any(short == long[:at] + long[at + 1 :] for at in range(len(long)))


Json = Any
LONGEST_CELL = 1 << 20
_SAVE_AS = "save it as CSV UTF-8"


class FileTable(NamedTuple):
    """The lines of a file, and its format. ``problems`` are the problems with its format."""

    rows: tuple[FileLine, ...]
    form: FileForm
    problems: tuple[Problem, ...]


def read_csv(data: bytes, file: str, *, grouped: bool = False, full_names: bool = False) -> FileTable:
    """Return the lines of a CSV file. The delimiter is ``,``, ``;`` or a tab, as in the first line.

    ``grouped``: a file without a column for groups has the members of the group in its name. ``full_names``: full names
    are read as well. Raises ConfigError if it is not CSV.
    """
    text = _text(data, file)
    delimiter, start = _delimiter(text)
    problems: list[Problem] = []
    numbered = list(_cells(text, delimiter, start, file))
    number, headings = numbered[0] if numbered else (1, [])
    columns = read_headings(headings, Where(file, number, 1), grouped=grouped, full_names=full_names)
    lines = () if columns.problems else tuple(_lines(numbered[1:], headings, columns, file, problems))
    group = group_of_file(file) if grouped else None
    form = FileForm(columns.headings, "|" if delimiter == ";" else ";", columns.one_group, group, columns.ignored)
    return FileTable(lines, form, (*columns.problems, *problems))


def _text(data: bytes, file: str) -> str:
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
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
        raise ConfigError(Problem("people_empty", "has no lines", Where(file), "the first line must name the columns"))
    for start, what, hint in _OTHER_FORMATS:
        if re.match(start, text.lstrip()):
            raise ConfigError(Problem("people_syntax", f"is {what}, not CSV", Where(file, 1, 1), hint))
    return text


_OTHER_FORMATS = (
    ("<", "a page of HTML or XML", "export it again; it may be the page to sign in, if it was downloaded by a script"),
    (r"\{|\[\s*\{", "JSON", "write one object per line, and end the name of the file with `.jsonl`"),
)
"""Patterns of the start of texts in other formats, with what they are and what to do."""


def _delimiter(text: str) -> tuple[str, int]:
    """Return the delimiter and the line number of the headings. Excel writes ``sep=;`` before them."""
    lines = text.lstrip().splitlines()
    marker = re.fullmatch(r"\"?sep=([,;\t])\"?", lines[0].strip(" \r\n"))
    if marker:
        return marker[1], 2
    header = re.sub(r'"[^"]*"', "", lines[0])
    return max(",;\t", key=header.count), 1


def _cells(text: str, delimiter: str, start: int, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not empty, each with the number of its first line."""
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


def _lines(
    numbered: list[tuple[int, list[str]]], headings: list[str], columns: Columns, file: str, problems: list[Problem]
) -> Iterator[FileLine]:
    named = {at for at, heading in enumerate(headings) if heading.strip()}
    for number, cells in numbered:
        where = Where(file, number, 1)
        exact = len(cells) == len(headings) == len(named)
        if not exact and (len(cells) < len(headings) or _stray(cells, named)):
            has = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            expected = "1 column" if len(named) == 1 else f"{len(named)} columns"
            message = f"has {has}, but the first line has {expected}"
            hint = "quote cells that contain the delimiter"
            problems.append(Problem("people_cells", message, where, hint))
        else:
            values = {name: cells[at].strip() for at, name in columns.places.items()}
            name = full_name({key: cells[at] for at, key in columns.names.items()})
            yield FileLine(where, values if name is None else {**values, "name": name})


def _stray(cells: list[str], named: set[int]) -> bool:
    """Return whether a cell has no heading."""
    return any(cell.strip() for at, cell in enumerate(cells) if at not in named)


def read_json_lines(data: bytes, file: str, *, grouped: bool = False, full_names: bool = False) -> FileTable:
    """Return the lines of a file with one JSON object per line, with the headings of a CSV file."""
    problems: list[Problem] = []
    objects = list(_objects(data.removeprefix(b"\xef\xbb\xbf"), file, problems))
    keys = list(dict.fromkeys(key for _, values in objects for key in values))
    where = Where(file, objects[0][0].line if objects else 1, 1)
    known = read_headings(keys, where, grouped=grouped, extra=OWN_KEYS, full_names=full_names)
    names = {keys[at]: name for at, name in known.places.items()} | {key: key for key in OWN_KEYS}
    parts = {keys[at]: part for at, part in known.names.items()}
    lines = tuple(FileLine(where, _values(values, names, parts)) for where, values in objects)
    group = group_of_file(file) if grouped else None
    form = FileForm(known.headings, ";", known.one_group, group, known.ignored)
    return FileTable(lines, form, (*(known.problems if objects else ()), *problems))


def _values(json_object: Mapping[str, Json], names: Mapping[str, str], parts: Mapping[str, str]) -> dict[str, Json]:
    """Return the values of an object: ``names`` are those of its keys, ``parts`` its keys with parts of the name."""
    values = {names[key]: value for key, value in json_object.items() if key in names and value is not None}
    name = full_name({part: json_object.get(key) for key, part in parts.items()}) if parts else None
    return values if name is None else {**values, "name": name}


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
