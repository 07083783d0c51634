"""Implement `rolecall show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rolecall.cli.console import Console
from rolecall.cli.options import InRepository, Invocation, in_repository
from rolecall.cli.program import command
from rolecall.cli.report_options import format_option
from rolecall.cli.run_numbers import plans_and_runs, run_or_name
from rolecall.report.line import line

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.journal.port import Journal
    from rolecall.model.audit import AuditLog
    from rolecall.model.run import Run


@command(
    "show",
    "rolecall show plan.json",
    "rolecall show plan.json --format junit > plan.xml",
    "rolecall show 12                # run 12: its plan and its steps",
    arguments={"plan": "A plan's file, or the number of a run."},
)
@click.argument("plan", metavar="PLAN|RUN", shell_complete=plans_and_runs)
@format_option
def show(call: Invocation, plan: str, form: str) -> None:
    """Show a saved plan or a past run.

    The org is not read, so this does not say whether the plan can still be applied. Users are shown as in the plan. If
    the configuration names an audit log, manual steps are looked up in it; nothing is stored. For who ran a run and its
    journal entries: rolecall history RUN.
    """
    from rolecall.cli.console import stdout
    from rolecall.cli.output import show_plan as present
    from rolecall.jobs.saved import read_plan

    out, at = stdout(call.environ, color=call.color), in_repository(call)
    number = run_or_name(plan)
    if number is not None:
        _run(call, out, number, form, at)
    else:
        present(out, read_plan(Path(plan)), form, at, saved=plan)


def _run(call: Invocation, out: Console, number: int, form: str, at: InRepository) -> None:
    from rolecall.cli.journals import find_journal, of_run
    from rolecall.cli.output import show_plan as present
    from rolecall.cli.session import now, read
    from rolecall.jobs.confirm import findings
    from rolecall.jobs.history import one_run
    from rolecall.jobs.saved import plan_of_text
    from rolecall.report.builders.runs import recorded_run_document
    from rolecall.report.renderers.listing import listing_lines

    call = of_run(call, number)
    config = read(call)
    journal = find_journal(call, config)
    try:
        run = one_run(journal, number)
        text = journal.plan(number) if journal is not None else None
        newer = _newer_log(call, config, journal, run)
        shown = findings(journal, config.audit, (run,), now(), newer)
    finally:
        if journal is not None:
            journal.close()
    if text:
        present(out, plan_of_text(text, f"run {number}"), form, at)
    if form == "text":
        out.lines([line(), *listing_lines(recorded_run_document(run, shown))])


def _newer_log(call: Invocation, config: Config, journal: Journal | None, run: Run) -> AuditLog | None:
    """Return the audit log as of now, if it may show steps of the run that are not confirmed."""
    if journal is None or config.audit is None:
        return None
    from rolecall.cli.audit_log import log_of_run

    return log_of_run(call, config, journal, run)
