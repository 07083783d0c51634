"""Implement `rolecall history`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rolecall.cli.console import Console, stdout
from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.report_options import some_formats
from rolecall.cli.run_numbers import RUN, runs
from rolecall.errors import Exit, Problem
from rolecall.report.phrases import count

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.journal.port import Anchor, Journal, Verified

_GIT = "git:"


@command(
    "history",
    "rolecall history -e prod",
    "rolecall history 12",
    "rolecall history --verify",
    "rolecall history --anchor journal-anchor.json",
    "rolecall history --anchor git:origin/main",
    arguments={"run": "Number of a run to show in full. Default: list the runs, newest first."},
    exit_codes={
        Exit.OK: "Success.",
        Exit.ERROR: "An error, or with --verify or --anchor: the journal was changed or is incomplete.",
    },
)
@click.argument("run", required=False, type=RUN, shell_complete=runs)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=50,
    show_default=True,
    help="How many runs to list.",
)
@click.option("--verify", is_flag=True, help="Check that the journal has no gaps and was not changed.")
@click.option(
    "--anchor",
    metavar="FILE|git:REF",
    help="Like --verify, and detect entries that were removed from the end, which --verify cannot: compare with FILE, "
    "which has the end of the journal when it was written. Then update FILE, or create it. Commit it. With git:REF, "
    "compare with journal-anchor.json of that commit and write nothing.",
)
@some_formats("text", "json", meaning="Format on stdout.")
def history(call: Invocation, run: int | None, limit: int, verify: bool, anchor: str | None, form: str) -> Exit:
    """List past runs, show one of them, or verify the journal.

    Manual steps that were reported done are compared with the stored records of the audit log, if the configuration
    names one.
    """
    from rolecall.cli.journals import find_journal, of_run
    from rolecall.cli.session import now, read
    from rolecall.jobs.confirm import findings
    from rolecall.jobs.history import one_run, past_runs
    from rolecall.report.builders.runs import history_document, recorded_run_document, runs_json
    from rolecall.report.renderers.listing import listing_lines

    out = stdout(call.environ, color=call.color)
    call = call if run is None else of_run(call, run)
    config = read(call)
    anchors = {} if anchor is None else _anchors(config, anchor)
    journal = find_journal(call, config)
    try:
        if verify or anchor is not None:
            return _verify(call, out, journal, anchors, anchor)
        shown_runs = (one_run(journal, run),) if run is not None else past_runs(journal, call.env, limit)
        shown_findings = findings(journal, config.audit, shown_runs, now())
    finally:
        if journal is not None:
            journal.close()
    if form == "json":
        out.text(runs_json(shown_runs, shown_findings))
    else:
        document = recorded_run_document(shown_runs[0], shown_findings) if run is not None else None
        out.lines(listing_lines(document or history_document(shown_runs)))
    return Exit.OK


def _anchors(config: Config, anchor: str) -> dict[str, Anchor]:
    """Return the anchors to compare with; none if the file does not exist yet."""
    from rolecall.jobs.history import ANCHOR, anchors_of
    from rolecall.outside.git import at_ref
    from rolecall.source.files import read_file

    if anchor.startswith(_GIT):
        with at_ref(config.root, anchor.removeprefix(_GIT)) as (folder, _):
            return anchors_of(read_file(folder / ANCHOR, f"{anchor}:{ANCHOR}"), f"{anchor}:{ANCHOR}")
    path = Path(anchor)
    return anchors_of(read_file(path, anchor), anchor) if path.exists() else {}


def _write_anchor(out: Console, chains: dict[str, Verified], anchors: dict[str, Anchor], anchor: str) -> None:
    from rolecall.jobs.history import anchor_text
    from rolecall.outside.files import write_file

    write_file(Path(anchor), anchor_text(chains), 0o644)
    done = "Updated" if anchors else "Created"
    out.text(f"{done} {anchor}. Store it where users who can write to the journal cannot change it.")


def _verify(
    call: Invocation, out: Console, journal: Journal | None, anchors: dict[str, Anchor], anchor: str | None
) -> Exit:
    from rolecall.jobs.history import verify
    from rolecall.journal.database import RESTORE

    if journal is None and anchors:
        entries = sum(known_anchor.entries for known_anchor in anchors.values())
        message = f"the journal does not exist, but the anchor has {count(entries, 'entry')}"
        problem = Problem("journal_cut_off", message, None, RESTORE)
        tell([problem], as_json=call.log_format == "json", color=call.color)
        return Exit.ERROR
    chains = {} if journal is None else verify(journal, anchors)
    for org, chain in chains.items():
        pruned = f", {chain.pruned:,} of them pruned" if chain.pruned else ""
        out.text(f"{org}: {chain.entries:,} entries{pruned}, head {chain.head}")
    problems = [problem for chain in chains.values() for problem in chain.problems]
    if problems:
        tell(problems, as_json=call.log_format == "json", color=call.color)
        return Exit.ERROR
    entries = sum(chain.entries for chain in chains.values())
    sentence = f"Journal verified: {count(entries, 'entry')}, no gaps, no changes since they were written."
    out.text(sentence if chains else "No runs yet.")
    if chains and anchor is not None and not anchor.startswith(_GIT):
        _write_anchor(out, chains, anchors, anchor)
    return Exit.OK
