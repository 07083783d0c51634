"""`rolecall apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rolecall.cli.options import Invocation
from rolecall.cli.planning import lifting, targeting
from rolecall.cli.program import command
from rolecall.errors import Exit


@command(
    "apply",
    "rolecall apply -e prod                                    # plan, ask, apply",
    "rolecall apply -e prod plan.json --approve 9f3c-1a77-20bd-4e55",
    "rolecall apply -e prod --auto-approve --only expired",
)
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@click.option("--auto-approve", is_flag=True, help="Do not ask. Guards that want a review still stop it.")
@click.option("--approve", metavar="DIGEST", help="Approve the plan with this digest, reviews included.")
@click.option("--approval", type=click.Path(path_type=Path), metavar="FILE", help="Recorded approvals, as JSON.")
@lifting
@targeting
@click.option("--parallelism", type=click.IntRange(1, 64), default=8, show_default=True, help="Writes side by side.")
@click.option("--lock-timeout", type=click.FloatRange(0), default=0, metavar="SECONDS", help="Wait for the lock.")
@click.option("--journal-lost-ok", is_flag=True, help="With CI set: apply though the journal dies with the runner.")
@click.option("--metrics-file", type=click.Path(path_type=Path), metavar="PATH", help="Write metrics there.")
def apply(call: Invocation, plan: Path | None, **options: Any) -> Exit:
    """Carry out exactly the saved plan, or plan, ask, apply.

    Before anything is written the org is read afresh and planned again; what no longer fits is refused with 5.
    """
    from rolecall.cli.applying import apply_plan

    if call.snapshot is not None:
        raise click.UsageError("apply writes to the org, so it does not go with --snapshot")
    if plan is not None and (options["allow"] or options["target"] or options["exclude"] or options["only"]):
        raise click.UsageError("a saved plan is applied as it is: no --allow, --target, --exclude or --only")
    return apply_plan(call, plan, options)
