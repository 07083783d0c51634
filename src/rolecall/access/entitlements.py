"""Represent access as a set of bits, so that the access of a million users is compared as integers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from rolecall.model.policy import TeamRole
from rolecall.model.roles import MEMBER, ORG_ADMIN, RANK, TEAM_ADMIN
from rolecall.model.settings import GroupMapping

ORG: int = 1
"""The one org-wide entitlement: being org admin of the org (R21)."""

BY_DEFAULT: int = 2
"""Marks a mask that has default access only. It is not access itself, so `access_bits` leaves it out."""

_WIDTH = 4
_IN_TEAM, _MEMBER, _TEAM_ADMIN, _ORG_ADMIN = 1, 2, 4, 8
_RANKED = {MEMBER: _IN_TEAM | _MEMBER, TEAM_ADMIN: _IN_TEAM | _MEMBER | _TEAM_ADMIN, ORG_ADMIN: 15}


class Entitlements:
    """Numbers teams and roles as they are met; two sets of rules that are compared must share one.

    A mask is an int. Bit 0 is ORG, bit 1 BY_DEFAULT. Each team has four bits: any role, member, team admin,
    and the role org admin, each rank with those below it, so that the union of two masks is R9. A role outside the
    ranks owns one bit in each team (R32).

    ``grants`` has the team roles and the mask of each mapping, by all that these depend on: they are computed once for
    sets of rules that are compared.
    """

    __slots__ = (
        "_custom_bits",
        "_masks",
        "_meaning",
        "_numbers",
        "_ranked",
        "_shifts",
        "_unseen",
        "_width",
        "grants",
        "team_bits",
    )

    def __init__(self) -> None:
        self._shifts: dict[str, int] = {}
        self._ranked: dict[int, tuple[TeamRole | None, ...]] = {}
        self._numbers: dict[TeamRole, int] = {}
        self._masks: dict[TeamRole, int] = {}
        self.grants: dict[Hashable, dict[GroupMapping, tuple[tuple[TeamRole, ...], int]]] = {}
        self._meaning: dict[int, TeamRole] = {0: TeamRole("", ORG_ADMIN)}
        self._custom_bits = 0
        self._width = 2
        self._unseen = BY_DEFAULT
        self.team_bits = 0

    def mask(self, team_role: TeamRole) -> int:
        """Return the bits of one team role, with those of lower roles."""
        shift = self._team(team_role.team)
        if (ranked := _RANKED.get(team_role.role)) is not None:
            return ranked << shift | (ORG if team_role.role == ORG_ADMIN else 0)
        return _IN_TEAM << shift | self._custom(team_role)

    def union(self, team_roles: Iterable[TeamRole]) -> int:
        """Return the bits of all these team roles."""
        mask, known = 0, self._masks
        for team_role in team_roles:
            bits = known.get(team_role)
            if bits is None:
                bits = known[team_role] = self.mask(team_role)
            mask |= bits
        return mask

    def team_bit(self, team: str) -> int:
        """Return the bit for having any role in this team."""
        return _IN_TEAM << self._team(team)

    def as_org_admin(self, mask: int) -> int:
        """Return org admin in every team of the mask (R18)."""
        return (mask & self.team_bits) * 15 | ORG if mask & self.team_bits else mask

    def access_bits(self, mask: int) -> int:
        """Return the part of a mask that counts as access, without the team that org admin came with."""
        return mask & ~self._unseen

    def above_member(self, mask: int) -> int:
        """Return the entitlements above member: team admin, org admin, custom roles."""
        return self.access_bits(mask) & ~(self.team_bits << 1)

    @property
    def all_above_member(self) -> int:
        """Return the entitlements above member in all known teams."""
        return self.above_member((1 << self._width) - 1)

    def role_bits(self, role: str) -> int:
        """Return the bits of which every mask with this role has one, in teams that have been
        met. A mask that has only a higher role has them, too."""
        if role in _RANKED:
            return self.team_bits * (_RANKED[role] + 1 >> 1) | (ORG if role == ORG_ADMIN else 0)
        return sum(1 << number for team_role, number in self._numbers.items() if team_role.role == role)

    def teams(self) -> Iterator[tuple[int, str]]:
        """Yield each team that has been met, and before it the bit that says: has some role in this team."""
        return ((_IN_TEAM << shift, team) for team, shift in self._shifts.items())

    def team_roles(self, mask: int) -> tuple[TeamRole, ...]:
        """Return the team roles of a mask, sorted by team, then role: the highest ranked of each team, and the rest."""
        team_roles = []
        remaining = mask & self.team_bits
        while remaining:
            lowest = remaining & -remaining
            remaining ^= lowest
            shift = lowest.bit_length() - 1
            if team_role := self._ranked[shift][mask >> shift & 15]:
                team_roles.append(team_role)
        if customs := mask & self._custom_bits:
            team_roles += (self._meaning[bit] for bit in _bits(customs))
        team_roles.sort()
        return tuple(team_roles)

    def roles(self, mask: int) -> set[str]:
        """Return the roles of ``team_roles``, and org admin for a user who has it at org level only (R36)."""
        members, admins, org_admins = (mask & self.team_bits << bit for bit in (1, 2, 3))
        roles = {self._meaning[bit].role for bit in _bits(mask & self._custom_bits)}
        if org_admins or mask & ORG:
            roles.add(ORG_ADMIN)
        if admins & ~(org_admins >> 1):
            roles.add(TEAM_ADMIN)
        if members & ~(admins >> 1 | org_admins >> 2):
            roles.add(MEMBER)
        return roles

    def holder_test(self, role: str) -> Callable[[int], bool]:
        """Return whether a mask has a role, as ``roles`` lists them, in teams that have been met."""
        bits, team_bits = self.role_bits(role), self.team_bits
        if role not in (TEAM_ADMIN, MEMBER):
            return lambda mask: bool(mask & bits)
        own, above = (1, 2) if role == MEMBER else (2, 3)
        return lambda mask: bool((mask & team_bits << own) >> own & ~((mask & team_bits << above) >> above))

    def each(self, entitlements: int) -> Iterator[TeamRole]:
        """Return every entitlement by itself, sorted; the org-wide one is ``TeamRole("", "org_admin")``."""
        return iter(sorted(self._meaning[bit] for bit in _bits(self.access_bits(entitlements))))

    def levels(self, bits: int) -> tuple[TeamRole, ...]:
        """Return every level in these bits, sorted: each ranked role of a team by itself, with org admin; the org-wide
        one as ``TeamRole("", "org_admin")``."""
        in_teams = (bits & self.team_bits << 3) >> 1
        admins = (TeamRole(self._meaning[number].team, ORG_ADMIN) for number in _bits(in_teams))
        return tuple(sorted([*self.each(bits), *admins]))

    def _team(self, team: str) -> int:
        shift = self._shifts.get(team)
        if shift is None:
            shift = self._shifts[team] = self._width
            ranked = [TeamRole(team, role) for role in (MEMBER, TEAM_ADMIN, ORG_ADMIN)]
            self._meaning[shift + 1], self._meaning[shift + 2], _ = ranked
            self._ranked[shift] = tuple(
                ranked[(bits >> 1).bit_length() - 1] if bits > 1 else None for bits in range(16)
            )
            self._width += _WIDTH
            self.team_bits |= _IN_TEAM << shift
            self._unseen |= (_IN_TEAM | _ORG_ADMIN) << shift
        return shift

    def _custom(self, team_role: TeamRole) -> int:
        number = self._numbers.get(team_role)
        if number is None:
            number = self._numbers[team_role] = self._width
            self._meaning[number] = team_role
            self._custom_bits |= 1 << number
            self._width += 1
        return 1 << number


def rank(role: str) -> int:
    """Return 1 to 3 for the ranked roles (R9), 0 for any other (R32)."""
    return RANK.get(role, 0)


def _bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
