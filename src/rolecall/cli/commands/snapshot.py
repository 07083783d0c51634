"""Implement `rolecall snapshot`."""

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
    "rolecall snapshot --out acme.json --people counts   # without names",
    "rolecall snapshot --people none | less",
    "rolecall snapshot --record --out acme.yaml",
    exit_codes={
        Exit.OK: "Success.",
        Exit.ERROR: "An error, or with --record: users could not be read.",
        Exit.UNSEEN: "With --record: users could only be partially read.",
    },
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write, as YAML or, if its name ends in .json, as JSON. Default: YAML on stdout.",
)
@click.option(
    "--people",
    type=click.Choice(["names", "masked", "counts", "none"]),
    help="How users appear in the file: names, masked (one alias per user), counts, or none. Default: names, or counts "
    "if the variable CI is set.",
)
@click.option(
    "--record",
    "recorded",
    is_flag=True,
    help="Also write an access record to the journal: who holds which role above member, for "
    "rolecall access --at DATE.",
)
def snapshot(call: Invocation, out: Path | None, people: Any, recorded: bool) -> Exit:
    """Save the org to a file, without secrets.

    Use it as input: rolecall --snapshot FILE plan, rolecall local load FILE, or as url: observed:FILE.
    """
    from rolecall.cli.journals import check_journal, open_journal
    from rolecall.cli.output import mask_key, shown
    from rolecall.cli.planning import report_coverage
    from rolecall.cli.session import read, wait_for
    from rolecall.jobs.snapshot import as_text, encoded, record, write_snapshot

    config = read(call)
    if recorded:
        check_journal(call, config)
    mode = people or shown(call, None, config.reports_people, terminal=False)
    taken = wait_for(_take(call, config, mode))
    key = mask_key(call, config.root) if mode == "masked" else b""
    if recorded:
        from rolecall.cli.facts import run_facts

        with open_journal(call, config) as journal:
            number = record(journal, taken, config.desired, run_facts(call, config, taken.live.facts.caller.email))
        remark("recorded", f"Recorded as run {number}.", as_json=call.log_format == "json")
    if out is None:
        write_document(as_text(encoded(taken, mode, key)))
    else:
        sys.stdout.write("".join(f"Wrote {path}\n" for path in write_snapshot(taken, mode, out, key)))
    unread = Exit.OK if taken.directory is None else report_coverage(call, config, taken.directory.coverage)
    return unread if recorded else Exit.OK


async def _take(call: Invocation, config: Config, mode: Any) -> OrgRead:
    from rolecall.cli.session import now, session
    from rolecall.jobs.snapshot import take

    async with session(call, config) as opened:
        return await take(opened.org, opened.people, mode, now(), None)
