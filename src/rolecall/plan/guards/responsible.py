"""Which changes a guard names as the cause of what it found, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rolecall.model.change import Change
from rolecall.model.settings import Address
from rolecall.plan.guards.guard import Finding, GuardInput, at
from rolecall.plan.headline import people
from rolecall.plan.impact.causes import is_mapping
from rolecall.plan.impact.moves import Cohort


class Blame(NamedTuple):
    """Changes that ``number`` users of ``total`` are affected by.

    ``each``: undoing any one of ``addresses`` avoids it; otherwise all of them have to be undone.
    """

    addresses: tuple[Address, ...]
    each: bool
    number: int
    total: int


def blame(cohorts: Iterable[Cohort], bits: Callable[[Cohort], int], grave: int = 0) -> list[Blame]:
    """Return every cause of these classes: those of ``grave`` bits first, then those of most users.

    ``bits`` are those of a class that count.
    """
    sizes: dict[tuple[tuple[Address, ...], bool], int] = {}
    worst: set[tuple[tuple[Address, ...], bool]] = set()
    total = 0
    for cohort in cohorts:
        counted = bits(cohort)
        total += len(cohort.numbers)
        for key in {(cause.addresses, cause.each) for cause in cohort.causes if cause.bits & counted}:
            sizes[key] = sizes.get(key, 0) + len(cohort.numbers)
        worst |= {(cause.addresses, cause.each) for cause in cohort.causes if cause.bits & counted & grave}
    ordered = sorted(sizes.items(), key=lambda item: (item[0] not in worst, -item[1], item[0]))
    return [Blame(*key, number, total) for key, number in ordered]


def cause_words(guard_input: GuardInput, named: Sequence[Blame]) -> str:
    """`` Cause: idp_groups/A (rolecall.yaml:12).``; several with the number of users of each."""
    if not named:
        return ""
    sources = {change.address: change.intent.source for change in guard_input.changes}
    alone = len(named) == 1 and named[0].number == named[0].total
    listed = [
        f"{_joined([f'{address}{at(sources.get(address))}' for address in blame.addresses], each=blame.each)}"
        f"{'' if alone else f', {people(blame.number)}'}"
        for blame in named[:_MOST]
    ]
    more = f"; and {len(named) - _MOST:,} more" if len(named) > _MOST else ""
    return f" Cause{'' if len(named) == 1 else 's'}: {'; '.join(listed)}{more}."


_MOST = 3


def undo_words(guard_input: GuardInput, named: Sequence[Blame], purpose: str) -> tuple[str, ...]:
    """What to do about the causes, for a purpose such as ``To keep their access``."""
    many = len(named) > 1
    return tuple(
        f"{purpose}{f' ({people(blame.number)})' if many else ''}, {_undo(guard_input, blame)}."
        for blame in named[:_MOST]
    )


def placed(guard_input: GuardInput, finding: Finding, named: Sequence[Blame]) -> Finding:
    """The finding at the place of its first cause; narrowed to the address where one change causes all of it."""
    if not named:
        return finding
    first = named[0].addresses[0]
    addresses = {address for item in finding.items for address in item.because}
    source = next((change.intent.source for change in guard_input.changes if change.address == first), None)
    return finding._replace(source=source, target=first if addresses == {first} else None)


def _joined(items: Sequence[str], *, each: bool) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {'or' if each else 'and'} {items[-1]}"


def _undo(guard_input: GuardInput, blame: Blame) -> str:
    if len(blame.addresses) == 1:
        (only,) = blame.addresses
        return _undo_one(only, next((change for change in guard_input.changes if change.address == only), None))
    listed = _joined(blame.addresses, each=False)
    if blame.each:
        return f"undo one of the changes to {listed}; any one of them is enough"
    return f"undo the changes to {listed}; all of them are needed"


def _undo_one(address: Address, change: Change | None) -> str:
    if not is_mapping(address):
        return f"undo the change to {address}"
    if change is not None and change.before is None:
        return f"leave {address} unmapped"
    if change is not None and change.reason == "expired":
        return f"set a later `expires` in {address}"
    if change is not None and change.reason == "not_listed":
        return f"list {address} with its current role and teams"
    return f"keep the current role and teams in {address}"
