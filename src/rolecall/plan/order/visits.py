"""Group manual steps into visits to pages of the console, and number them.

The IdP groups page has one Edit and one Save, so mappings that follow each other are one visit with an item for each
group. A change of another page that belongs between two mappings splits them. Two changes move, which is never worse
for a user: the default access comes before SCIM is switched on, since users of SCIM keep their access until then
(R33); signing in by password goes off last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rolecall.model.change import Change
from rolecall.model.kinds import split_address
from rolecall.model.settings import Defaults, Scim, Sso

Visit = tuple[Change, ...]
"""The changes of one visit, in the order of the page."""


class StepNumber(NamedTuple):
    """The number of a step in its run, and in the runbook: visit and item, which a step that rolecall writes lacks."""

    number: int
    visit: int | None = None
    item: int | None = None


def visits(changes: Iterable[Change]) -> tuple[Visit, ...]:
    """Return the manual steps among changes that are in the order of a plan, grouped by visit.

    Changes that the org's plan tier does not include are one step, before all others: only WRITER can make them
    possible.
    """
    manual = [change for change in changes if change.via == "human"]
    excluded = tuple(change for change in manual if change.via_reason == "not_in_plan")
    ordered = _moved([change for change in manual if change not in excluded])
    grouped = [visit for groups, run in groupby(ordered, _of_group) for visit in _split(run, together=groups)]
    return (excluded, *grouped) if excluded else tuple(grouped)


def step_numbers(changes: Sequence[Change]) -> Iterator[tuple[Change, StepNumber]]:
    """Yield each change with its number: what rolecall writes first, then the manual steps by visit.

    A visit takes the next number, also as the run's number if it has one change only. The items of a larger one have
    numbers of the run such as 3002, item 2 of step 3, which are past those of all visits.
    """
    written = [change for change in changes if change.via != "human"]
    yield from ((change, StepNumber(number)) for number, change in enumerate(written, 1))
    grouped = visits(changes)
    first = len(written) + 1
    scale = max(_ITEMS, 10 ** len(str(len(changes))))
    for number, visit in enumerate(grouped, first):
        if len(visit) == 1:
            yield visit[0], StepNumber(number, number)
            continue
        for item, change in enumerate(visit, 1):
            yield change, StepNumber(number * scale + item, number, item)


_ITEMS = 1000
"""The factor of the number of a visit in the numbers of its items, larger where a run has that many changes."""


def passwords_go_off(change: Change) -> bool:
    """Return whether signing in by password is switched off while signing in by SSO stays or comes."""
    before, after = change.before, change.after
    if not isinstance(after, Sso) or after.allow_passwords is not False or after.enabled is False:
        return False
    return not isinstance(before, Sso) or before.allow_passwords is not False


def sets_up_sso(change: Change) -> bool:
    """Return whether single sign-on is switched on."""
    return isinstance(change.after, Sso) and change.after.enabled is True and not _enabled(change.before)


def sets_up_scim(change: Change) -> bool:
    """Return whether provisioning by SCIM is switched on."""
    return isinstance(change.after, Scim) and change.after.enabled is True and not _enabled(change.before)


def _enabled(value: object) -> bool:
    return isinstance(value, Sso | Scim) and value.enabled is True


def _of_group(change: Change) -> bool:
    return split_address(change.address)[0] == "idp_groups"


def _split(run: Iterable[Change], *, together: bool) -> Iterator[Visit]:
    if together:
        yield tuple(sorted(run, key=lambda change: (change.address.casefold(), change.address, change.action)))
    else:
        yield from ((change,) for change in run)


def _moved(changes: list[Change]) -> list[Change]:
    last = [change for change in changes if passwords_go_off(change) and not sets_up_sso(change)]
    ordered = [change for change in changes if change not in last]
    set_up = next((place for place, change in enumerate(ordered) if sets_up_scim(change)), None)
    if set_up is not None:
        default = [change for change in ordered[set_up:] if isinstance(change.after, Defaults)]
        later = [change for change in ordered[set_up:] if change not in default]
        ordered = [*ordered[:set_up], *default, *later]
    return [*ordered, *last]
