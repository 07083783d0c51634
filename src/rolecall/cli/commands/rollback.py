"""Implement `rolecall rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.options import Invocation
from rolecall.cli.planning import lifting, plan_exit
from rolecall.cli.program import command
from rolecall.cli.report_options import format_option, people_option
from rolecall.cli.run_numbers import RUN, runs
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.jobs.plan import Planned
    from rolecall.model.run import Run


@command(
    "rollback",
    "rolecall rollback 12",
    "rolecall rollback 12 --out back.json && rolecall apply back.json",
    arguments={"run": "Number of the run to undo. For the list: rolecall history."},
    exit_codes={
        Exit.OK: "Success.",
        Exit.ERROR: "An error.",
        Exit.REFUSED: "A guard blocks, or an access test fails.",
        Exit.USAGE: "Wrong usage, or there is no such run.",
    },
)
@click.argument("run", type=RUN, shell_complete=runs)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save the plan as JSON. Required to carry it out: rolecall apply FILE.",
)
@lifting
@format_option
@people_option
def rollback(call: Invocation, run: int, out: Path | None, form: str, people: Any, allow: tuple[str, ...]) -> Exit:
    """Create a plan that restores what a run changed.

    The guards check this plan like any other, and nothing changes until it is applied. Settings that cannot be restored
    are listed. Change the configuration too, or the next apply makes the same changes again.
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

    from rolecall.cli.planning import lifts, plan_request
    from rolecall.cli.session import session, wait_for
    from rolecall.jobs.rollback import plan_of
    from rolecall.jobs.rollback import rollback as plan_back

    async def work() -> Planned:
        async with session(call, config) as opened:
            return await plan_back(plan_request(call, opened)._replace(lifts=lifts(allow)), run, plan_of(run, run_plan))

    return wait_for(work())
