"""`rolecall drift`."""

from __future__ import annotations

from typing import Any

import click

from rolecall.cli.command import Invocation, command
from rolecall.cli.sinks import FORMATS
from rolecall.errors import Exit


@command(
    "drift",
    "rolecall drift -e prod --detailed-exitcode",
    "rolecall drift -e prod --accept                            # the YAML here follows the org",
    "rolecall drift -e prod --revert --out revert.json          # a plan to bring the org back",
    "rolecall drift --baseline git:main~5                       # without a journal",
)
@click.option("--detailed-exitcode", "detailed", is_flag=True, help="2 for drift, 7 where not all could be seen.")
@click.option("--include-unapplied", is_flag=True, help="Count what the config changed and nobody applied.")
@click.option("--ignore", multiple=True, metavar="ADDRESS", help="Leave out, this once; globs too. May be repeated.")
@click.option("--baseline", metavar="FILE|git:REF", help="A snapshot, a config or a commit in place of the journal.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Of stdout.")
@click.option("--people", type=click.Choice(["names", "masked", "counts"]), help="What is shown of people.")
def drift(call: Invocation, **options: Any) -> Exit:
    """Show what moved since the last apply, who moved it, and whom it touches.

    Nothing is written to the org. Without a record of an apply it compares two ways, and says so.
    """
    from rolecall.cli.drifting import Wish, look_for_drift

    return look_for_drift(call, Wish(**options))
