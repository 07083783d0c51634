"""Wait until the groups that a run pushed arrive in the org: the wave between pushing a group and mapping it.

The lock of the org is free until they do. A second run maps those that arrived, after a
fresh read and a new check of the approved plan.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from rolecall.errors import OrgError, RolecallError
from rolecall.live.port import Reader
from rolecall.model.change import Change
from rolecall.model.kinds import split_address
from rolecall.model.run import Run
from rolecall.model.settings import Address, IdpPush
from rolecall.plan.value import Plan

POLL = 5.0
"""Seconds between two reads of the org's groups."""
SLICE = 0.5
"""Seconds after which a wait notices that it was interrupted."""


class Wait(NamedTuple):
    """The seconds to wait at most, a function that returns whether to stop, and one that sleeps."""

    timeout: float
    stop: Callable[[], bool]
    sleep: Callable[[float], Awaitable[None]]


def awaited(approved: Plan, run: Run | None) -> tuple[Address, ...]:
    """Return the pending mappings of the groups that a run pushed, as far as the plan has them."""
    steps = () if run is None else run.steps
    pushed = {
        (split_address(step.address)[1] or "").removesuffix(f" [{step.after.id}]")
        for step in steps
        if isinstance(step.after, IdpPush) and step.state == "done"
    }
    return tuple(change.address for change in approved.waiting if split_address(change.address)[1] in pushed)


async def arrived(org: Reader, addresses: Collection[Address], wait: Wait) -> frozenset[Address]:
    """Return the addresses whose groups the org has: once it has all of them, or when the wait ends.

    A read that fails is repeated. Without a time to wait, the org is read once.
    """
    present: frozenset[Address] = frozenset()
    left = wait.timeout
    while True:
        try:
            groups = (await org.read(frozenset({"idp_groups"}))).facts.groups
        except OrgError:
            groups = {}
        present |= {at for at in addresses if split_address(at)[1] in groups}
        if len(present) == len(addresses) or left <= 0 or not await _pause(wait, min(POLL, left)):
            return present
        left -= POLL


async def _pause(wait: Wait, seconds: float) -> bool:
    """Sleep, and return whether to go on."""
    while seconds > 0 and not wait.stop():
        await wait.sleep(min(SLICE, seconds))
        seconds -= SLICE
    return not wait.stop()


def with_arrived(approved: Plan, addresses: Collection[Address]) -> Plan:
    """Return the approved plan with the mappings of these groups as writes, no longer pending."""
    return approved._replace(changes=tuple(_as_write(change, addresses) for change in approved.changes))


def _as_write(change: Change, addresses: Collection[Address]) -> Change:
    return change._replace(via="api", via_reason=None) if change.address in addresses else change


def not_arrived(addresses: Iterable[Address], *, observed: bool) -> Iterator[str]:
    """Yield a note for each group that has not arrived, with the next action."""
    for at in addresses:
        name = split_address(at)[1]
        if observed:
            yield f"{at} is pending: check in WRITER that the group {name} has arrived, then: rolecall observe"
        else:
            yield f"{at} is pending: the group {name} has not arrived in WRITER yet. Once it has: rolecall apply"


def not_mapped(addresses: Iterable[Address], error: RolecallError) -> Iterator[str]:
    """Yield why groups that arrived are not mapped yet, with the next action."""
    for at in sorted(addresses):
        yield f"{at} is pending: the group has arrived, and its mapping needs a new plan. Next: rolecall apply"
    yield from (f"{problem.message}." for problem in error.problems)
