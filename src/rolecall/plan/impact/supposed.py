"""Find the causes of what changes for users who are supposed to join or leave groups, as ``causes`` does for others.

Such a user has other groups before and after, so each counterfactual is evaluated for the whole user: without some of
the supposed memberships, and without some of the plan's changes. Equal users are evaluated once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rolecall.access.entitlements import BY_DEFAULT
from rolecall.access.evaluate import settle
from rolecall.model.directory import Directory
from rolecall.model.kinds import split_address
from rolecall.model.settings import Address
from rolecall.plan.forecast import AccessForecast
from rolecall.plan.idp_users import ABSENT
from rolecall.plan.impact.causes import WIDE, CausedBits, Causes, union
from rolecall.plan.what_if import keys_of, supposed_group


class SupposedCauses:
    """Causes for the users of a plan whose memberships are supposed to change."""

    def __init__(self, forecast: AccessForecast, directory: Directory, causes: Causes) -> None:
        self._forecast, self._directory, self._causes = forecast, directory, causes
        self._names = {name: number for number, name in enumerate(directory.groups)}
        self._known: dict[tuple[object, ...], tuple[CausedBits, ...]] = {}

    def of(self, number: int, touching: tuple[Address, ...], before: int, after: int) -> tuple[CausedBits, ...]:
        """Return the causes of all that a user loses and gains. ``touching`` are changes and supposed memberships that
        may affect the user."""
        directory = self._directory
        groups = tuple(directory.members[directory.offsets[number] : directory.offsets[number + 1]])
        new = number in self._forecast.later
        key = (touching, groups, directory.traits(number), new, before, after)
        if key not in self._known:
            lost = before & ~after & ~BY_DEFAULT
            bits = (lost | after & ~before) & ~self._forecast.before.entitlements.team_bits

            def avoided(undone: frozenset[Address]) -> int:
                mask = self._mask(number, groups, touching, undone)
                return bits & before & mask | bits & ~before & ~mask

            self._known[key] = tuple(counterfactual(touching, bits, avoided))
        return self._known[key]

    def _mask(
        self, number: int, groups_before: Sequence[int], touching: Sequence[Address], undone: frozenset[Address]
    ) -> int:
        """Return the access of a user after the plan, if these changes and supposed memberships are left out."""
        joins = False
        groups = set(groups_before)
        for at in touching:
            if at not in undone and (supposed := supposed_group(at)) is not None:
                group, joining = supposed
                keys = {self._names[key] for key in keys_of(group, self._forecast.last.facts) if key in self._names}
                groups = groups | keys if joining else groups - keys
                joins = joins or joining
        traits = self._directory.traits(number)
        if number in self._forecast.later:
            traits = self._forecast.later[number] if joins else ABSENT
        world = self._causes.world(frozenset(at for at in undone if at in WIDE))
        former = {self._names.get(split_address(at)[1] or "") for at in undone if at.startswith("idp_groups/")}
        granted = union((world.former if group in former else world.planned)[group] for group in groups)
        return settle(world.rules, granted, traits)


def counterfactual(
    items: Sequence[Address], bits: int, avoided: Callable[[frozenset[Address]], int]
) -> Iterator[CausedBits]:
    """Yield causes in which every one of these bits is in exactly one. ``avoided`` returns the bits that do not differ
    if some of the items are left out; without all of them, none differs."""
    alone: dict[tuple[Address, ...], int] = {(): bits}
    for item in items:
        without = avoided(frozenset((item,)))
        for chosen, own in list(alone.items()):
            if own & without:
                alone[*chosen, item] = own & without
                alone[chosen] = own & ~without
    joint = alone.pop(())
    yield from (CausedBits(own, chosen, each=len(chosen) > 1) for chosen, own in alone.items() if own)
    while joint:
        bit, smaller = joint & -joint, frozenset(items)
        for item in items:
            if avoided(smaller - {item}) & bit:
                smaller -= {item}
        fewer = union(avoided(smaller - {item}) for item in smaller)
        own = joint & (bit | avoided(smaller) & ~fewer)
        yield CausedBits(own, tuple(item for item in items if item in smaller))
        joint &= ~own
