"""Evaluate the rules in bits, for one user or a million."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from rolecall.access import policy
from rolecall.access.entitlements import BY_DEFAULT, ORG
from rolecall.access.rules import Rules
from rolecall.model.directory import PLAIN, Directory, Person, Traits
from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN


def person_mask(rules: Rules, person: Person) -> int:
    """Return the mask of one user: the union of the team roles that ``effective`` explains."""
    granted = 0
    for name in person.groups:
        granted |= rules.scim.masks.get(name, 0)
    return settle(rules, granted, person.traits)


def suffixes(masks: Sequence[int]) -> list[int]:
    """Return the union of the masks from each place on, and of none at the end."""
    unions = [0] * (len(masks) + 1)
    for place in range(len(masks) - 1, -1, -1):
        unions[place] = unions[place + 1] | masks[place]
    return unions


def settle(rules: Rules, granted: int, traits: Traits) -> int:
    """Return the mask of a user who gets ``granted`` from groups (R4 to R26, R33, R36); 0 for no access."""
    if not traits.active or traits.pending:
        return 0
    org = ORG if traits.org_role is not None and traits.org_role.role == ORG_ADMIN else 0
    if traits.origin != "scim":
        edits = rules.entitlements.union(_standing(rules, traits))
        return (edits or _defaulted(rules.default_mask)) | org
    base, entitlements = rules.scim, rules.entitlements
    default: Sequence[TeamRole] = base.default
    firm = granted
    if base.endpoint == "legacy":
        if traits.role_attribute == "admin":
            firm = entitlements.as_org_admin(granted | base.default_mask)
    elif granted:
        default = ()
    edits_count = base.editing and _standing(rules, traits)
    if edits_count:
        return policy.edited(entitlements, firm, default, edits_count) | org
    if not default:
        return firm | org
    return (firm | base.default_mask if firm else _defaulted(base.default_mask)) | org


def masks(rules: Rules, directory: Directory, numbers: Iterable[int] | None = None) -> Iterator[tuple[int, int]]:
    """Yield the number and the mask of all users, or of those numbered, in the given order."""
    by_group = group_masks(rules, directory)
    members, offsets, uncommon = directory.members, directory.offsets, directory.others
    plain = _Plain(rules)
    for number in range(len(directory)) if numbers is None else numbers:
        granted = 0
        for group in members[offsets[number] : offsets[number + 1]]:
            granted |= by_group[group]
        if number in uncommon:
            yield number, settle(rules, granted, uncommon[number])
        else:
            yield number, (granted | plain.always if granted else plain.without)


def plain_masks(rules: Rules) -> tuple[int, int]:
    """Return the access of a plain user apart from groups, and that of one without access from groups."""
    plain = _Plain(rules)
    return plain.always, plain.without


def shifts(
    before: Rules,
    after: Rules,
    directory: Directory,
    numbers: Iterable[int] | None = None,
    later: Mapping[int, Traits] = {},
    groups_after: Mapping[int, Sequence[int]] = {},
) -> dict[tuple[int, int], array[int]]:
    """Return the users for each pair of masks before and after, ascending, where team roles differ.

    Both rules must share their entitlements. With None all users are compared; the candidates give the same in less
    time. ``later`` has the traits after, of users whose traits change, ``groups_after`` the numbers of the groups
    after, of users whose groups change.
    """
    old, new = group_masks(before, directory), group_masks(after, directory)
    members, offsets, uncommon = directory.members, directory.offsets, directory.others
    was, will = _Plain(before), _Plain(after)
    users_by_shift: dict[tuple[int, int], array[int]] = {}
    for number in range(len(directory)) if numbers is None else numbers:
        b = a = 0
        for group in members[offsets[number] : offsets[number + 1]]:
            b |= old[group]
            a |= new[group]
        if number in groups_after:
            a = 0
            for group in groups_after[number]:
                a |= new[group]
        if number in uncommon or number in later:
            traits = uncommon.get(number, PLAIN)
            b, a = settle(before, b, traits), settle(after, a, later.get(number, traits))
        else:
            b, a = b | was.always if b else was.without, a | will.always if a else will.without
        if b != a and (b ^ a) & ~BY_DEFAULT:
            if (b, a) in users_by_shift:
                users_by_shift[b, a].append(number)
            else:
                users_by_shift[b, a] = array("I", (number,))
    return users_by_shift


def org_admins(rules: Rules, directory: Directory) -> array[int]:
    """Return the numbers of all org admins (R21), ascending. Only users who could be are evaluated."""
    if rules.scim.default_mask & ORG:
        likely = None
    else:
        giving = {group for group, mask in enumerate(group_masks(rules, directory)) if mask & ORG}
        likely = sorted({number for number, _ in memberships(directory, giving)}.union(directory.others))
    return array("I", (number for number, mask in masks(rules, directory, likely) if mask & ORG))


def group_masks(rules: Rules, directory: Directory) -> list[int]:
    """Return what each group of the directory gives, by its number."""
    return [rules.scim.masks.get(name, 0) for name in directory.groups]


def memberships(directory: Directory, groups: Set[int]) -> Iterator[tuple[int, int]]:
    """Yield the user and the group of each membership in these groups (by number), ascending by user."""
    members, offsets = directory.members, directory.offsets
    number, end = -1, 0
    for at in _positions(members, groups):
        if at >= end:
            number = bisect_right(offsets, at, lo=number + 1) - 1
            end = offsets[number + 1]
        yield number, members[at]


def peopled(directory: Directory) -> frozenset[str]:
    """Return the groups with at least one user who is in the org."""
    absent = {number for number, traits in directory.others.items() if not traits.present}
    doubtful = {group for n in absent for group in directory.members[directory.offsets[n] : directory.offsets[n + 1]]}
    occupied = set(directory.members) - doubtful
    for number, group in memberships(directory, doubtful) if doubtful else ():
        if number not in absent:
            occupied.add(group)
            doubtful.discard(group)
            if not doubtful:
                break
    return frozenset(directory.groups[group] for group in occupied)


def _positions(members: array[int], groups: Set[int]) -> Iterator[int]:
    """Return the positions of these groups in the column, ascending.

    The column's two low bytes are read as two strings of bytes, and each byte is translated to the set of
    classes, of eight, in which a requested group has it. Where the two sets meet there may be a requested group; the
    few others are sorted out one by one. This is some four times faster than to look up each number.
    """
    low_sets, high_sets = bytearray(256), bytearray(256)
    for group in groups:
        kind = 1 << (group >> 8 & 7)
        low_sets[group & 255] |= kind
        high_sets[group >> 8 & 255] |= kind
    raw, (low, high), step = members.tobytes(), _low_bytes(), members.itemsize
    lows, highs = raw[low::step].translate(low_sets), raw[high::step].translate(high_sets)
    both = int.from_bytes(lows, "little") & int.from_bytes(highs, "little")
    flags = both.to_bytes(len(members), "little").translate(_ANY)
    at = flags.find(1)
    while at >= 0:
        if members[at] in groups:
            yield at
        at = flags.find(1, at + 1)


_ANY = bytes([0]) + bytes([1]) * 255


def _low_bytes() -> tuple[int, int]:
    """Return which bytes of a number in a column are the lowest and the next, on this machine."""
    number = array("I", (0x0201,)).tobytes()
    return number.index(1), number.index(2)


class _Plain:
    """The access of a plain user apart from groups, and without groups."""

    __slots__ = ("always", "without")

    def __init__(self, rules: Rules) -> None:
        self.without = settle(rules, 0, PLAIN)
        self.always = rules.scim.default_mask if rules.scim.endpoint == "legacy" else 0


def _defaulted(mask: int) -> int:
    return mask | BY_DEFAULT if mask else 0


def _standing(rules: Rules, traits: Traits) -> list[TeamRole]:
    return [edit for edit in traits.manual if rules.exists(edit)]
