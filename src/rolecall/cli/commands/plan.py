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
    "rolecall plan --if ann@acme.com+Writer-Admins --fail-on review",
    exit_codes={
        Exit.OK: "Success. With --detailed-exitcode: no changes.",
        Exit.ERROR: "An error.",
        Exit.CHANGES: "With --detailed-exitcode: there are changes.",
        Exit.REFUSED: "A guard blocks, an access test fails, or an assertion (--assert) does not hold. With --fail-on "
        "review also: a guard requires approval.",
        Exit.UNSEEN: "With --detailed-exitcode: no changes found, but not everything could be read, or the org has no "
        "API. With --if: users were not read completely. With --fail-on review: a guard could not be evaluated.",
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
@click.option(
    "--if",
    "what_if",
    multiple=True,
    metavar="USER+GROUP",
    help="Show what would happen if a user joined an IdP group (USER+GROUP) or left one (USER-GROUP), or all that a "
    "CSV file states with the columns user, group and change (join or leave). Nothing changes, and the plan cannot be "
    "saved or applied. Repeatable.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["block", "review"]),
    default="block",
    show_default=True,
    help="Exit with 3 if a guard blocks; with review also if a guard requires approval.",
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
    fail_on: str,
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

    plan_flags = PlanFlags(**flags)
    if plan_flags.what_if and out is not None:
        raise click.UsageError(
            "a plan with --if cannot be applied, so --out cannot save it; to keep the answer: --report json=FILE"
        )
    sinks = Sinks(form, tuple(map(report_option, report)), out, people)
    config = read(call)
    planned = _make(call, config, plan_flags)
    if not planned.plan.what_if:
        keep_plan(call, config, planned.plan)
    broken = present(call, config, planned, sinks, promised)
    observed, strict = planned.live.facts.observed, fail_on == "review"
    ended = plan_exit(planned.plan, observed=observed, detailed=detailed_exitcode, strict=strict)
    return worst(ended, Exit.REFUSED) if broken else ended


def _make(call: Invocation, config: Config, flags: PlanFlags) -> Planned:
    from rolecall.cli.session import session, wait_for

    async def work() -> Planned:
        async with session(call, config) as opened:
            return await read_and_plan(call, opened, flags)

    return wait_for(work(), files_only=call.snapshot is not None)
