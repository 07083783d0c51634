"""`rolecall render`."""

from __future__ import annotations

import click

from rolecall.cli.command import Invocation, command
from rolecall.cli.console import stdout
from rolecall.cli.root import root_of


@command(
    "render",
    "rolecall render -e prod",
    "rolecall render -e prod --origin | grep Writer-Admins",
)
@click.option("--origin", is_flag=True, help="Say for each value which file and line set it.")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True, help="How.")
def render(call: Invocation, origin: bool, form: str) -> None:
    """Show the effective config after includes and overlays."""
    from rolecall.jobs.render import origins
    from rolecall.jobs.render import render as effective
    from rolecall.report.builders.config import config_json, config_yaml, origin_lines

    root = root_of(call)
    sources = effective(root.folder, call.env, root.main)
    out = stdout(call.environ, color=call.color)
    if origin:
        out.lines(origin_lines(origins(sources)))
    else:
        out.text(config_json(sources.effective) if form == "json" else config_yaml(sources.effective))
