"""`rolecall export`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rolecall.cli.options import Invocation
from rolecall.cli.program import command


@command(
    "export",
    "rolecall export --out acme-access",
    "rolecall export --out acme-access --split    # mappings in files of their own",
    "rolecall export --update                     # merge into the config that is here",
    "rolecall --snapshot acme.json export --out acme-access",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write the config [export].")
@click.option("--split", is_flag=True, help="Mappings in idp_groups/, a file for each team.")
@click.option("--update", is_flag=True, help="Merge into the files of this config; comments and order stay.")
def export(call: Invocation, out: Path | None, split: bool, update: bool) -> None:
    """Write the live org as a config that plans empty.

    Groups are pinned by their ids. Comments say where a value came from, and what a config cannot say.
    """
    from rolecall.cli.exporting import export_new, export_update

    if update and (out is not None or split):
        raise click.UsageError("--update changes the files that are here; --out and --split make new ones")
    told = export_update(call) if update else export_new(call, out or Path("export"), split)
    sys.stdout.write("".join(f"{line}\n" for line in told))
