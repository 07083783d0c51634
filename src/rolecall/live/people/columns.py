"""The columns of a people file: the headings of Okta's and Entra's exports, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rolecall.errors import Problem, Where, did_you_mean

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
"""What a line says of a user, and the headings under which it may stand. Case, blanks and signs do not matter."""

ADDRESSES = ("app_name", "email", "login")
"""The columns that hold an address, the best first: what provisioning sends, the mailbox, the name to sign in with."""

ONE_GROUP = frozenset(("group", "groupname"))
"""Headings, as `squeezed` writes them, under which each cell is one group."""

_SHORTEST = 5


def squeezed(heading: str) -> str:
    """Return a heading as headings compare: letters and digits alone, lower case."""
    return "".join(filter(str.isalnum, heading.lower()))


KNOWN: Mapping[str, str] = {squeezed(heading): name for name, headings in COLUMNS.items() for heading in headings}
_SHOWN = {squeezed(heading): heading for headings in COLUMNS.values() for heading in headings}


class Columns(NamedTuple):
    """The columns of one file. ``places`` are the known ones by position, ``headings`` what the file calls them,
    ``ignored`` the other headings. ``problems`` are what is wrong with the headings."""

    places: Mapping[int, str]
    headings: Mapping[str, str]
    ignored: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def one_group(self) -> bool:
        """Whether a cell of ``groups`` is one group, whatever separators it has."""
        return squeezed(self.headings.get("groups", "")) in ONE_GROUP


def read_columns(headings: Sequence[str], where: Where, *, grouped: bool = False, extra: Iterable[str] = ()) -> Columns:
    """Return the columns of a file with these headings. ``grouped``: the file is one group's, so that it needs no
    column for groups. ``extra`` are headings that the caller reads itself."""
    places = {at: KNOWN[key] for at, heading in enumerate(headings) if (key := squeezed(heading)) in KNOWN}
    named: dict[str, str] = {}
    problems: list[Problem] = []
    for at, name in places.items():
        heading = headings[at].strip()
        if name in named:
            message = f"has two columns for {name}: `{named[name]}` and `{heading}`"
            problems.append(Problem("people_columns", message, where, "remove or rename one of them"))
        named.setdefault(name, heading)
    others = [text for at, heading in enumerate(headings) if at not in places and (text := heading.strip())]
    ignored = tuple(dict.fromkeys(text for text in others if text not in extra))
    problems += _missing(named, headings, ignored, where, grouped)
    if not problems:
        problems += (_slip(heading, near, where) for heading in ignored if (near := _near(heading)))
    return Columns(places, named, ignored, tuple(problems))


def _missing(
    named: Mapping[str, str], headings: Sequence[str], ignored: Sequence[str], where: Where, grouped: bool
) -> Iterable[Problem]:
    has = ", ".join(heading.strip()[:40] for heading in headings[:20]) or "no headings"
    if not any(name in named for name in ADDRESSES):
        yield _no_column("email", has, ignored, where, "the first line has to name the columns, such as email,groups")
    if "groups" not in named and not grouped:
        hint = "name it `groups`; if each file has one group's members, name the files in `people: {files: ...}`"
        yield _no_column("groups", has, ignored, where, hint)


def _no_column(name: str, has: str, ignored: Sequence[str], where: Where, hint: str) -> Problem:
    known = [heading for column in (name, "login" if name == "email" else name) for heading in COLUMNS[column]]
    near = next(filter(None, (did_you_mean(heading, known) for heading in ignored)), None)
    return Problem("people_columns", f"no column for {name}; it has {has}", where, near or hint)


def _slip(heading: str, near: str, where: Where) -> Problem:
    message = f"the column `{heading}` is not read"
    return Problem("people_columns", message, where, f"did you mean `{near}`? If not, rename or remove it")


def _near(heading: str) -> str | None:
    """The known heading that this one misses by a single slip of the keys."""
    key = squeezed(heading)
    return next((_SHOWN[known] for known in KNOWN if len(known) >= _SHORTEST and _one_slip(key, known)), None)


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter is missing, too much or another, or two neighbors are swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        differ = [at for at, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1 and one[differ[0]] == other[differ[1]]
        return len(differ) == 1 or (swapped and one[differ[1]] == other[differ[0]])
    short, long = sorted((one, other), key=len)
    return any(short == long[:at] + long[at + 1 :] for at in range(len(long)))
