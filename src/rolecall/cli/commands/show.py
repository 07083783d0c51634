"""`rolecall show`."""

from __future__ import annotations

from pathlib import Path

import click

from rolecall.cli.command import Invocation, command
from rolecall.cli.sinks import FORMATS


@command("show", "rolecall show plan.json", "rolecall show plan.json --format junit > plan.xml")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Of stdout.")
def show(call: Invocation, plan: Path, form: str) -> None:
    """Show a saved plan.

    It needs no org, and does not say whether the plan is still fit to apply. People are shown as the file has them.
    """
    from rolecall.cli.console import stdout
    from rolecall.cli.present import show as present
    from rolecall.cli.root import folder_in_repository, root_of
    from rolecall.jobs.saved import read_plan

    present(stdout(call.environ, color=call.color), read_plan(plan), form, folder_in_repository(call, root_of(call)))
