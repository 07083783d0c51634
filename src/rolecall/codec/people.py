"""Encodes and decodes users as JSON objects, to and from the model's columns: snapshots, JSONL files and the API. Pure.

The object is the snapshot's: ``email``, ``id``, ``name``, ``origin``, ``active``, ``pending``, ``groups``,
``role_attribute``, ``manual``, ``org_role``, ``seat``, ``billing_group``; only ``email`` is required, the defaults are
those of an active SCIM user. Unknown keys are ignored, and so is a part of the profile that is not text.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, get_args

from rolecall.codec.settings import Json, Roles
from rolecall.model import normalise
from rolecall.model.directory import NO_PROFILE, PLAIN, Directory, Origin, Person, Profile, Traits
from rolecall.model.live import COMPLETE, Coverage
from rolecall.model.policy import OrgRole, TeamRole
from rolecall.model.roles import BUILT_IN, ORG_ROLES, role_id

ORIGINS: Mapping[str, Origin] = {name: name for name in get_args(Origin)}


class Fault(NamedTuple):
    """A row that is not a user: its position in the input, from 0, and what is wrong with it."""

    row: int
    message: str


@dataclass(frozen=True, slots=True, repr=False)
class UserColumns:
    """Users of an org in this process: the rows of the API, column by column.

    ``groups`` are ids of groups; user i is in ``members[offsets[i]:offsets[i + 1]]`` (numbers of groups). ``uncommon``
    has, by the user's number, the rest of the row of each user who is not PLAIN, with ``manual`` as JSON text.
    """

    ids: Sequence[str]
    emails: Sequence[str]
    groups: Sequence[str]
    offsets: array[int]
    members: array[int]
    uncommon: Mapping[int, Mapping[str, Json]]

    def __repr__(self) -> str:
        """Return a short text, because asyncio logs the results of tasks."""
        return f"UserColumns({len(self.ids)} users)"


class DirectoryBuilder:
    """Collects users row by row into a Directory.

    ``groups`` are numbered first, in their order; groups that only users name come after them. ``names`` maps the
    groups in rows (the API's ids) to names in settings; others are kept as they are.
    """

    def __init__(
        self, groups: Iterable[str] = (), *, names: Mapping[str, str] | None = None, roles: Roles = BUILT_IN
    ) -> None:
        self._groups = _Groups(names or {})
        for group in groups:
            self._groups.number(normalise.name(group))
        self._roles = roles
        self._emails: list[str] = []
        self._ids: list[str] | None = None
        self._offsets = array("I", [0])
        self._members = array("I")
        self._others: dict[int, Traits] = {}
        self._profiles: dict[int, Profile] = {}
        self._shared: dict[Traits, Traits] = {PLAIN: PLAIN}

    def __len__(self) -> int:
        return len(self._emails)

    def add(self, users: Iterable[Json]) -> list[Fault]:
        """Add these rows. Rows that are not users are left out and returned as faults."""
        faults = []
        for index, user in enumerate(users):
            try:
                self._append(user)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                message = str(error) if type(error) is ValueError else "is not a user"
                faults.append(Fault(index, _explain(user) or message))
        return faults

    def add_columns(self, users: UserColumns) -> None:
        """Add these users; the same as ``add`` with their rows. Raises ValueError for an invalid one."""
        first, members = len(self._emails), len(self._members)
        if self._ids is None:
            self._ids = list(self._emails)
        self._ids += users.ids
        for start in range(0, len(users.emails), _MANY):
            self._emails += _email_keys(users.emails[start : start + _MANY])
        numbers = self._group_numbers(users)
        same = all(number == own for own, number in enumerate(numbers))
        self._members.extend(users.members if same else map(numbers.__getitem__, users.members))
        self._offsets.extend(map(members.__add__, users.offsets[1:]))
        for number, user in users.uncommon.items():
            traits = self._traits({**user, "manual": _decode_edits(user.get("manual", "[]"))})
            if traits is not PLAIN:
                self._others[first + number] = traits
            if (profile := _profile(user)) != NO_PROFILE:
                self._profiles[first + number] = profile

    def _group_numbers(self, users: UserColumns) -> Sequence[int]:
        """Return the number of each group of these columns; a new group is numbered at its first use."""
        known = [self._groups.known_number(group) for group in users.groups]
        if None in known:
            for group in dict.fromkeys(users.members):
                known[group] = self._groups[users.groups[group]]
        return [own if number is None else number for own, number in enumerate(known)]

    @property
    def emails(self) -> Sequence[str]:
        """Return the addresses of all added users, in order."""
        return self._emails

    @property
    def ids(self) -> Sequence[str]:
        """Return the ids of all added users, in order; the address if a row has no id."""
        return self._emails if self._ids is None else self._ids

    def extend(self, part: DirectoryBuilder) -> None:
        """Add all users of another builder, which must not be used after that."""
        if self._ids is None and part._ids is not None:
            self._ids = list(self._emails)
        if self._ids is not None:
            self._ids += part.ids
        first, members = len(self._emails), len(self._members)
        self._emails += part._emails
        self._offsets.extend(members + offset for offset in part._offsets[1:])
        numbers = array("I", [self._groups.number(name) for name in part._groups.known])
        same = all(number == own for own, number in enumerate(numbers))
        self._members.extend(part._members if same else array("I", [numbers[group] for group in part._members]))
        shared = self._shared
        self._others |= {first + at: shared.setdefault(traits, traits) for at, traits in part._others.items()}
        self._profiles |= {first + at: profile for at, profile in part._profiles.items()}

    def repeated(self) -> tuple[str, ...]:
        """Return the email addresses that are repeated (R28), sorted."""
        if len(set(self._emails)) == len(self._emails):
            return ()
        return tuple(sorted(email for email, times in Counter(self._emails).items() if times > 1))

    def build(self, coverage: Coverage = COMPLETE) -> Directory:
        """Return the directory of all added users. The builder must not be used after that."""
        ids = self._emails if self._ids is None else self._ids
        groups = tuple(self._groups.known)
        directory = Directory(self._emails, ids, groups, self._offsets, self._members, self._others, coverage)
        return replace(directory, profiles=self._profiles) if self._profiles else directory

    def _append(self, user: Json) -> None:
        email = _email(user["email"])
        groups = user.get("groups") or ()
        own = user.get("id")
        if not isinstance(groups, _LISTS) or not (own is None or isinstance(own, str)):
            raise TypeError
        numbers = [self._groups[group] for group in groups]
        traits = self._traits(user)
        if traits is not PLAIN:
            self._others[len(self._emails)] = traits
        if not _PROFILE.isdisjoint(user) and (profile := _profile(user)) != NO_PROFILE:
            self._profiles[len(self._emails)] = profile
        if own is not None and self._ids is None:
            self._ids = list(self._emails)
        if self._ids is not None:
            self._ids.append(own or email)
        self._emails.append(email)
        self._members.extend(numbers)
        self._offsets.append(len(self._members))

    def _traits(self, user: Json) -> Traits:
        if (
            user.get("active", True) is True
            and user.get("origin", "scim") == "scim"
            and "manual" not in user
            and "role_attribute" not in user
            and "pending" not in user
            and "org_role" not in user
        ):
            return PLAIN
        traits = _traits(user, self._roles)
        return self._shared.setdefault(traits, traits)


def decode_people(
    users: Iterable[Json],
    groups: Iterable[str] = (),
    *,
    names: Mapping[str, str] | None = None,
    roles: Roles = BUILT_IN,
    coverage: Coverage = COMPLETE,
) -> Directory:
    """Return the directory of these rows; arguments as for DirectoryBuilder.

    Raises ValueError for a row that is not a user, and for two users with one email address (R28).
    """
    builder = DirectoryBuilder(groups, names=names, roles=roles)
    if faults := builder.add(users):
        raise ValueError("; ".join(f"user {fault.row + 1}: {fault.message}" for fault in faults[:10]))
    if twice := builder.repeated():
        raise ValueError(f"several users have the email address {', '.join(twice[:10])}")
    return builder.build(coverage)


def decode_person(user: Json, *, names: Mapping[str, str] | None = None, roles: Roles = BUILT_IN) -> Person:
    """Return one user. Raises ValueError when the row is not a user."""
    return decode_people((user,), names=names, roles=roles).person(0)


def encode_person(person: Person) -> dict[str, Json]:
    """Return one user as in a snapshot; only origin, active and groups are always written."""
    traits = person.traits
    encoded: dict[str, Json] = {"email": person.email}
    if person.id and person.id != person.email:
        encoded["id"] = person.id
    if person.profile.name:
        encoded["name"] = person.profile.name
    encoded |= {"origin": traits.origin, "active": traits.active}
    if traits.pending:
        encoded["pending"] = True
    encoded["groups"] = list(person.groups)
    if traits.role_attribute is not None:
        encoded["role_attribute"] = traits.role_attribute
    if traits.manual:
        encoded["manual"] = [{"team": team_role.team, "role": team_role.role} for team_role in traits.manual]
    if traits.org_role is not None:
        encoded["org_role"] = traits.org_role.role
    invited = {"seat": person.profile.seat, "billing_group": person.profile.billing_group}
    return encoded | {key: value for key, value in invited.items() if value}


def encode_people(directory: Directory) -> Iterator[dict[str, Json]]:
    """Yield all users, in the directory's order, as encode_person returns them."""
    return (encode_person(directory.person(number)) for number in range(len(directory)))


_LISTS = (list, tuple)


class _Groups(dict[str, int]):
    """Maps groups in rows to their numbers; ``known`` are the names by number."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names
        self._numbers: dict[str, int] = {}
        self.known: list[str] = []

    def __missing__(self, group: str) -> int:
        name = self._names.get(group) or normalise.name(group)
        if not name or not _whole(name):
            raise ValueError("a name in `groups` is empty or contains a lone surrogate")
        number = self[group] = self.number(name)
        return number

    def known_number(self, group: str) -> int | None:
        """Return the number of a group that is numbered under its own name, else None."""
        name = self._names.get(group)
        return None if name is None else self._numbers.get(name)

    def number(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self.known)
            self.known.append(name)
        return self._numbers[name]


_MANY = 10_000


def _email_keys(addresses: Sequence[str]) -> Sequence[str]:
    """Return addresses in the form for comparison; most orgs store them so, which is quick to check."""
    text = "".join(addresses)
    plain = text.isascii() and text.islower() and text.isprintable() and " " not in text and "" not in addresses
    return addresses if plain else [_email(address) for address in addresses]


def _email(text: str) -> str:
    email = text.strip().lower() if text.isascii() else normalise.email(text)
    if not email:
        raise ValueError("`email` is empty")
    if not email.isascii() and not _whole(email):
        raise ValueError("`email` contains a lone surrogate")
    return email


_PROFILE = frozenset(Profile._fields)


def _profile(user: Json) -> Profile:
    """Return what a row states about a user besides access; empty for parts that are not text."""
    values = {key: user.get(key) for key in Profile._fields}
    return Profile(
        **{key: normalise.name(text) for key, text in values.items() if isinstance(text, str) and _whole(text)}
    )


def _org_role(value: Json, roles: Roles) -> OrgRole | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise ValueError("`org_role` is not text")
    return OrgRole(role_id(value, {**ORG_ROLES, **roles}))


def _whole(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _traits(user: Json, roles: Roles) -> Traits:
    origin, active, pending = user.get("origin", "scim"), user.get("active", True), user.get("pending", False)
    attribute = user.get("role_attribute")
    known = ORIGINS.get(origin) if isinstance(origin, str) else None
    if known is None:
        raise ValueError(f"`origin` must be one of {', '.join(sorted(ORIGINS))}")
    if not isinstance(active, bool) or not isinstance(pending, bool):
        raise ValueError("`active` and `pending` must be true or false")
    if attribute is not None and not isinstance(attribute, str):
        raise ValueError("`role_attribute` is not text")
    edits, org_role = _edits(user.get("manual") or (), roles), _org_role(user.get("org_role"), roles)
    return Traits(known, active, pending, attribute, edits, org_role)


def _decode_edits(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("`manual` is not JSON") from None


def _edits(edits: Json, roles: Roles) -> tuple[TeamRole, ...]:
    try:
        return tuple(TeamRole(normalise.name(edit["team"]), role_id(edit["role"], roles)) for edit in edits)
    except (KeyError, TypeError, AttributeError):
        raise ValueError("`manual` is not a list of {team, role}") from None


def _explain(user: Json) -> str | None:
    """Return what is wrong with a row that raised a Python error."""
    if not isinstance(user, dict):
        return "is not an object"
    if not isinstance(user.get("email"), str):
        return "has no `email`"
    groups = user.get("groups") or ()
    if not isinstance(groups, list | tuple) or not all(isinstance(group, str) for group in groups):
        return "`groups` is not a list of names"
    if not isinstance(user.get("id") or "", str):
        return "`id` is not text"
    return None
