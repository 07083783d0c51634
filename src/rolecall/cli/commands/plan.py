"""`rolecall plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.options import Invocation
from rolecall.cli.output import FORMATS, report_option
from rolecall.cli.planning import PlanFlags, lifting, plan_exit, read_and_plan, targeting
from rolecall.cli.program import command, worst
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.plan import Assertion, Planned
    from rolecall.plan.saved.privacy import Shown

ASSERTIONS = ["no-access-change", "no-escalation", "no-removal"]


@command(
    "plan",
    "rolecall plan -e prod",
    "rolecall plan -e prod --out plan.json --report github=annotations.txt",
    "rolecall plan --assert no-access-change      # prove a refactoring harmless",
    "rolecall plan --target 'idp_groups/Writer-*'",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, for `apply FILE`.")
@click.option("--detailed-exitcode", is_flag=True, help="2 for changes, 7 where not all could be seen.")
@targeting
@lifting
@click.option(
    "--assert", "promised", type=click.Choice(ASSERTIONS), multiple=True, help="Leave with 3 unless it holds."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Of stdout.")
@click.option("--report", multiple=True, metavar="FORMAT=PATH", help="Write a file as well. May be repeated.")
@click.option("--people", type=click.Choice(["names", "masked", "counts"]), help="What is shown of people.")
def plan(
    call: Invocation,
    out: Path | None,
    detailed_exitcode: bool,
    promised: tuple[Assertion, ...],
    form: str,
    report: tuple[str, ...],
    people: Shown | None,
    **flags: Any,
) -> Exit:
    """Show what would change, for whom, and what the guards say.

    Nothing is written to the org. The plan is what `apply` would carry out.
    """
    from rolecall.cli.known_plans import keep_plan
    from rolecall.cli.output import Sinks, present
    from rolecall.cli.session import read

    sinks = Sinks(form, tuple(map(report_option, report)), out, people)
    config = read(call)
    planned = _make(call, config, PlanFlags(**flags))
    keep_plan(call, config, planned.plan)
    broken = present(call, config, planned, sinks, promised)
    ended = plan_exit(planned.plan, observed=planned.live.facts.observed, detailed=detailed_exitcode)
    return worst(ended, Exit.REFUSED) if broken else ended


def _make(call: Invocation, config: Config, flags: PlanFlags) -> Planned:
    from rolecall.cli.session import session, wait_for

    async def work() -> Planned:
        async with session(call, config) as opened:
            return await read_and_plan(call, opened, flags)

    return wait_for(work(), files_only=call.snapshot is not None)
