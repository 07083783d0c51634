"""Suppose that users join groups or leave them: who they are before and after, and in which groups.

Nothing in the org changes. A supposed membership has an address of its own, ``join/GROUP`` or ``leave/GROUP``, so that
it is named as a cause as a change is. It has no user in it: reports without names have these addresses.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import replace

from rolecall.model import normalise
from rolecall.model.directory import PLAIN
from rolecall.model.live import Facts, base_name
from rolecall.model.settings import Address
from rolecall.plan.idp_users import PlacedUsers, with_users
from rolecall.plan.moves import numbers_of
from rolecall.plan.value import MembershipChange

JOIN, LEAVE = "join", "leave"


def membership_address(change: MembershipChange) -> Address:
    """Return the address of a supposed membership, as it is named as a cause."""
    return Address(f"{JOIN if change.joins else LEAVE}/{change.group}")


def supposed_group(at: Address) -> tuple[str, bool] | None:
    """Return the group at such an address, and whether the user joins it; None for any other address."""
    verb, _, group = at.partition("/")
    return (group, verb == JOIN) if group and verb in (JOIN, LEAVE) else None


def keys_of(group: str, facts: Facts) -> tuple[str, ...]:
    """Return the live keys of a group that the IdP knows by one name: itself, and its legacy twin during an upgrade
    (R20)."""
    twins = (key for key in facts.legacy_links or () if key != group and base_name(key) == group)
    return (group, *twins)


def regroup(placed: PlacedUsers, changes: Iterable[MembershipChange], facts: Facts) -> PlacedUsers:
    """Return the users before and after, with the groups that each user is in after these changes.

    A user who is not in the org and joins a group is supposed to be provisioned then; one who only leaves is ignored.
    """
    by_user: dict[str, list[MembershipChange]] = {}
    for change in changes:
        by_user.setdefault(normalise.email(change.email), []).append(change)
    directory = placed.directory
    numbers = numbers_of(directory, by_user.keys())
    new = [email for email in sorted(by_user.keys() - numbers.keys()) if any(c.joins for c in by_user[email])]
    spelling = {email: next(c.email for c in by_user[email] if c.joins) for email in new}
    numbers |= {email: len(directory) + at for at, email in enumerate(new)}
    directory = with_users(directory, [spelling[email] for email in new])
    names = {name: number for number, name in enumerate(directory.groups)}
    joined: dict[Address, list[int]] = {}
    groups_after: dict[int, array[int]] = {}
    for email, number in numbers.items():
        groups = dict.fromkeys(directory.members[directory.offsets[number] : directory.offsets[number + 1]])
        for change in by_user[email]:
            joined.setdefault(membership_address(change), []).append(number)
            for key in keys_of(change.group, facts):
                if change.joins:
                    groups[names.setdefault(key, len(names))] = None
                elif key in names:
                    groups.pop(names[key], None)
        groups_after[number] = array("I", groups)
    later = {**placed.later, **{numbers[email]: PLAIN for email in new if numbers[email] not in placed.later}}
    return replace(
        placed,
        directory=replace(directory, groups=tuple(names)),
        later=later,
        groups_after=groups_after,
        joined={at: array("I", sorted(listed)) for at, listed in sorted(joined.items())},
    )
