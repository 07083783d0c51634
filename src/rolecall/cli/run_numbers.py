"""Read the number of a run on the command line; complete numbers of runs and of their manual steps.

Completion reads a journal that is a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.complete import effective, files, main_file
from rolecall.errors import RolecallError, did_you_mean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from rolecall.journal.port import Journal

LIST = "for the list of runs: rolecall history"
_NUMBER = re.compile(r"(?:#|runs?)?[ _#:-]*0*([1-9][0-9]{0,8})\.?", re.IGNORECASE)
_MOST = 20
"""The number of runs that are offered, the newest first."""


class RunNumber(click.IntRange):
    """The number of a run, from 1."""

    def __init__(self) -> None:
        super().__init__(1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Fails with what was probably meant."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            return self.fail(f"{value!r} is not the number of a run; {_meant(str(value)) or LIST}", param, ctx)


RUN = RunNumber()


def run_or_name(value: str, names: Iterable[str] = ()) -> int | None:
    """Return the number of a run; None for one of the names, and for a file.

    Fails for a value that is neither and probably means a run or a name.
    """
    if value in names or Path(value).exists():
        return None
    if value.isascii() and value.isdecimal():
        return int(value)
    meant = _meant(value) or did_you_mean(value, names)
    if meant and not {".", "/", "\\"} & {*value.strip(".")}:
        raise click.UsageError(f"{value!r} is neither a file nor the number of a run; {meant}")
    return None


def _meant(value: str) -> str | None:
    """Return a hint for ``#12`` and ``run 12``."""
    match = _NUMBER.fullmatch(value.strip())
    return f"did you mean `{match[1]}`?" if match else None


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
