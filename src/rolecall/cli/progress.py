"""Show the steps of an apply as they end: as lines, as JSON or as a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rolecall.cli.console import Console, stderr
from rolecall.cli.messages import as_object
from rolecall.cli.options import Invocation

if TYPE_CHECKING:
    from rolecall.apply.steps import Progress
    from rolecall.report.line import Style

    OnStep = Callable[[Progress], None]


@contextmanager
def progress(call: Invocation) -> Iterator[OnStep]:
    """Yield a function to call whenever a step has ended. With `-q` only steps that failed are shown."""
    err = stderr(call.environ, color=call.color)
    if call.log_format == "json":
        yield lambda step: _json(call, step)
    elif err.terminal and err.color and call.verbosity >= 0:
        with _bar(err) as on_step:
            yield on_step
    else:
        yield lambda step: _line(call, err, step)


def _line(call: Invocation, err: Console, step: Progress) -> None:
    from rolecall.report.line import line

    if call.verbosity >= 0 or step.state != "done":
        style: Style = "dim" if step.state == "done" else "error"
        err.lines([line(f"{step.ended}/{step.total} {_step_text(step)}", style)])


def _json(call: Invocation, step: Progress) -> None:
    if call.verbosity >= 0 or step.state != "done":
        level = "info" if step.state == "done" else "error"
        about = {"address": step.change.address, "action": step.change.action, "state": step.state}
        count = {"ended": step.ended, "total": step.total}
        sys.stderr.write(as_object(level, "step_ended", "step ended", {**count, **about}))


@contextmanager
def _bar(err: Console) -> Iterator[OnStep]:
    """Show a progress bar that disappears at the end; steps that failed stay above it."""
    from rich.console import Console as Rich
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    from rolecall.report.phrases import visible

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=Rich(file=sys.stderr, width=err.width), transient=True) as bar:
        task = bar.add_task("", total=None)

        def on_step(step: Progress) -> None:
            bar.update(task, completed=step.ended, total=step.total, description=visible(step.change.address))
            if step.state != "done":
                bar.console.print(_step_text(step), markup=False, highlight=False, style="red")

        yield on_step


def _step_text(step: Progress) -> str:
    from rolecall.report.phrases import visible

    return f"{step.change.action} {visible(step.change.address)}: {step.state}"
