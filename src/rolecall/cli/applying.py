"""`apply`, from the plan to the closing lines: show, ask, run, tell."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from rolecall.cli.approvals import Yes, consent, refuse_blocked
from rolecall.cli.console import stdout
from rolecall.cli.facts import holder, run_facts
from rolecall.cli.journals import check_journal, open_journal
from rolecall.cli.known_plans import differs_from
from rolecall.cli.messages import remark, tell
from rolecall.cli.options import Invocation
from rolecall.cli.people import redacted, shown
from rolecall.cli.planning import make_plan, whose
from rolecall.cli.present import show
from rolecall.cli.progress import progress
from rolecall.cli.session import Session, now, read, session, wait_for
from rolecall.desired import Config
from rolecall.errors import ConfigError, Exit, Problem, Stale, Where
from rolecall.jobs.apply import ApplyRequest, apply
from rolecall.jobs.plan import Wanted, from_config, from_plan
from rolecall.jobs.saved import as_edited, differences, read_plan
from rolecall.journal.port import Holder
from rolecall.model.run import Run, RunReport
from rolecall.outside.metrics import Metric
from rolecall.plan.saved.digest import document
from rolecall.plan.saved.summary import needs_approval, other_org_words
from rolecall.plan.value import Plan
from rolecall.report.builders.runs import run_lines


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan that somebody wants carried out, and where it came from."""

    plan: Plan
    wanted: Wanted
    caller: str | None = None


def apply_plan(call: Invocation, saved: Path | None, options: dict[str, Any]) -> Exit:
    """The whole of `apply`."""
    if options["metrics_file"] is None:
        return _applied(call, saved, options, None)
    from rolecall.cli.measuring import measured

    return measured(call, "apply", options["metrics_file"], partial(_applied, call, saved, options))


def _applied(call: Invocation, saved: Path | None, options: dict[str, Any], metrics: list[Metric] | None) -> Exit:
    config = read(call)
    check_journal(call, config, lost_ok=options["journal_lost_ok"])
    return wait_for(_apply(call, config, saved, options, metrics))


async def _apply(
    call: Invocation, config: Config, saved: Path | None, options: dict[str, Any], metrics: list[Metric] | None
) -> Exit:
    async with session(call, config) as found:
        approved = await _saved(call, found, saved) if saved else await _fresh(call, found, options)
        plan = approved.plan
        out = stdout(call.environ, color=call.color)
        mode = shown(call, None, config.reports_people, terminal=out.terminal)
        seen = options["approve"] is not None and not _refused(plan)
        show(out, redacted(call, plan, mode, config.root), brief=seen)
        sys.stdout.flush()
        if plan.errored:
            raise ConfigError(*(item for item in plan.warnings if item.severity == "error"))
        refuse_blocked(plan)
        approvals = _approvals(call, config, approved, options)
        report = await _run(call, found, approved, approvals, options)
    out.lines(run_lines(report, plan.org.env))
    if metrics is not None:
        metrics += _metrics(call, config, report, plan)
    if report.problems:
        sys.stdout.flush()
        tell(report.problems, as_json=call.log_format == "json", color=call.color)
    return _exit(report)


def _metrics(call: Invocation, config: Config, report: RunReport, plan: Plan) -> Iterator[Metric]:
    from rolecall.cli.measuring import common_metrics
    from rolecall.jobs.metrics import apply_metrics, pending_metric

    yield from apply_metrics(report.run, plan.org)
    yield pending_metric(len(report.waiting), plan.coverage, plan.org)
    with open_journal(call, config) as journal:
        yield from common_metrics(call, config, journal, plan.org)


def _refused(plan: Plan) -> bool:
    return plan.errored or any(guard.verdict == "block" for guard in plan.guards)


def _approvals(call: Invocation, config: Config, approved: Approved, options: dict[str, Any]) -> Any:
    """Return the approvals to record; none where the plan needs none. A wrong digest is an error all the same."""
    plan = approved.plan
    yes = Yes(options["auto_approve"], options["approve"], options["approval"])
    if needs_approval(plan) or yes.digest is not None:
        try:
            return consent(call, plan, yes, approved.caller)
        except Stale as error:
            raise Stale(*error.problems, *differs_from(call, config, yes.digest or "", plan)) from error
    return ()


async def _saved(call: Invocation, found: Session, path: Path) -> Approved:
    """The plan in a file. An edited one is refused, with how it differs from what the config gives now."""
    try:
        plan = read_plan(path)
    except Stale as error:
        edited = as_edited(path) if error.problems[0].code == "edited" else None
        if edited is None:
            raise
        made = await make_plan(call, found)
        raise Stale(*error.problems, *differences(document(edited), document(made.plan))) from error
    await _check_org(found, plan, Where(str(path)))
    if plan.org.env != found.config.env:
        message = f"the plan is for the environment {plan.org.env or '(none)'}, not {found.config.env or '(none)'}"
        raise Stale(
            Problem("other_env", message, Where(str(path)), f"say --env {plan.org.env}" if plan.org.env else None)
        )
    return Approved(plan, from_plan(plan), await _caller(found, plan))


async def _check_org(found: Session, plan: Plan, where: Where) -> None:
    """Raise Stale, naming both orgs, for a plan of another org. The org is asked only where the configuration differs
    from the plan in what names it; an apply compares ids in any case."""
    org = found.config.org
    if (plan.org.name, plan.org.url, plan.org.env) == (org.name, org.url, found.config.env):
        return
    facts = (await found.org.read(frozenset())).facts
    if facts.org_id != plan.org.id:
        message = other_org_words(plan.org, facts.org_id, org.name)
        raise Stale(Problem("other_org", message, where, "apply a plan that was made with this configuration"))


async def _caller(found: Session, plan: Plan) -> str | None:
    """Whom the org takes us for; asked only where it matters, which is where our own approval would not count."""
    if not any(guard.name == "approval" and guard.limit == "other_person" for guard in plan.guards):
        return None
    return (await found.org.read(frozenset())).facts.caller.email


async def _fresh(call: Invocation, found: Session, options: dict[str, Any]) -> Approved:
    cut = {name: options[name] for name in ("target", "exclude", "only", "allow")}
    made = await make_plan(call, found, **cut)
    return Approved(made.plan, from_config(found.config), made.live.facts.caller.email)


async def _run(
    call: Invocation, found: Session, approved: Approved, approvals: Any, options: dict[str, Any]
) -> RunReport:
    org: Any = found.org
    with open_journal(call, found.config) as journal, _stopping(call) as (stop, began), progress(call) as told:
        return await apply(
            ApplyRequest(
                approved=approved.plan,
                wanted=approved.wanted,
                org=org,
                people=found.people,
                journal=journal,
                holder=holder(call),
                now=now,
                keep_days=found.config.journal.keep_days,
                here=found.config.desired,
                facts=run_facts(call, found.config, approved.caller),
                approvals=approvals,
                parallelism=options["parallelism"],
                lock_timeout=options["lock_timeout"],
                stop=stop,
                progress=told,
                waiting=partial(_waiting, call),
                recovering=partial(_recovering, call),
                began=began,
                whose=whose(call, found.config),
                kind="rollback" if _goes_back(approved.plan) else "apply",
                redact=lambda plan: redacted(
                    call, plan, shown(call, None, found.config.reports_people, terminal=False), found.config.root
                ),
            )
        )


def _goes_back(plan: Plan) -> bool:
    return any(change.reason == "rollback" for change in plan.changes)


def _exit(report: RunReport) -> Exit:
    run = report.run
    if run is None or run.outcome == "nothing":
        return Exit.OK
    if run.outcome == "interrupted":
        return Exit.INTERRUPTED
    if run.outcome != "done":
        return Exit.INCOMPLETE
    return Exit.HUMAN if run.human else Exit.OK


@contextmanager
def _stopping(call: Invocation) -> Iterator[tuple[Callable[[], bool], Callable[[int, int], None]]]:
    """Once the run has begun, the first Ctrl-C lets the step in hand finish and the second one ends the program;
    before, there is nothing to finish. Gives what says whether to stop, and what to call when the run begins."""
    asked: list[int] = []
    begun: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if asked or not begun:
            raise KeyboardInterrupt
        asked.append(number)
        as_json = call.log_format == "json"
        if not as_json:
            sys.stderr.write("\n")  # after the ^C that a terminal shows
        remark("stopping", "Stopping after the step in hand; once more to leave at once.", as_json=as_json)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked), lambda run, _: begun.append(run)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _waiting(call: Invocation, who: Holder | None) -> None:
    message = f"Waiting for the org's lock{f', held by {who}' if who else ''}."
    remark("lock_waiting", message, as_json=call.log_format == "json")


def _recovering(call: Invocation, dead: Sequence[Run]) -> None:
    for run in dead:
        who = f" by {run.facts.actor}" if run.facts.actor else ""
        message = f"Run {run.id}{who} was left open; looking up what became of its steps."
        remark("run_left_open", message, as_json=call.log_format == "json")
