"""Write the metrics file of a command: what it measured, and the attempt itself, also if that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import click

from rolecall.cli.messages import problems_of
from rolecall.cli.options import Invocation
from rolecall.cli.session import day, now
from rolecall.desired.build import Config
from rolecall.errors import Exit, RolecallError
from rolecall.jobs.metrics import Attempt, attempt_metrics, expiring_metric, journal_metric
from rolecall.journal.port import Journal
from rolecall.outside.metrics import Metric, write_anew, write_metrics
from rolecall.plan.value import OrgRef

_FAILED = frozenset({Exit.ERROR, Exit.INCOMPLETE, Exit.INTERRUPTED})
"""Exit codes of a command that ended without completing everything."""


def measured(
    call: Invocation, command: Literal["drift", "apply"], path: Path | None, work: Callable[[list[Metric]], Exit]
) -> Exit:
    """Run a command, which adds its metrics to a list, and write them to the metrics file if there is one.

    If nothing was measured, the file keeps its earlier metrics, and those of the attempt are added.
    """
    if path is None:
        return work([])
    metrics: list[Metric] = []

    def write(code: Exit, *, failed: bool) -> None:
        config = str(call.config.absolute()).encode(errors="replace").decode()
        attempt = attempt_metrics(Attempt(command, config, call.env, now(), code, failed))
        (write_metrics if metrics else write_anew)(path, [*metrics, *attempt])

    try:
        code = work(metrics)
    except BaseException as error:
        with suppress(OSError):  # the error of the command itself is reported
            write(_code(error), failed=True)
        raise
    write(code, failed=not metrics or code in _FAILED)
    return code


def common_metrics(call: Invocation, config: Config, journal: Journal | None, org: OrgRef) -> Iterator[Metric]:
    """Yield the metrics of both drift checks and applies: expiring mappings and the size of the journal."""
    yield expiring_metric(config.desired, day(call), org)
    yield journal_metric(None if journal is None else journal.size(), org)


def _code(error: BaseException) -> Exit:
    """Return the exit code of an error."""
    if isinstance(error, RolecallError):
        return error.exit
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Exit.INTERRUPTED
    if isinstance(error, click.ClickException):
        return Exit.USAGE
    known = problems_of(error) if isinstance(error, BaseExceptionGroup) else None
    return Exit.ERROR if known is None else known[1]
