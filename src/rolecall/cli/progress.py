"""Progress of a run on stderr: a bar on a terminal, a line a step anywhere else, a JSON object a step for machines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rolecall.apply.steps import Progress
from rolecall.cli.console import Console, stderr
from rolecall.cli.messages import as_object
from rolecall.cli.options import Invocation
from rolecall.report.line import Style, line
from rolecall.report.phrases import visible

Told = Callable[[Progress], None]


@contextmanager
def progress(call: Invocation) -> Iterator[Told]:
    """What to call whenever a step has ended. With `-q` only steps that went wrong are told."""
    err = stderr(call.environ, color=call.color)
    if call.log_format == "json":
        yield lambda step: _json(call, step)
    elif err.terminal and err.color and call.verbosity >= 0:
        with _bar(err) as told:
            yield told
    else:
        yield lambda step: _line(call, err, step)


def _line(call: Invocation, err: Console, step: Progress) -> None:
    if call.verbosity >= 0 or step.state != "done":
        style: Style = "dim" if step.state == "done" else "error"
        err.lines([line(f"{step.ended}/{step.total} {_words(step)}", style)])


def _json(call: Invocation, step: Progress) -> None:
    if call.verbosity >= 0 or step.state != "done":
        level = "info" if step.state == "done" else "error"
        about = {"address": step.change.address, "action": step.change.action, "state": step.state}
        count = {"ended": step.ended, "total": step.total}
        sys.stderr.write(as_object(level, "step_ended", "step ended", {**count, **about}))


@contextmanager
def _bar(err: Console) -> Iterator[Told]:
    """A bar that goes away when the run has ended; steps that went wrong stay above it."""
    from rich.console import Console as Rich
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=Rich(file=sys.stderr, width=err.width), transient=True) as bar:
        task = bar.add_task("", total=None)

        def told(step: Progress) -> None:
            bar.update(task, completed=step.ended, total=step.total, description=visible(step.change.address))
            if step.state != "done":
                bar.console.print(_words(step), markup=False, highlight=False, style="red")

        yield told


def _words(step: Progress) -> str:
    return f"{step.change.action} {visible(step.change.address)}: {step.state}"
