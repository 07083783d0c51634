"""Complete numbers of past runs and of their manual steps, from a journal that is a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.complete import effective, files, main_file
from rolecall.errors import RolecallError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from rolecall.journal.port import Journal

_MOST = 20
"""The number of runs that are offered, the newest first."""


def runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the numbers of past runs, each with what it was."""
    from click.shell_completion import CompletionItem

    journal = _journal(ctx)
    if journal is None:
        return []
    try:
        with journal:
            past_runs = journal.runs(None, _MOST)
    except RolecallError:
        return []
    return [
        CompletionItem(str(run.id), help=f"{run.kind}, {run.started_at:%d %b %Y %H:%M} UTC, {run.outcome}")
        for run in past_runs
        if str(run.id).startswith(incomplete)
    ]


def plans_and_runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the numbers of past runs, or else files, one of which may be a plan."""
    return (runs(ctx, param, incomplete) if incomplete[:1].isdigit() else []) or files(ctx, param, incomplete)


def steps(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return `all` and the manual steps that are left of the run that was typed, each with what it changes."""
    from click.shell_completion import CompletionItem

    number, journal = ctx.params.get("run"), _journal(ctx)
    if journal is None:
        return []
    try:
        with journal:
            run = journal.run(number) if isinstance(number, int) else None
    except RolecallError:
        return []
    left = () if run is None else run.human
    items = [CompletionItem(step.label, help=f"{step.action} {step.address}") for step in left]
    items += [CompletionItem("all", help="all manual steps that are left")] if left else []
    return [item for item in items if item.value.startswith(incomplete)]


def _journal(ctx: click.Context) -> Journal | None:
    """Return the journal that the configuration means, if it is a file that can be opened."""
    from rolecall.journal.opened import find_journal
    from rolecall.model.target import DEFAULT_JOURNAL

    journal: Any = effective(ctx).get("journal")
    url = journal.get("url", DEFAULT_JOURNAL) if isinstance(journal, dict) else DEFAULT_JOURNAL
    if not isinstance(url, str) or not url.startswith("sqlite:"):
        return None
    try:
        return find_journal(url, main_file(ctx).parent)
    except (RolecallError, OSError):
        return None
