"""What `access`, `why` and `test` share: which state of the org is asked, and reading it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.cli.journals import memory
from rolecall.cli.options import Invocation
from rolecall.cli.session import Session, day, now, read, sent, session, wait_for, wanted

if TYPE_CHECKING:
    from rolecall.desired import Config
    from rolecall.jobs.access import At, Inventory, State
    from rolecall.jobs.plan import PlanRequest
    from rolecall.model.directory import PeopleScope


def request_for(call: Invocation, found: Session) -> PlanRequest:
    """The planning behind a question."""
    from rolecall.cli.planning import whose
    from rolecall.jobs.plan import PlanRequest

    return PlanRequest(
        wanted=wanted(call, found.config),
        org=found.org,
        people=found.people,
        now=now(),
        as_of=day(call),
        applied=memory(call, found.config),
        sent=sent(call, found.config),
        whose=whose(call, found.config),
    )


def read_state(call: Invocation, config: Config, at: str, scope: PeopleScope, *, test: bool = False) -> State:
    """The state that ``--at`` names: `live`, `desired`, or a saved plan's file."""

    async def work() -> State:
        from rolecall.jobs.access import state

        async with session(call, config) as found:
            return await state(request_for(call, found), _at(at), scope, test=test)

    return wait_for(work())


def read_inventory(call: Invocation) -> Inventory:
    """Return what the org has and the config does not manage."""

    async def work() -> Inventory:
        from rolecall.jobs.access import inventory

        async with session(call, read(call)) as found:
            return await inventory(request_for(call, found))

    return wait_for(work())


def _at(said: str) -> At:
    if said == "live":
        return "live"
    if said == "desired":
        return "desired"
    from rolecall.jobs.saved import read_plan

    return read_plan(Path(said))
