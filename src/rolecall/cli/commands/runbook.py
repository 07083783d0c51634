"""Implement `rolecall runbook`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.report_options import some_formats
from rolecall.cli.run_numbers import plans_and_runs, run_or_name

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from rolecall.report.document import Document


_SETUP = "setup"


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return `setup` and the names of the checklists, or else numbers of past runs or files."""
    from click.shell_completion import CompletionItem

    from rolecall.report.builders.runbook.idp import GUIDES

    items = [CompletionItem(name) for name in (_SETUP, *GUIDES) if name.startswith(incomplete)]
    return (items if incomplete else []) or plans_and_runs(ctx, param, incomplete)


@command(
    "runbook",
    "rolecall runbook plan.json > steps.md",
    "rolecall runbook 12 --format html > steps.html",
    "rolecall runbook setup --idp okta   # from a new org to this configuration",
    "rolecall runbook okta               # only the IdP's part",
    arguments={
        "plan": "A plan's file, the number of a run, or a checklist: setup (set up a new org with the values of the "
        "configuration), okta, entra or other (only the steps in that IdP), or token (replace the SCIM token)."
    },
)
@click.argument("plan", metavar="PLAN|RUN|CHECKLIST", shell_complete=_names)
@click.option(
    "--idp",
    type=click.Choice(["okta", "entra", "other"]),
    help="With setup: the IdP. Default: that of the configuration.",
)
@some_formats("markdown", "html", meaning="Format on stdout.")
def runbook(call: Invocation, plan: str, idp: str | None, form: str) -> None:
    """Write instructions for the manual steps of a plan or run.

    Each step gives the page of the console, what to do there, the values before and after, how to check it and how to
    undo it. When a step is done: rolecall done RUN STEP.
    """
    from rolecall.report.renderers.html import html
    from rolecall.report.renderers.runbook import runbook_markdown

    document = _document(call, plan, idp)
    out = stdout(call.environ, color=call.color)
    out.text(html(document) if form == "html" else runbook_markdown(document))


def _document(call: Invocation, plan: str, idp: str | None) -> Document:
    from rolecall.report.builders.runbook.idp import GUIDES, guide_document

    exists = Path(plan).exists()
    number = run_or_name(plan, (_SETUP, *GUIDES))
    if plan == _SETUP and not exists:
        return _setup(call, idp)
    if idp is not None:
        raise click.UsageError("--idp is for `rolecall runbook setup`")
    if plan in GUIDES and not exists:
        return guide_document(plan)
    return _of_plan(Path(plan)) if number is None else _of_run(call, number)


def _setup(call: Invocation, idp: str | None) -> Document:
    from rolecall.cli.session import read
    from rolecall.report.builders.runbook.idp import idp_of
    from rolecall.report.builders.runbook.setup import setup_document

    config = read(call)
    named = idp or idp_of(config.desired.settings)
    if named is None:
        raise click.UsageError("the configuration names no IdP; add --idp okta, --idp entra or --idp other")
    return setup_document(config.desired.settings, named, config.org.name, config.metadata_file)


def _of_plan(path: Path) -> Document:
    from rolecall.jobs.saved import read_plan
    from rolecall.report.builders.runbook.document import runbook_document

    return runbook_document(read_plan(path))


def _of_run(call: Invocation, number: int) -> Document:
    from rolecall.cli.journals import find_journal, of_run
    from rolecall.cli.session import now, read
    from rolecall.errors import Misuse, Problem
    from rolecall.jobs.confirm import findings
    from rolecall.jobs.history import one_run
    from rolecall.jobs.saved import plan_of_text
    from rolecall.report.builders.runbook.document import runbook_document

    config = read(of_run(call, number))
    journal = find_journal(call, config)
    try:
        run = one_run(journal, number)
        text = journal.plan(number) if journal is not None else None
        shown = findings(journal, config.audit, (run,), now())
    finally:
        if journal is not None:
            journal.close()
    if not text:
        message = f"the journal has no plan of run {number}, which is a run of {run.kind}"
        raise Misuse(Problem("no_plan", message, None, f"for what the journal has of it: rolecall history {number}"))
    return runbook_document(plan_of_text(text, f"run {number}"), run, shown)
