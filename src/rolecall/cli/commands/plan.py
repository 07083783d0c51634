"""Implement `rolecall plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.options import Invocation
from rolecall.cli.planning import PlanFlags, lifting, plan_exit, read_and_plan, targeting
from rolecall.cli.program import command, worst
from rolecall.cli.report_options import format_option, people_option, report_option, reports_option
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.assertions import Assertion
    from rolecall.jobs.plan import Planned
    from rolecall.plan.saved.privacy import Shown

ASSERTIONS = ["no-access-change", "no-escalation", "no-removal"]


@command(
    "plan",
    "rolecall plan -e prod",
    "rolecall plan -e prod --out plan.json --report github=annotations.txt",
    "rolecall plan --assert no-access-change      # check a refactoring",
    "rolecall plan --target 'idp_groups/Writer-*'",
    exit_codes={
        Exit.OK: "Success. With --detailed-exitcode: no changes.",
        Exit.ERROR: "An error.",
        Exit.CHANGES: "With --detailed-exitcode: there are changes.",
        Exit.REFUSED: "A guard blocks, an access test fails, or an assertion (--assert) does not hold.",
        Exit.UNSEEN: "With --detailed-exitcode: no changes found, but not everything could be read, or the org has no "
        "API.",
    },
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save the plan as JSON, to apply exactly this plan later: rolecall apply FILE. It expires after 7 days. Users "
    "are named in it unless --people or CI says otherwise.",
)
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if there are changes; with 7 if there are none, but not everything could be read or the org has "
    "no API. For scripts and pipelines.",
)
@targeting
@lifting
@click.option(
    "--assert",
    "promised",
    type=click.Choice(ASSERTIONS),
    multiple=True,
    help="Exit with 3 unless this holds: no user's access changes; no user gains a role above member; or nothing is "
    "removed and no user loses access. Repeatable.",
)
@format_option
@reports_option
@people_option
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
    """Show what would change, which users are affected, and the guards' verdicts.

    Nothing is written to the org. To carry out the plan: rolecall apply.
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
