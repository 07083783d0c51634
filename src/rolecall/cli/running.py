"""Handle Ctrl-C while a run writes, and remark on its waits. The first Ctrl-C completes the current step."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from rolecall.cli.messages import remark
from rolecall.cli.options import Invocation

if TYPE_CHECKING:
    from rolecall.journal.port import Holder
    from rolecall.model.run import Run


@contextmanager
def stopping(call: Invocation, begun: list[int]) -> Iterator[tuple[Callable[[], bool], Callable[[int, int], None]]]:
    """Handle Ctrl-C. Yield a function that says whether to stop, and one to call when the run begins.

    In a run the first Ctrl-C completes the current step and the second one ends the program; before the run there is
    nothing to complete.
    """
    requests: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        """Record the first request to stop, and interrupt at the second one or before the run began."""
        if requests or not begun:
            raise KeyboardInterrupt
        requests.append(number)
        as_json = call.log_format == "json"
        if not as_json:
            sys.stderr.write("\n")  # after the ^C that a terminal shows
        remark("stopping", "Stopping after the current step. Press Ctrl-C again to stop now.", as_json=as_json)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(requests), lambda run, _: begun.append(run)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def waiting(call: Invocation, who: Holder | None) -> None:
    """Remark that another run has the lock."""
    message = f"Waiting for the org's lock{f', held by {who}' if who else ''}."
    remark("lock_waiting", message, as_json=call.log_format == "json")


def arriving(call: Invocation, seconds: float, addresses: Sequence[str]) -> None:
    """Remark that pushed groups are waited for."""
    if seconds:
        groups = "1 group arrives" if len(addresses) == 1 else f"{len(addresses):,} groups arrive"
        message = f"Waiting until {groups} from Okta in the org, for at most {_duration(seconds)}. "
        remark("arrival", f"{message}Press Ctrl-C to map them later.", as_json=call.log_format == "json")


def recovering(call: Invocation, dead: Sequence[Run]) -> None:
    """Remark on runs that did not end."""
    for run in dead:
        who = f" by {run.facts.actor}" if run.facts.actor else ""
        message = f"Run {run.id}{who} did not end; checking which of its steps were written."
        remark("run_left_open", message, as_json=call.log_format == "json")


def _duration(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min" if seconds >= 60 else f"{seconds:g} s"
