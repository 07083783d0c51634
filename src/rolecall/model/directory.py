"""Defines users and their groups: single users, columns for a whole org, and the configuration of the WRITER app in an
IdP.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, NamedTuple

from rolecall.errors import Problem
from rolecall.model.live import COMPLETE, Coverage, base_name
from rolecall.model.policy import OrgRole, TeamRole
from rolecall.model.record import PUBLIC, UserName

Origin = Literal["scim", "saml", "invite", "discovery"]


class Traits(NamedTuple):
    """Traits of a user besides groups.

    ``manual`` has the team roles of an invite; ``org_role`` is the role at org level that the org states (R36).
    """

    origin: Origin = "scim"
    active: bool = True
    pending: bool = False
    role_attribute: str | None = None
    manual: tuple[TeamRole, ...] = ()
    org_role: OrgRole | None = None

    @property
    def present(self) -> bool:
        """Return whether the user is in the org: active (R23), and not pending admission (R26)."""
        return self.active and not self.pending


PLAIN = Traits()
"""An active SCIM user without attribute or manual edit, as nearly all are."""


class Profile(NamedTuple):
    """Facts about a user that a source states and no access depends on; empty if unknown.

    ``name`` is the full name, ``seat`` the type of seat, such as ``lite`` (R35).
    """

    name: str = ""
    seat: str = ""
    billing_group: str = ""


NO_PROFILE = Profile()
LITE = "lite"
"""The seat that holds no role other than member of teams (R35), in lower case."""


class Person(NamedTuple):
    """One user. ``groups`` are the keys of groups in live settings."""

    email: str
    id: str = ""
    groups: tuple[str, ...] = ()
    traits: Traits = PLAIN
    profile: Profile = NO_PROFILE


class Gaps(NamedTuple):
    """Differences between the members that the org counts and those of another source of users, by the group's live
    key.

    ``missing`` has the org's counts for groups in which the source has no user: it does not know the group, or has it
    under another name. ``differing`` has both counts, the org's first. ``unknown`` are groups that only the source has.
    """

    missing: Mapping[str, int] = {}
    differing: Mapping[str, tuple[int, int]] = {}
    unknown: tuple[str, ...] = ()


NO_GAPS = Gaps()


@dataclass(frozen=True, slots=True)
class Directory:
    """Users in columns, numbered from 0.

    ``emails[i]`` and ``ids[i]`` identify user i (``ids`` may be ``emails`` itself if the source has no ids). ``groups``
    numbers the groups by name; user i is in ``members[offsets[i]:offsets[i + 1]]`` (numbers of groups). ``others`` has
    the traits of every user who is not PLAIN. ``coverage`` says whether everything that was requested was read.
    ``requests`` counts the requests of the read. ``notes`` are warnings about the source. ``gaps`` compares it with the
    org's counts, if its source is another. ``profiles`` has what else the source states about users, by number.
    """

    emails: Sequence[str] = ()
    ids: Sequence[str] = ()
    groups: tuple[str, ...] = ()
    offsets: array[int] = field(default_factory=lambda: array("I", [0]))
    members: array[int] = field(default_factory=lambda: array("I"))
    others: Mapping[int, Traits] = field(default_factory=dict)
    coverage: Coverage = COMPLETE
    requests: int = field(default=0, compare=False)
    notes: tuple[Problem, ...] = field(default=(), compare=False)
    gaps: Gaps = NO_GAPS
    profiles: Mapping[int, Profile] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return a short text: asyncio logs a task's result when it ends, and this may be a million users."""
        return f"Directory({len(self)} users, {len(self.groups)} groups, {self.coverage.state})"

    def __len__(self) -> int:
        return len(self.emails)

    @property
    def active_people(self) -> int:
        """Return how many users are in the org, the base of percentages of all active users."""
        return len(self) - sum(not traits.present for traits in self.others.values())

    def traits(self, number: int) -> Traits:
        return self.others.get(number, PLAIN)

    def person(self, number: int) -> Person:
        """Return user ``number`` as one value."""
        group_numbers = self.members[self.offsets[number] : self.offsets[number + 1]]
        names = tuple(self.groups[group] for group in group_numbers)
        return Person(
            self.emails[number], self.ids[number], names, self.traits(number), self.profiles.get(number, NO_PROFILE)
        )


class PeopleScope(NamedTuple):
    """The users to read: all, or the union of the named parts. ``groups`` are names."""

    everybody: bool = False
    groups: Annotated[frozenset[str], PUBLIC] = frozenset()
    emails: frozenset[UserName] = frozenset()
    org_admins: bool = False
    unmapped: bool = False
    manual: bool = False
    attribute_admins: bool = False


EVERYBODY = PeopleScope(everybody=True)


def with_legacy_groups(directory: Directory, links: Mapping[str, frozenset[str]] | None) -> Directory:
    """Return the directory of a source that knows groups by name only, with the legacy groups that share a name.

    While the endpoint is ``upgrading``, the org keys a legacy group as ``name [id]`` once the name has been pushed
    again (see ``Facts.legacy_links``). Its members are those of the IdP's group, which keeps it up to date.
    """
    number_of = {name: number for number, name in enumerate(directory.groups)}
    twins = {
        number_of[name]: key for key in links or () if key not in number_of and (name := base_name(key)) in number_of
    }
    if not twins:
        return directory
    numbers = {group: len(directory.groups) + at for at, group in enumerate(twins)}
    members, offsets = array("I"), array("I", [0])
    for person in range(len(directory)):
        group_numbers = directory.members[directory.offsets[person] : directory.offsets[person + 1]]
        members.extend(group_numbers)
        members.extend(numbers[group] for group in group_numbers if group in numbers)
        offsets.append(len(members))
    return replace(directory, groups=(*directory.groups, *twins.values()), members=members, offsets=offsets)


class IdpFacts(NamedTuple):
    """The app as configured in the IdP. Groups are by name.

    ``pushed`` are sent to WRITER, ``assigned`` give their members the app, ``unreached`` are pushed although none of
    their members has the app (R30; None if members were not read). ``failing`` are those whose last push failed, and
    why. ``everybody``: the scope is all users and groups of the directory; None if that cannot be read. ``role_sent``:
    a role attribute is still mapped (R19); ``roles_raw``: by ``appRoleAssignments``, unchanged. ``stopped`` says why
    nothing is sent at the moment, ``unread`` why the rest could not be read.
    """

    kind: Literal["okta", "entra"]
    pushed: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    unreached: frozenset[str] | None = None
    failing: tuple[tuple[str, str], ...] = ()
    everybody: bool | None = None
    role_sent: bool = False
    roles_raw: bool = False
    stopped: str | None = None
    unread: str | None = None
