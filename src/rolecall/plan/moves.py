"""Values of a plan about users: who they are, how their access changes, and which change causes which part of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence, Set
from operator import eq
from typing import Annotated, Any, Literal, NamedTuple

from rolecall.model import normalise
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory
from rolecall.model.policy import TeamRole
from rolecall.model.record import FLAT, IDENTIFIED, OMIT, Code, UserName
from rolecall.model.roles import ORG_ADMIN, RANK
from rolecall.model.settings import Address

_ROLES = {rank: role for role, rank in RANK.items()}


class Attribution(NamedTuple):
    """A part of what users lose and gain, and the changes that cause it.

    ``lost`` and ``gained`` are levels: each ranked role of a team by itself, so team admin of X to nothing is the loss
    of X team admin and of X member; ``TeamRole("", "org_admin")`` is being org admin of the org. ``to_default`` is the
    fall to default access. ``each``: leaving out any one of ``because`` is enough to avoid this part; otherwise all of
    them have to be left out.
    """

    lost: tuple[TeamRole, ...]
    gained: tuple[TeamRole, ...]
    because: tuple[Address, ...]
    each: bool = False
    to_default: bool = False


def without(
    after: Iterable[TeamRole], causes: Iterable[Attribution], addresses: Collection[Address]
) -> tuple[tuple[TeamRole, ...], bool]:
    """Return what users with ``after`` have if nothing of what these changes cause happens, and whether these changes
    cause the fall to default access. Team roles are sorted, with the highest ranked role of each team."""
    own = [cause for cause in causes if not set(addresses).isdisjoint(cause.because)]
    lost = [team_role for cause in own for team_role in cause.lost]
    gained = [team_role for cause in own for team_role in cause.gained]
    ranks = {team_role.team: RANK[team_role.role] for team_role in after if team_role.role in RANK}
    for team_role in gained:
        if team_role.role in RANK:
            ranks[team_role.team] = min(ranks.get(team_role.team, 0), RANK[team_role.role] - 1)
    for team_role in lost:
        if team_role.role in RANK:
            ranks[team_role.team] = max(ranks.get(team_role.team, 0), RANK[team_role.role])
    team_roles = {team_role for team_role in after if team_role.role not in RANK} - set(gained)
    team_roles |= {team_role for team_role in lost if team_role.role not in RANK}
    team_roles |= {TeamRole(team, _ROLES[rank]) for team, rank in ranks.items() if team and rank}
    team_roles |= {team_role for team_role in after if not team_role.team}  # at org level, which no change affects
    return tuple(sorted(team_roles)), any(cause.to_default for cause in own)


MoveKind = Literal["gain", "lose", "change"]


class Who(NamedTuple):
    """A user in a plan: the org's id, and the email address where it may be shown."""

    id: UserName
    email: UserName | None


class Tally(NamedTuple):
    """The numbers of users who gain, lose and change access."""

    gain: int = 0
    lose: int = 0
    change: int = 0

    @property
    def total(self) -> int:
        return self.gain + self.lose + self.change


class Move(NamedTuple):
    """Users with the same access before, the same access after, and the same causes. A role without a team is org admin
    at org level (R36).

    ``people`` is empty where they must not be named, and where a saved plan has only the hash of their ids,
    ``members_hash``; ``size`` always holds. ``causes`` says which change causes what,
    and is empty where one change causes all of it. ``to_default``: they fall back to default access alone;
    ``on_default``: default access is all they have after the plan, whether or not it was before.
    """

    before: tuple[TeamRole, ...]
    after: tuple[TeamRole, ...]
    kind: MoveKind
    because: tuple[Address, ...]
    size: int
    people: Sequence[Who]
    to_default: bool = False
    causes: tuple[Attribution, ...] = ()
    on_default: bool = False
    members_hash: Annotated[Code, OMIT] = ""

    @property
    def falls_back(self) -> bool:
        """Return whether they had other access before; users who are new to the org gain default access instead."""
        return self.to_default and bool(self.before)


class Escalation(NamedTuple):
    """A user who gains a role above member, and the changes that give it.

    ``was_org_admin``: the user is org admin already, and gains teams as such.
    """

    who: Annotated[Who, FLAT, IDENTIFIED]
    gains: tuple[TeamRole, ...]
    because: tuple[Address, ...]
    was_org_admin: Annotated[bool, OMIT] = False

    @property
    def new_org_admin(self) -> bool:
        """Return whether the user gains org admin of the org."""
        return not self.was_org_admin and any(gained.role == ORG_ADMIN for gained in self.gains)


class TeamTally(NamedTuple):
    """The numbers of users who join a team, leave it, or change their role in it."""

    team: Code
    gain: int = 0
    lose: int = 0
    change: int = 0


def share(move: Move, addresses: Collection[Address]) -> Move:
    """Return the move from what users would have without these changes; the whole move where they cause it all."""
    if not move.causes or set(move.because) <= set(addresses):
        return move
    before, falls = without(move.after, move.causes, addresses)
    return move._replace(before=before, kind=_kind(before, move.after), to_default=falls and move.to_default)


def _kind(before: Collection[TeamRole], after: Collection[TeamRole]) -> MoveKind:
    had, has = _levels(before), _levels(after)
    if had == has:
        return "change"
    return "gain" if had < has else "lose" if has < had else "change"


def _levels(team_roles: Collection[TeamRole]) -> frozenset[tuple[str, str | int]]:
    """Return what counts as access: org admin once for the org, each ranked role with those below it."""
    levels: set[tuple[str, str | int]] = set()
    for team, role in team_roles:
        rank = RANK.get(role)
        if rank is None:
            levels.add((team, role))
        else:
            levels |= {(team if level < _ORG_WIDE else "", level) for level in range(1, rank + 1)}
    return frozenset(levels)


_ORG_WIDE = 3
"""The rank that counts for the org and not for a team (R21)."""


def who(directory: Directory, number: int, org_id: str = "") -> Who:
    """Return a user by the org's id; where a source has no ids, by a digest of the email address, which does not reveal
    it."""
    email, known = directory.emails[number], directory.ids[number]
    if not known or "@" in known:
        known = stand_in(org_id, email)
    return Who(known, email)


LISTED = 10_000
"""The most users that a saved plan lists one by one, and that are in memory one by one in a class."""


class Users(Sequence[Who]):
    """The users of a large class. Only their numbers are in memory; each user is made when it is read."""

    __slots__ = ("_directory", "_numbers", "_org_id")

    def __init__(self, directory: Directory, numbers: Sequence[int], org_id: str) -> None:
        self._directory, self._numbers, self._org_id = directory, numbers, org_id

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: Any) -> Any:
        numbers = self._numbers[place]
        if isinstance(numbers, int):
            return who(self._directory, numbers, self._org_id)
        return Users(self._directory, numbers, self._org_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Users | tuple) and len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))


def users(directory: Directory, numbers: Sequence[int], org_id: str) -> Sequence[Who]:
    """Return the users with these numbers; as a tuple up to 10,000."""
    listed = Users(directory, numbers, org_id)
    return tuple(listed) if len(numbers) <= LISTED else listed


def hash_of(users: Iterable[Who]) -> str:
    """Return the SHA-256 of the sorted ids of users, one a line, as hex."""
    lines = "\n".join(sorted(user.id for user in users))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()


def stand_in(org_id: str, email: str) -> str:
    """Return an id made from an email address: the same in every plan for this org."""
    identity = f"{org_id}\0{normalise.email(email)}".encode("utf-8", "surrogatepass")
    return f"p-{hashlib.sha256(identity).hexdigest()[:16]}"


def owner_emails(desired: Desired) -> dict[Address, str]:
    """Return the email address of each owner, by address; owners without one are left out."""
    owned = ((at, normalise.email(intent.owner or "")) for at, intent in sorted(desired.intents.items()))
    return {at: email for at, email in owned if "@" in email}


def numbers_of(directory: Directory, emails: Set[str]) -> dict[str, int]:
    """Return the number of each user with one of these normalized email addresses."""
    numbers = {email: number for number, email in enumerate(directory.emails) if email in emails} if emails else {}
    if len(numbers) < len(emails):
        missing = emails - numbers.keys()
        keys = ((normalise.email(email), number) for number, email in enumerate(directory.emails))
        numbers |= {key: number for key, number in keys if key in missing}
    return numbers


def name_some(directory: Directory, numbers: Iterable[int], most: int = 5) -> str:
    """Return ``ann@acme.com, bo@acme.com and 38 more``, sorted."""
    emails = sorted(directory.emails[number] for number in numbers)
    shown = ", ".join(emails[:most])
    return shown if len(emails) <= most else f"{shown} and {len(emails) - most:,} more"
