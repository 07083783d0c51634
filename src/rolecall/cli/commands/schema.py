"""`rolecall schema`."""

from __future__ import annotations

import click

from rolecall.cli.console import write_document
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.schema_files import schema_text


@command(
    "schema",
    "rolecall schema > .rolecall/config.schema.json",
    "rolecall schema --kind plan",
)
@click.option(
    "--kind",
    type=click.Choice(["config", "plan", "drift", "snapshot"]),
    default="config",
    show_default=True,
    help="Which one.",
)
def schema(call: Invocation, kind: str) -> None:
    """Print a JSON schema.

    An editor that speaks YAML checks and completes a config whose first line is this:

    \b
    # yaml-language-server: $schema=./.rolecall/config.schema.json
    """
    write_document(schema_text(f"{kind}.schema.json"))
