"""Implement `rolecall schema`."""

from __future__ import annotations

import click

from rolecall.cli.console import write_document
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.schema_files import schema_text


@command(
    "schema",
    "rolecall schema > .rolecall/config.schema.json",
    "rolecall schema --kind overlay > .rolecall/overlay.schema.json",
)
@click.option(
    "--kind",
    type=click.Choice(["config", "part", "overlay", "snapshot", "plan", "drift", "fleet"]),
    default="config",
    show_default=True,
    help="The kind of file: config; part, an included file; overlay, a file in env/; snapshot; plan or drift, as JSON; "
    "fleet, the file fleet.yaml.",
)
def schema(_call: Invocation, kind: str) -> None:
    """Print a JSON schema, for editors and other tools.

    An editor that supports YAML schemas checks and completes a file whose first line names its schema:

    \b
    # yaml-language-server: $schema=./.rolecall/config.schema.json
    # yaml-language-server: $schema=../.rolecall/part.schema.json
    # yaml-language-server: $schema=../.rolecall/overlay.schema.json
    """
    if kind in ("part", "overlay"):
        from rolecall.desired.edit.schemas import editor_schema

        write_document(editor_schema(kind))
    else:
        write_document(schema_text(f"{kind}.schema.json"))
