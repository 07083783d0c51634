"""`apply`, from the plan to the closing lines: show, ask, run, tell."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rolecall.cli.consent import Yes, consent, refuse_blocked
from rolecall.cli.console import stdout
from rolecall.cli.facts import holder, run_facts
from rolecall.cli.options import Invocation
from rolecall.cli.people import redacted, shown
from rolecall.cli.planning import make_plan
from rolecall.cli.present import show
from rolecall.cli.progress import progress
from rolecall.cli.session import Session, now, open_journal, read, session, wait_for
from rolecall.desired import Config
from rolecall.errors import ConfigError, Exit, Problem
from rolecall.jobs.apply import ApplyRequest, apply
from rolecall.jobs.plan import Wanted, from_config, from_plan
from rolecall.jobs.saved import read_plan
from rolecall.journal.port import Holder
from rolecall.model.run import RunReport
from rolecall.plan.value import Plan
from rolecall.report.run_text import run_lines


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan that somebody wants carried out, and where it came from."""

    plan: Plan
    wanted: Wanted
    caller: str | None = None


def apply_plan(call: Invocation, saved: Path | None, options: dict[str, Any]) -> Exit:
    """The whole of `apply`."""
    config = read(call)
    _check_journal(call, config, options["journal_lost_ok"])
    return wait_for(_apply(call, config, saved, options))


async def _apply(call: Invocation, config: Config, saved: Path | None, options: dict[str, Any]) -> Exit:
    async with session(call, config) as found:
        approved = _saved(saved) if saved else await _fresh(call, found, options)
        plan = approved.plan
        out = stdout(call.environ, color=call.color)
        mode = shown(call, None, config.reports_people, terminal=out.terminal)
        seen = options["approve"] is not None and not _refused(plan)
        show(out, redacted(call, plan, mode, config.root), brief=seen)
        sys.stdout.flush()
        if plan.errored:
            raise ConfigError(*(item for item in plan.warnings if item.severity == "error"))
        refuse_blocked(plan)
        approvals = _approvals(call, plan, options)
        report = await _run(call, found, approved, approvals, options)
    out.lines(run_lines(report, plan.org.env))
    return _exit(report)


def _refused(plan: Plan) -> bool:
    return plan.errored or any(guard.verdict == "block" for guard in plan.guards)


def _approvals(call: Invocation, plan: Plan, options: dict[str, Any]) -> Any:
    """Nobody need approve a plan that writes nothing; a wrong digest is told all the same."""
    yes = Yes(options["auto_approve"], options["approve"], options["approval"])
    if plan.writes or plan.human or yes.digest is not None:
        return consent(call, plan, yes)
    return ()


def _saved(path: Path) -> Approved:
    plan = read_plan(path)
    return Approved(plan, from_plan(plan))


async def _fresh(call: Invocation, found: Session, options: dict[str, Any]) -> Approved:
    cut = {name: options[name] for name in ("target", "exclude", "only", "allow")}
    made = await make_plan(call, found, **cut)
    return Approved(made.plan, from_config(found.config), made.live.facts.caller.email)


async def _run(
    call: Invocation, found: Session, approved: Approved, approvals: Any, options: dict[str, Any]
) -> RunReport:
    org: Any = found.org
    with open_journal(call, found.config) as journal, _stopping() as stop, progress(call) as told:
        return await apply(
            ApplyRequest(
                approved=approved.plan,
                wanted=approved.wanted,
                org=org,
                people=found.people,
                journal=journal,
                holder=holder(call),
                now=now,
                facts=run_facts(call, found.config, approved.caller),
                approvals=approvals,
                parallelism=options["parallelism"],
                lock_timeout=options["lock_timeout"],
                stop=stop,
                progress=told,
                waiting=_waiting,
                redact=lambda plan: redacted(
                    call, plan, shown(call, None, found.config.reports_people, terminal=False), found.config.root
                ),
            )
        )


def _exit(report: RunReport) -> Exit:
    run = report.run
    if run is None or run.outcome == "nothing":
        return Exit.OK
    if run.outcome == "interrupted":
        return Exit.INTERRUPTED
    if run.outcome != "done":
        return Exit.INCOMPLETE
    return Exit.HUMAN if run.human else Exit.OK


def _check_journal(call: Invocation, config: Config, lost_ok: bool) -> None:
    """In a pipeline the default journal dies with the runner; a rehearsal may do without."""
    if call.ci and config.journal.is_default and config.org.kind != "local" and not lost_ok:
        message = "CI is set and the journal is a file here, which dies with the runner"
        hint = "set `journal.url` to a PostgreSQL database, or say --journal-lost-ok"
        raise ConfigError(Problem("journal_lost", message, config.journal.source, hint))


@contextmanager
def _stopping() -> Iterator[Any]:
    """The first Ctrl-C lets the step in hand finish; the second one ends the program."""
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        sys.stderr.write("\nStopping after the step in hand; once more to leave at once.\n")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _waiting(who: Holder | None) -> None:
    sys.stderr.write(f"Waiting for the org's lock{f', held by {who}' if who else ''}.\n")
