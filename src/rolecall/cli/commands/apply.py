"""`rolecall apply`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import click

from rolecall.cli.console import Console, stderr, stdout
from rolecall.cli.journals import check_journal, open_journal
from rolecall.cli.messages import as_object, remark, tell
from rolecall.cli.options import Invocation
from rolecall.cli.planning import PlanFlags, lifting, read_and_plan, targeting, whose
from rolecall.cli.program import command
from rolecall.cli.session import Session, now, read, session, wait_for
from rolecall.errors import ConfigError, Exit, Problem, Stale, Where

if TYPE_CHECKING:
    from rolecall.apply.steps import Progress
    from rolecall.cli.approvals import ApprovalFlags
    from rolecall.desired.build import Config
    from rolecall.jobs.plan import PlanTarget
    from rolecall.journal.port import Holder
    from rolecall.live.port import Org
    from rolecall.model.run import Approval, Run, RunReport
    from rolecall.outside.metrics import Metric
    from rolecall.plan.value import Plan
    from rolecall.report.line import Style

    Told = Callable[[Progress], None]


@command(
    "apply",
    "rolecall apply -e prod                                    # plan, ask, apply",
    "rolecall apply -e prod plan.json --approve 9f3c-1a77-20bd-4e55",
    "rolecall apply -e prod --auto-approve --only expired",
)
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@click.option("--auto-approve", is_flag=True, help="Do not ask. Guards that want a review still stop it.")
@click.option("--approve", metavar="DIGEST", help="Approve the plan with this digest, reviews included.")
@click.option("--approval", type=click.Path(path_type=Path), metavar="FILE", help="Recorded approvals, as JSON.")
@lifting
@targeting
@click.option("--parallelism", type=click.IntRange(1, 64), default=8, show_default=True, help="Writes side by side.")
@click.option("--lock-timeout", type=click.FloatRange(0), default=0, metavar="SECONDS", help="Wait for the lock.")
@click.option("--journal-lost-ok", is_flag=True, help="With CI set: apply though the journal dies with the runner.")
@click.option("--metrics-file", type=click.Path(path_type=Path), metavar="PATH", help="Write metrics there.")
def apply(
    call: Invocation,
    plan: Path | None,
    auto_approve: bool,
    approve: str | None,
    approval: Path | None,
    parallelism: int,
    lock_timeout: float,
    journal_lost_ok: bool,
    metrics_file: Path | None,
    **flags: Any,
) -> Exit:
    """Carry out exactly the saved plan, or plan, ask, apply.

    Before anything is written the org is read afresh and planned again; what no longer fits is refused with 5.
    """
    from rolecall.cli.approvals import ApprovalFlags

    if call.snapshot is not None:
        raise click.UsageError("apply writes to the org, so it does not go with --snapshot")
    plan_flags = PlanFlags(**flags)
    if plan is not None and any(plan_flags):
        raise click.UsageError("a saved plan is applied as it is: no --allow, --target, --exclude or --only")
    approval_flags = ApprovalFlags(auto_approve, approve, approval)
    options = ApplyOptions(plan, plan_flags, approval_flags, parallelism, lock_timeout, journal_lost_ok)
    if metrics_file is None:
        return _applied(call, options, None)
    from rolecall.cli.measuring import measured

    return measured(call, "apply", metrics_file, partial(_applied, call, options))


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What `apply` was asked for: a saved plan, or flags for one that is made now; and how to carry it out."""

    saved: Path | None
    plan_flags: PlanFlags
    approval_flags: ApprovalFlags
    parallelism: int
    lock_timeout: float
    journal_lost_ok: bool


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan that somebody wants carried out, and where it came from."""

    plan: Plan
    target: PlanTarget
    caller: str | None = None


def _applied(call: Invocation, options: ApplyOptions, metrics: list[Metric] | None) -> Exit:
    config = read(call)
    check_journal(call, config, lost_ok=options.journal_lost_ok)
    return wait_for(_apply(call, config, options, metrics))


async def _apply(call: Invocation, config: Config, options: ApplyOptions, metrics: list[Metric] | None) -> Exit:
    from rolecall.cli.approvals import refuse_blocked
    from rolecall.cli.output import redacted, show_plan, shown
    from rolecall.report.builders.runs import run_document
    from rolecall.report.renderers.listing import listing_lines

    async with session(call, config) as opened:
        saved = options.saved
        approved = await _saved(call, opened, saved) if saved else await _fresh(call, opened, options.plan_flags)
        plan = approved.plan
        out = stdout(call.environ, color=call.color)
        mode = shown(call, None, config.reports_people, terminal=out.terminal)
        known_digest = options.approval_flags.digest is not None and not _refused(plan)
        show_plan(out, redacted(call, plan, mode, config.root), brief=known_digest, verbose=call.verbosity > 0)
        sys.stdout.flush()
        if plan.errored:
            raise ConfigError(*(item for item in plan.warnings if item.severity == "error"))
        refuse_blocked(plan)
        approvals = _approvals(call, config, approved, options.approval_flags)
        report = await _run(call, opened, approved, approvals, options)
    out.lines(lambda width: listing_lines(run_document(report, plan.org.env), width))
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


def _approvals(
    call: Invocation, config: Config, approved: Approved, approval_flags: ApprovalFlags
) -> tuple[Approval, ...]:
    """Return the approvals to record; none where the plan needs none. A wrong digest is an error all the same."""
    from rolecall.cli.approvals import consent
    from rolecall.cli.known_plans import differs_from
    from rolecall.plan.saved.summary import needs_approval

    plan = approved.plan
    if needs_approval(plan) or approval_flags.digest is not None:
        try:
            return consent(call, plan, approval_flags, approved.caller)
        except Stale as error:
            raise Stale(*error.problems, *differs_from(call, config, approval_flags.digest or "", plan)) from error
    return ()


async def _saved(call: Invocation, opened: Session, path: Path) -> Approved:
    """The plan in a file. An edited one is refused, with how it differs from what the config gives now."""
    from rolecall.jobs.plan import from_plan
    from rolecall.jobs.saved import as_edited, differences, read_plan
    from rolecall.plan.saved.digest import document

    try:
        plan = read_plan(path)
    except Stale as error:
        edited = as_edited(path) if error.problems[0].code == "edited" else None
        if edited is None:
            raise
        planned = await read_and_plan(call, opened)
        raise Stale(*error.problems, *differences(document(edited), document(planned.plan))) from error
    await _check_org(opened, plan, Where(str(path)))
    if plan.org.env != opened.config.env:
        message = f"the plan is for the environment {plan.org.env or '(none)'}, not {opened.config.env or '(none)'}"
        raise Stale(
            Problem("other_env", message, Where(str(path)), f"say --env {plan.org.env}" if plan.org.env else None)
        )
    return Approved(plan, from_plan(plan), await _caller(opened, plan))


async def _check_org(opened: Session, plan: Plan, where: Where) -> None:
    """Raise Stale, naming both orgs, for a plan of another org. The org is asked only where the configuration differs
    from the plan in what names it; an apply compares ids in any case."""
    from rolecall.plan.saved.summary import other_org_words

    org = opened.config.org
    if (plan.org.name, plan.org.url, plan.org.env) == (org.name, org.url, opened.config.env):
        return
    facts = (await opened.org.read(frozenset())).facts
    if facts.org_id != plan.org.id:
        message = other_org_words(plan.org, facts.org_id, org.name)
        raise Stale(Problem("other_org", message, where, "apply a plan that was made with this configuration"))


async def _caller(opened: Session, plan: Plan) -> str | None:
    """Whom the org takes us for; asked only where it matters, which is where our own approval would not count."""
    if not any(guard.name == "approval" and guard.limit == "other_person" for guard in plan.guards):
        return None
    return (await opened.org.read(frozenset())).facts.caller.email


async def _fresh(call: Invocation, opened: Session, flags: PlanFlags) -> Approved:
    from rolecall.jobs.plan import from_config

    planned = await read_and_plan(call, opened, flags)
    return Approved(planned.plan, from_config(opened.config), planned.live.facts.caller.email)


async def _run(
    call: Invocation, opened: Session, approved: Approved, approvals: tuple[Approval, ...], options: ApplyOptions
) -> RunReport:
    from rolecall.cli.facts import holder, run_facts
    from rolecall.cli.output import redacted, shown
    from rolecall.jobs.apply import ApplyRequest, apply_approved

    with open_journal(call, opened.config) as journal, _stopping(call) as (stop, began), progress(call) as on_step:
        return await apply_approved(
            ApplyRequest(
                approved=approved.plan,
                target=approved.target,
                org=cast("Org", opened.org),  # to an observed one, which nobody writes to, no step is sent
                people=opened.people,
                journal=journal,
                holder=holder(call),
                now=now,
                keep_days=opened.config.journal.keep_days,
                here=opened.config.desired,
                facts=run_facts(call, opened.config, approved.caller),
                approvals=approvals,
                parallelism=options.parallelism,
                lock_timeout=options.lock_timeout,
                stop=stop,
                progress=on_step,
                waiting=partial(_waiting, call),
                recovering=partial(_recovering, call),
                began=began,
                whose=whose(call, opened.config),
                kind="rollback" if _goes_back(approved.plan) else "apply",
                redact=lambda plan: redacted(
                    call, plan, shown(call, None, opened.config.reports_people, terminal=False), opened.config.root
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
    requests: list[int] = []
    begun: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if requests or not begun:
            raise KeyboardInterrupt
        requests.append(number)
        as_json = call.log_format == "json"
        if not as_json:
            sys.stderr.write("\n")  # after the ^C that a terminal shows
        remark("stopping", "Stopping after the step in hand; once more to leave at once.", as_json=as_json)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(requests), lambda run, _: begun.append(run)
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


@contextmanager
def progress(call: Invocation) -> Iterator[Told]:
    """What to call whenever a step has ended. With `-q` only steps that went wrong are told."""
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
def _bar(err: Console) -> Iterator[Told]:
    """A bar that goes away when the run has ended; steps that went wrong stay above it."""
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
