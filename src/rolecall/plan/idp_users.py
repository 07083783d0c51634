"""Compute the users after the changes of a plan in the IdP: who gets the app or loses it, and in which groups they are.

Okta sends a user who has the app, and a pushed group with those of its direct members who have the app (R29, R30). A
user who gets the app becomes a SCIM user (R11, R12, R24), one who loses it is deactivated (R23).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rolecall.access.moves import returned, synced
from rolecall.model import normalise
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.directory import PLAIN, Directory, Traits
from rolecall.model.kinds import IDP_SECTIONS
from rolecall.model.live import IdpSide, Live
from rolecall.model.settings import UNSET, Address, IdpAssignment, IdpPush, Settings, Unset
from rolecall.plan.value import AppUserCounts

ABSENT = Traits(active=False)
"""The traits of a user who is not in the org."""


class IdpEffect(NamedTuple):
    """The effect of assignments and pushes on users, all by normalized email address.

    ``gains`` and ``losses`` have the members of each group whose assignment begins or ends, ``staying`` the users who
    keep the app anyway. ``groups`` has the members of each group that Okta pushes, by name, and ``arriving`` those of
    groups that it pushes from now on. ``problem`` is why the effect is not known.
    """

    gains: Mapping[Address, frozenset[str]] = {}
    losses: Mapping[Address, frozenset[str]] = {}
    staying: frozenset[str] = frozenset()
    groups: Mapping[str, frozenset[str]] = {}
    arriving: Mapping[str, frozenset[str]] = {}
    problem: str | None = None

    @property
    def moves(self) -> bool:
        """Return whether users get the app or lose it, or may gain access without it being known."""
        return bool(self.gains or self.losses or self.problem)

    @property
    def emails(self) -> frozenset[str]:
        """Return every user who is concerned."""
        listed = (*self.gains.values(), *self.losses.values(), *self.arriving.values())
        return frozenset(email for members in listed for email in members)


def idp_effect(live: Live, changes: Iterable[Change]) -> IdpEffect | None:
    """Return the effect of the changes in the IdP, as far as members were read; None without such changes."""
    listed: list[tuple[Change, IdpAssignment | IdpPush]] = []
    for change in changes:
        value = change.after or change.before
        if isinstance(value, IdpAssignment | IdpPush):
            listed.append((change, value))
    side = live.facts.idp
    if not listed or side is None:
        return None
    unread: list[str] = []
    members = _Members(side, unread)
    gains: dict[Address, frozenset[str]] = {}
    losses: dict[Address, frozenset[str]] = {}
    arriving: dict[str, frozenset[str]] = {}
    for change, value in listed:
        if isinstance(value, IdpPush):
            arriving |= {members.name(value): members.of(value.id)} if change.after is not None else {}
        elif value.id is UNSET:
            unread.append(f"the group of {change.address}")
        else:
            (gains if change.after is not None else losses)[change.address] = members.of(value.id)
    staying = frozenset[str]()
    if losses:
        ended = {str(value.id) for change, value in listed if change.address in losses}
        staying = members.staying(live, ended, gains)
    if not gains and not losses and not arriving and not unread:
        return None
    groups = members.pushed() if gains else {}
    problem = f"{side.idp} could not be read: {', '.join(dict.fromkeys(unread))}" if unread else None
    return IdpEffect(gains, losses, staying, groups, arriving, problem)


class _Members(NamedTuple):
    """The members of groups as they were read; what was not is added to ``unread``."""

    side: IdpSide
    unread: list[str]

    def of(self, group: object) -> frozenset[str]:
        """Return the members of a group by its id."""
        known = self.side.groups.get(str(group))
        if known is None or known.members is None:
            self.unread.append(f"the members of {self._known(str(group))}")
            return frozenset()
        return known.members

    def name(self, value: IdpAssignment | IdpPush) -> str:
        """Return the name of a group."""
        return self._known(str(value.id))

    def _known(self, group: str) -> str:
        known = self.side.groups.get(group)
        return known.name if known else group

    def staying(self, live: Live, ended: set[str], gains: Mapping[Address, frozenset[str]]) -> frozenset[str]:
        """Return the users who have the app by another assignment."""
        assigned = live.settings.idp_assignments
        remaining = () if assigned is UNSET else (value.id for value in assigned.values() if str(value.id) not in ended)
        if self.side.direct is None:
            self.unread.append("the users who are assigned directly")
        listed = (self.side.direct or frozenset(), *gains.values(), *map(self.of, remaining))
        return frozenset(email for members in listed for email in members)

    def pushed(self) -> dict[str, frozenset[str]]:
        """Return the members of the groups that are pushed now, by their names in the org."""
        if self.side.pushed is None:
            self.unread.append("the pushed groups")
        named = {group: self.side.org_name(group) for group in sorted(self.side.pushed or ())}
        self.unread.extend(
            f"the name in WRITER of {self._known(group)}" for group, name in named.items() if name is None
        )
        return {name: self.of(group) for group, name in named.items() if name is not None}


@dataclass(frozen=True, slots=True)
class PlacedUsers:
    """Users before and after the changes in the IdP, under the same numbers.

    ``directory`` has the users before; those who are new are not active there. ``later`` has the traits after the
    changes of each user who is moved, ``by`` these users by change. ``groups_after`` has the groups after, by number,
    of users who are supposed to join or leave some, and ``joined`` these users by supposed change.
    """

    directory: Directory
    later: Mapping[int, Traits] = field(default_factory=dict)
    by: Mapping[Address, array[int]] = field(default_factory=dict)
    groups_after: Mapping[int, array[int]] = field(default_factory=dict)
    joined: Mapping[Address, array[int]] = field(default_factory=dict)

    @property
    def after(self) -> Directory:
        """Return the users after the changes."""
        uncommon = {number: traits for number, traits in self.directory.others.items() if number not in self.later}
        uncommon |= {number: traits for number, traits in self.later.items() if traits != PLAIN}
        regrouped = _regrouped(self.directory, self.directory.groups, self.groups_after)
        return replace(regrouped, others=uncommon)

    @property
    def causes(self) -> dict[int, tuple[Address, ...]]:
        """Return the changes that move each user."""
        causes: dict[int, tuple[Address, ...]] = {}
        for at, numbers in self.by.items():
            for number in numbers:
                causes[number] = (*causes.get(number, ()), at)
        return causes


def place_users(effect: IdpEffect, directory: Directory) -> PlacedUsers:
    """Return the users before and after an effect. A user of a directory is new if it does not have the address."""
    numbers = {normalise.email(email): number for number, email in enumerate(directory.emails)}
    known = len(directory)
    later: dict[int, Traits] = {}
    by: dict[Address, list[int]] = {}
    for at, email in _each(effect.gains):
        number = numbers.setdefault(email, len(numbers))
        traits = directory.traits(number) if number < known else ABSENT
        if not (traits.present and traits.origin == "scim"):
            later[number] = PLAIN if number >= known else synced(traits) if traits.active else returned(traits)
            by.setdefault(at, []).append(number)
    moved = set(later)
    for at, email in _each(effect.losses):
        number = numbers.get(email, known)
        traits = directory.traits(number) if number < known else ABSENT
        if email not in effect.staying and traits.present and traits.origin == "scim":
            later[number] = traits._replace(active=False)
            by.setdefault(at, []).append(number)
    new = [email for email, number in numbers.items() if number >= known]
    grown = _with_groups(with_users(directory, new), _memberships(effect, directory, numbers, moved, later))
    return PlacedUsers(grown, later, {at: array("I", sorted(listed)) for at, listed in sorted(by.items())})


def replaces_members(members: frozenset[str], directory: Directory, name: str) -> bool:
    """Return whether a group of the directory has other members than the IdP, among the users that the IdP sends.

    The directory has the same members before and after a plan, so what a push of such a group does is not known.
    """
    at = directory.groups.index(name) if name in directory.groups else None
    for number, email in enumerate(directory.emails):
        traits = directory.traits(number)
        inside = at in directory.members[directory.offsets[number] : directory.offsets[number + 1]]
        if traits.present and traits.origin == "scim" and inside != (normalise.email(email) in members):
            return True
    return False


def _each(members: Mapping[Address, frozenset[str]]) -> Iterator[tuple[Address, str]]:
    return ((at, email) for at in sorted(members) for email in sorted(members[at]))


def _memberships(
    effect: IdpEffect,
    directory: Directory,
    numbers: Mapping[str, int],
    moved: set[int],
    later: Mapping[int, Traits],
) -> Iterator[tuple[int, str]]:
    """Yield the groups that users are in after the changes: pushed ones of those who get the app (``moved``), and new
    ones of all who have it."""
    arriving = {name: members for name, members in effect.arriving.items() if name not in directory.groups}
    for name, members in (*effect.groups.items(), *effect.arriving.items()):
        yield from ((numbers[email], name) for email in members if numbers.get(email) in moved)
    for name, members in arriving.items():
        for email in members:
            number = numbers.get(email)
            if number is None or number in moved or number >= len(directory):
                continue
            traits = later.get(number, directory.traits(number))
            if traits.present and traits.origin == "scim":
                yield number, name


def with_users(directory: Directory, emails: list[str]) -> Directory:
    """Return the directory with more users, who are in no group and not in the org yet."""
    if not emails:
        return directory
    known, end = len(directory), directory.offsets[-1]
    ids = (*directory.ids, *([""] * len(emails)))
    return replace(
        directory,
        emails=(*directory.emails, *emails),
        ids=ids,
        offsets=directory.offsets + array("I", [end] * len(emails)),
        others={**directory.others, **dict.fromkeys(range(known, known + len(emails)), ABSENT)},
    )


def _with_groups(directory: Directory, memberships: Iterable[tuple[int, str]]) -> Directory:
    """Return the directory with more memberships; those that it has are skipped."""
    group_numbers = {name: number for number, name in enumerate(directory.groups)}
    added: dict[int, set[int]] = {}
    for number, name in memberships:
        added.setdefault(number, set()).add(group_numbers.setdefault(name, len(group_numbers)))
    if not added:
        return directory
    groups_after = {}
    for number, more in added.items():
        groups = directory.members[directory.offsets[number] : directory.offsets[number + 1]]
        groups_after[number] = groups + array("I", sorted(more.difference(groups)))
    return _regrouped(directory, tuple(group_numbers), groups_after)


def _regrouped(directory: Directory, names: tuple[str, ...], groups_after: Mapping[int, array[int]]) -> Directory:
    """Return the directory with other groups for these users; ``names`` are those of all groups."""
    if not groups_after:
        return directory
    members, offsets, start = array("I"), array("I", [0]), 0
    for number in sorted(groups_after):
        shift = len(members) - start
        members.extend(directory.members[start : directory.offsets[number]])
        offsets.extend(offset + shift for offset in directory.offsets[len(offsets) : number + 1])
        members.extend(groups_after[number])
        offsets.append(len(members))
        start = directory.offsets[number + 1]
    shift = len(members) - start
    members.extend(directory.members[start:])
    offsets.extend(offset + shift for offset in directory.offsets[len(offsets) :])
    return replace(directory, groups=names, members=members, offsets=offsets)


def app_users(placed: PlacedUsers) -> dict[Address, AppUserCounts]:
    """Return the numbers of users who get the app or lose it, by change."""
    counts = {}
    for at, numbers in placed.by.items():
        lost = sum(not placed.later[number].active for number in numbers)
        known = sum(placed.later[number].active and placed.directory.traits(number).active for number in numbers)
        counts[at] = AppUserCounts(len(numbers) - lost, known, lost)
    return counts


def both_of(settings: Settings, side: IdpSide | None = None) -> dict[str, str] | None:
    """Return the groups that are both assigned and pushed: the name by ID; None if one of the lists is not known.

    A list that the configuration does not manage is that of ``side``.
    """
    assigned = _names(settings.idp_assignments, side, None if side is None else side.assigned)
    pushed = _names(settings.idp_pushes, side, None if side is None else side.pushed)
    if assigned is None or pushed is None:
        return None
    return {group: key for group, key in pushed.items() if group in assigned}


def _names(
    section: Mapping[str, IdpAssignment] | Mapping[str, IdpPush] | Unset,
    side: IdpSide | None,
    ids: Iterable[str] | None,
) -> dict[str, str] | None:
    if section is not UNSET:
        return {str(value.id): key for key, value in section.items()}
    if side is None or ids is None:
        return None
    return {group: known.name if (known := side.groups.get(group)) else group for group in ids}


def manages_idp(desired: Desired) -> bool:
    """Return whether the configuration manages something in the IdP."""
    return any(getattr(desired.settings, section) is not UNSET for section in IDP_SECTIONS)
