"""Name the changes that cause what a guard reports, and say how to undo them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rolecall.errors import Where
from rolecall.model.change import Change
from rolecall.model.kinds import address as address_of
from rolecall.model.settings import Address
from rolecall.plan.guards.guard import Finding, GuardInput, place
from rolecall.plan.headline import count_users
from rolecall.plan.impact.causes import is_mapping
from rolecall.plan.impact.cohorts import Cohort
from rolecall.plan.moves import name_some
from rolecall.plan.value import Detail
from rolecall.plan.what_if import membership_address, supposed_group

_MOST = 3
_NAMED = 3


class ResponsibleChanges(NamedTuple):
    """Changes that ``number`` users of ``total`` are affected by, those of the ``cohorts``.

    ``each``: undoing any one of ``addresses`` avoids it; otherwise all of them have to be undone.
    """

    addresses: tuple[Address, ...]
    each: bool
    cohorts: tuple[Cohort, ...]
    total: int

    @property
    def number(self) -> int:
        return sum(len(cohort.numbers) for cohort in self.cohorts)

    @property
    def users(self) -> Iterator[int]:
        return (number for cohort in self.cohorts for number in cohort.numbers)


def blame(cohorts: Iterable[Cohort], bits: Callable[[Cohort], int], grave: int = 0) -> list[ResponsibleChanges]:
    """Return every cause of these classes: those of ``grave`` bits first, then those of most users.

    ``bits`` are those of a class that count.
    """
    affected: dict[tuple[tuple[Address, ...], bool], list[Cohort]] = {}
    worst: set[tuple[tuple[Address, ...], bool]] = set()
    total = 0
    for cohort in cohorts:
        counted = bits(cohort)
        total += len(cohort.numbers)
        for key in {(cause.addresses, cause.each) for cause in cohort.causes if cause.bits & counted}:
            affected.setdefault(key, []).append(cohort)
        worst |= {(cause.addresses, cause.each) for cause in cohort.causes if cause.bits & counted & grave}
    listed = [ResponsibleChanges(*key, tuple(own), total) for key, own in affected.items()]
    return sorted(listed, key=lambda cause: (cause[:2] not in worst, -cause.number, cause[:2]))


def causes(guard_input: GuardInput, named: Sequence[ResponsibleChanges], *, users: bool = False) -> tuple[Detail, ...]:
    """Return ``Cause: idp_groups/Writer-Sales, 62 users`` for each cause, the first few; then a count.

    The number of users is left out of a cause that affects all of them, unless ``users`` asks for it and their names.
    """
    places = {change.address: change.intent.source for change in guard_input.changes}
    places |= supposed_places(guard_input)
    lines = [_cause(guard_input, cause, places, users=users) for cause in named[:_MOST]]
    if len(named) > _MOST:
        lines.append(Detail(f"Cause: {len(named) - _MOST:,} more"))
    return tuple(lines)


def _cause(
    guard_input: GuardInput, cause: ResponsibleChanges, places: Mapping[Address, Where | None], *, users: bool
) -> Detail:
    text: str = cause.addresses[0]
    source = places.get(cause.addresses[0])
    if len(cause.addresses) > 1:
        text = _joined([f"{address} ({place(places.get(address))})" for address in cause.addresses], each=cause.each)
        source = None
    if users or cause.number != cause.total:
        text += f", {count_users(cause.number)}"
    directory = guard_input.impact_result.forecast.directory
    if users and directory is not None:
        text += f": {name_some(directory, cause.users, _NAMED)}"
    return Detail(f"Cause: {text}", source)


def undo_words(guard_input: GuardInput, named: Sequence[ResponsibleChanges], purpose: str) -> tuple[str, ...]:
    """Return how to undo each cause, for a purpose such as ``To keep their access``."""
    many = len(named) > 1
    return tuple(
        f"{purpose}{f' ({count_users(cause.number)})' if many else ''}, {_undo(guard_input, cause)}."
        for cause in named[:_MOST]
    )


def placed(guard_input: GuardInput, finding: Finding, named: Sequence[ResponsibleChanges]) -> Finding:
    """Return the finding at the place of its first cause; with that as its target where it causes all of it."""
    if not named:
        return finding
    first = named[0].addresses[0]
    addresses = {address for item in finding.items for address in item.because}
    source = next((change.intent.source for change in guard_input.changes if change.address == first), None)
    source = source or supposed_places(guard_input).get(first)
    return finding._replace(source=source, target=first if addresses == {first} else None)


def supposed_places(guard_input: GuardInput) -> dict[Address, Where | None]:
    """Return the place of the mapping of each group that a user is supposed to join or leave."""
    desired = guard_input.plan_input.desired
    return {
        membership_address(change): desired.intent(address_of("idp_groups", change.group)).source
        for change in guard_input.plan_input.what_if
    }


def _joined(items: Sequence[str], *, each: bool) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {'or' if each else 'and'} {items[-1]}"


def _undo(guard_input: GuardInput, cause: ResponsibleChanges) -> str:
    if len(cause.addresses) == 1:
        (only,) = cause.addresses
        return _undo_one(only, next((change for change in guard_input.changes if change.address == only), None))
    listed = _joined(cause.addresses, each=False)
    if cause.each:
        return f"undo one of the changes to {listed}; any one of them is enough"
    return f"undo the changes to {listed}; all of them are needed"


def _undo_one(address: Address, change: Change | None) -> str:
    if (supposed := supposed_group(address)) is not None:
        group, joins = supposed
        return f"do not add them to `{group}`" if joins else f"leave them in `{group}`"
    if not is_mapping(address):
        return f"undo the change to {address}"
    if change is not None and change.before is None:
        return f"leave {address} unmapped"
    if change is not None and change.reason == "expired":
        return f"set a later `expires` in {address}"
    if change is not None and change.reason == "not_listed":
        return f"add {address} to the config with its current role and teams"
    return f"keep the current role and teams in {address}"
