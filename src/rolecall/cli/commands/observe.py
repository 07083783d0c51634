"""`rolecall observe`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.model.kinds import SECTIONS


@command(
    "observe",
    "rolecall observe                       # tab by tab; stop and go on as you like",
    "rolecall observe --paste               # groups as the table on the page",
    "rolecall observe --csv groups.csv      # writes the file to fill in, then reads it",
    "rolecall observe --only scim",
)
@click.option("--paste", is_flag=True, help="Take the IdP-groups table as copied from the browser.")
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read group,role,teams; where there is no such file, write it to be filled in.",
)
@click.option("--only", type=click.Choice(["teams", *SECTIONS]), help="Just this section.")
@click.option("--by", metavar="EMAIL", help="Who is reading; else it is asked.")
@click.option(
    "--accept-missing",
    is_flag=True,
    help="Without a terminal: groups and roles that the table lacks were removed from the org.",
)
def observe(
    call: Invocation, paste: bool, table: Path | None, only: str | None, by: str | None, accept_missing: bool
) -> None:
    """Read an org without an API together with you, tab by tab.

    The config's org is `observed:FILE`; the file is written there. What is skipped stays unread.
    """
    from rolecall.cli.observing import observe as run

    if paste and table is not None:
        raise click.UsageError("--paste and --csv are two ways to give the same groups")
    told = run(call, paste=paste, table=table, only=only, by=by, accept_missing=accept_missing)
    sys.stdout.write("".join(f"{line}\n" for line in told))
