"""`rolecall history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rolecall.cli.command import Invocation, command
from rolecall.cli.console import Console, stdout
from rolecall.cli.failure import tell
from rolecall.errors import Exit
from rolecall.report.phrases import count

if TYPE_CHECKING:
    from rolecall.journal.port import Journal


@command(
    "history",
    "rolecall history -e prod",
    "rolecall history 12",
    "rolecall history --verify",
)
@click.argument("run", required=False, type=click.IntRange(1))
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many, newest first.")
@click.option("--verify", is_flag=True, help="Check that nothing in the record was changed; 1 when it was.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How.")
def history(call: Invocation, run: int | None, limit: int, verify: bool, form: str) -> Exit:
    """List past runs, newest first, or show one in full."""
    from rolecall.cli.of_run import of_run
    from rolecall.cli.session import find_journal, read
    from rolecall.jobs.history import one_run, past_runs
    from rolecall.report.history import run_in_full, runs_json, runs_lines

    out = stdout(call.environ, color=call.color)
    call = call if run is None else of_run(call, run)
    journal = find_journal(call, read(call))
    try:
        if verify:
            return _verify(call, out, journal)
        runs = (one_run(journal, run),) if run is not None else past_runs(journal, call.env, limit)
    finally:
        if journal is not None:
            journal.close()
    if form == "json":
        out.text(runs_json(runs))
    else:
        out.lines(run_in_full(runs[0]) if run is not None else runs_lines(runs))
    return Exit.OK


def _verify(call: Invocation, out: Console, journal: Journal | None) -> Exit:
    from rolecall.jobs.history import verify

    found = {} if journal is None else verify(journal)
    for org, seen in found.items():
        pruned = f", {seen.pruned:,} of them pruned" if seen.pruned else ""
        out.text(f"{org}: {seen.entries:,} entries{pruned}, head {seen.head}")
    problems = [problem for seen in found.values() for problem in seen.problems]
    if problems:
        tell(problems, as_json=call.log_format == "json", color=call.color)
        return Exit.ERROR
    entries = sum(seen.entries for seen in found.values())
    said = f"Journal verified: {count(entries, 'entry')}, no gaps, no changes since they were written."
    out.text(said if found else "No runs yet.")
    return Exit.OK
