"""`rolecall rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.options import Invocation
from rolecall.cli.output import FORMATS
from rolecall.cli.planning import lifting, plan_exit
from rolecall.cli.program import command
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.jobs.plan import Planned
    from rolecall.model.run import Run


@command(
    "rollback",
    "rolecall rollback 12",
    "rolecall rollback 12 --out back.json && rolecall apply back.json",
)
@click.argument("run", type=click.IntRange(1))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, for `apply FILE`.")
@lifting
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Of stdout.")
@click.option("--people", type=click.Choice(["names", "masked", "counts"]), help="What is shown of people.")
def rollback(call: Invocation, run: int, out: Path | None, form: str, people: Any, allow: tuple[str, ...]) -> Exit:
    """Plan to put back what a run changed.

    It is a plan like any other: the guards judge it, and it changes nothing until it is applied. What cannot be put
    back is said.
    """
    from rolecall.cli.journals import check_journal, find_journal, of_run
    from rolecall.cli.output import Sinks, present
    from rolecall.cli.session import read
    from rolecall.jobs.history import one_run

    call = of_run(call, run)
    config = read(call)
    check_journal(call, config)
    journal = find_journal(call, config)
    try:
        past_run = one_run(journal, run)
        run_plan = None if journal is None else journal.plan(run)
    finally:
        if journal is not None:
            journal.close()
    planned = _make(call, config, past_run, run_plan, allow)
    present(call, config, planned, Sinks(form, (), out, people))
    return plan_exit(planned.plan, observed=planned.live.facts.observed, detailed=False)


def _make(call: Invocation, config: Any, run: Run, run_plan: str | None, allow: tuple[str, ...]) -> Planned:
    from dataclasses import replace

    from rolecall.cli.planning import lifts, plan_request
    from rolecall.cli.session import session, wait_for
    from rolecall.jobs.rollback import plan_of
    from rolecall.jobs.rollback import rollback as plan_back

    async def work() -> Planned:
        async with session(call, config) as opened:
            return await plan_back(replace(plan_request(call, opened), lifts=lifts(allow)), run, plan_of(run, run_plan))

    return wait_for(work())
