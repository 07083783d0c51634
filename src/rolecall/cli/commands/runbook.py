"""`rolecall runbook`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rolecall.cli.complete import files
from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command

if TYPE_CHECKING:
    from rolecall.report.document import Document


@command(
    "runbook",
    "rolecall runbook plan.json > steps.md",
    "rolecall runbook 12 --format html > steps.html",
    "rolecall runbook okta            # set up provisioning; also: entra, other, token",
)
@click.argument("plan", metavar="PLAN|RUN|okta|entra|other|token", shell_complete=files)
@click.option(
    "--format", "form", type=click.Choice(["markdown", "html"]), default="markdown", show_default=True, help="How."
)
def runbook(call: Invocation, plan: str, form: str) -> None:
    """Write the manual steps of a plan or a run.

    For each step: page, actions, values before and after, check, undo. `okta`, `entra` and `other` are checklists for
    setting up SSO and SCIM in the IdP, `token` is one for rotating the SCIM token. They need no plan.
    """
    from rolecall.report.builders.runbook_idp import GUIDES, guide_document
    from rolecall.report.renderers.html import html
    from rolecall.report.renderers.runbook import runbook_markdown

    if plan in GUIDES and not Path(plan).exists():
        document = guide_document(plan)
    else:
        document = _of_run(call, int(plan)) if _is_run(plan) else _of_plan(Path(plan))
    out = stdout(call.environ, color=call.color)
    out.text(html(document) if form == "html" else runbook_markdown(document))


def _is_run(text: str) -> bool:
    return text.isascii() and text.isdecimal() and not Path(text).exists()


def _of_plan(path: Path) -> Document:
    from rolecall.jobs.saved import read_plan
    from rolecall.report.builders.runbook import runbook_document

    return runbook_document(read_plan(path))


def _of_run(call: Invocation, number: int) -> Document:
    from rolecall.cli.journals import find_journal, of_run
    from rolecall.cli.session import read
    from rolecall.errors import Misuse, Problem
    from rolecall.jobs.history import one_run
    from rolecall.jobs.saved import plan_of_text
    from rolecall.report.builders.runbook import runbook_document

    journal = find_journal(call, read(of_run(call, number)))
    try:
        run = one_run(journal, number)
        text = journal.plan(number) if journal is not None else None
    finally:
        if journal is not None:
            journal.close()
    if not text:
        raise Misuse(Problem("no_plan", f"run {number} has no plan that could be read"))
    return runbook_document(plan_of_text(text, f"run {number}"), run)
