"""`rolecall snapshot`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.console import write_document
from rolecall.cli.messages import remark
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.snapshot import OrgRead


@command(
    "snapshot",
    "rolecall snapshot --out acme.yaml",
    "rolecall snapshot --out acme.json --people counts   # for a repo",
    "rolecall snapshot --people none | less",
    "rolecall snapshot --record --out acme.yaml",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Where to: .json, or .yaml [stdout, YAML]."
)
@click.option(
    "--people",
    type=click.Choice(["names", "masked", "counts", "none"]),
    help="What is kept of people [names; counts in a pipeline].",
)
@click.option("--record", "kept", is_flag=True, help="Keep in the journal who was seen to hold what.")
def snapshot(call: Invocation, out: Path | None, people: Any, kept: bool) -> Exit:
    """Write the live org as a file, without secrets.

    `--snapshot FILE`, `observed:FILE` and `local load FILE` read it. With --record, exits with 1 when users
    could not be read, with 7 when only some could be read.
    """
    from rolecall.cli.journals import check_journal, open_journal
    from rolecall.cli.output import mask_key, shown
    from rolecall.cli.planning import report_coverage
    from rolecall.cli.session import read, wait_for
    from rolecall.jobs.snapshot import as_text, encoded, record, write_snapshot

    config = read(call)
    if kept:
        check_journal(call, config)
    mode = people or shown(call, None, config.reports_people, terminal=False)
    taken = wait_for(_take(call, config, mode))
    key = mask_key(call, config.root) if mode == "masked" else b""
    if kept:
        from rolecall.cli.facts import run_facts

        with open_journal(call, config) as journal:
            number = record(journal, taken, config.desired, run_facts(call, config, taken.live.facts.caller.email))
        remark("recorded", f"Recorded as run {number}.", as_json=call.log_format == "json")
    if out is None:
        write_document(as_text(encoded(taken, mode, key)))
    else:
        sys.stdout.write("".join(f"Wrote {path}\n" for path in write_snapshot(taken, mode, out, key)))
    unread = Exit.OK if taken.directory is None else report_coverage(call, config, taken.directory.coverage)
    return unread if kept else Exit.OK


async def _take(call: Invocation, config: Config, mode: Any) -> OrgRead:
    from rolecall.cli.session import now, session
    from rolecall.jobs.snapshot import take

    async with session(call, config) as opened:
        return await take(opened.org, opened.people, mode, now(), None)
