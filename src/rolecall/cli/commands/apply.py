"""Implement `rolecall apply`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, cast

import click

from rolecall.cli.console import stdout
from rolecall.cli.journals import check_journal, open_journal
from rolecall.cli.messages import Unwritten, remark, tell
from rolecall.cli.options import Invocation
from rolecall.cli.planning import PlanFlags, lifting, read_and_plan, read_audit, targeting, whose
from rolecall.cli.program import command
from rolecall.cli.progress import progress
from rolecall.cli.session import Session, now, read, session, wait_for
from rolecall.errors import ConfigError, Exit, Problem, Stale, Where

if TYPE_CHECKING:
    from rolecall.cli.approvals import ApprovalFlags
    from rolecall.desired.build import Config
    from rolecall.jobs.plan import PlanTarget
    from rolecall.journal.port import Holder
    from rolecall.live.port import Org
    from rolecall.model.run import Approval, Run, RunReport
    from rolecall.outside.metrics import Metric
    from rolecall.plan.value import Plan


@command(
    "apply",
    "rolecall apply -e prod                                    # plan, ask, apply",
    "rolecall apply -e prod plan.json --approve 9f3c-1a77-20bd-4e55",
    "rolecall apply -e prod --auto-approve --only expired",
    arguments={
        "plan": "A plan saved by rolecall plan --out. Without it, rolecall plans, asks and applies. --allow, --target, "
        "--exclude and --only are for the latter."
    },
    exit_codes={
        Exit.OK: "Applied, or nothing to do.",
        Exit.ERROR: "An error, or you declined at the prompt.",
        Exit.REFUSED: "A guard blocks, an access test fails, or a required approval is missing. Nothing was written.",
        Exit.INCOMPLETE: "Some steps were not completed. To continue: rolecall apply. To go back: rolecall rollback "
        "RUN.",
        Exit.STALE: "The plan is out of date, expired, edited or for another org, or the digest is another plan's. "
        "Nothing was written.",
        Exit.HUMAN: "Applied, but manual steps are left: rolecall runbook RUN.",
        Exit.USAGE: "Wrong usage, or approval is required and there is no terminal to ask.",
        Exit.INTERRUPTED: "Interrupted. A step that was being written was completed first.",
    },
)
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@click.option(
    "--auto-approve",
    is_flag=True,
    help="Do not ask for approval. If a guard requires approval, apply exits with 3.",
)
@click.option(
    "--approve",
    metavar="DIGEST",
    help="Approve the plan with this digest, including what guards require approval for. rolecall plan shows the "
    "digest. Any other plan is refused with exit code 5. In CI, this also needs --approval.",
)
@click.option(
    "--approval",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="JSON file of approvals given in another system, such as a pull request. The pipeline of rolecall init --ci "
    "writes it. A list of objects: by (a name or email), at (a time such as 2030-01-31T09:00:00Z), url, source (a text "
    "such as 'pull request'); optional: commit (the approved commit, if it is not the current one), pushed_at.",
)
@lifting
@targeting
@click.option(
    "--parallelism",
    type=click.IntRange(1, 64),
    metavar="N",
    default=8,
    show_default=True,
    help="How many steps may be written at the same time, 1 to 64, where their order allows it.",
)
@click.option(
    "--lock-timeout",
    type=click.FloatRange(0),
    default=0,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait if another run holds the org's lock.",
)
@click.option(
    "--journal-lost-ok",
    is_flag=True,
    help="In CI, apply even though the journal is a file that is lost with the runner.",
)
@click.option(
    "--metrics-file",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write metrics of the run to a file, in Prometheus text format.",
)
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
    """Apply a saved plan, or plan, ask for approval and apply.

    The org is read and planned again right before writing. If the result differs from the approved plan, nothing is
    written (exit code 5). Users are shown by name, or as counts if the variable CI is set.
    """
    from rolecall.cli.approvals import ApprovalFlags

    if call.snapshot is not None:
        raise click.UsageError("--snapshot cannot be used here, because apply writes to the org")
    plan_flags = PlanFlags(**flags)
    if plan is not None and any(plan_flags):
        raise click.UsageError(
            "--allow, --target, --exclude and --only cannot be used with a saved plan; make a new plan with them: "
            "rolecall plan --out FILE"
        )
    approval_flags = ApprovalFlags(auto_approve, approve, approval)
    options = ApplyOptions(plan, plan_flags, approval_flags, parallelism, lock_timeout, journal_lost_ok)
    if metrics_file is None:
        return _applied(call, options, None)
    from rolecall.cli.measuring import measured

    return measured(call, "apply", metrics_file, partial(_applied, call, options))


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """The options of `apply`: a saved plan, or options for a new one, and how to carry it out.

    ``begun`` gets the number of the run once it begins, which is before anything is written.
    """

    saved: Path | None
    plan_flags: PlanFlags
    approval_flags: ApprovalFlags
    parallelism: int
    lock_timeout: float
    journal_lost_ok: bool
    begun: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan to be applied, and where it comes from."""

    plan: Plan
    target: PlanTarget
    caller: str | None = None


def _applied(call: Invocation, options: ApplyOptions, metrics: list[Metric] | None) -> Exit:
    config = read(call)
    check_journal(call, config, lost_ok=options.journal_lost_ok)
    try:
        return wait_for(_apply(call, config, options, metrics))
    except KeyboardInterrupt as error:
        if options.begun:
            raise
        raise Unwritten from error


async def _apply(call: Invocation, config: Config, options: ApplyOptions, metrics: list[Metric] | None) -> Exit:
    from rolecall.cli.applied_plans import applied_before, show_before_apply
    from rolecall.cli.approvals import refuse_blocked
    from rolecall.cli.open_runs import recorded_before
    from rolecall.model.run import RunReport
    from rolecall.report.builders.runs import run_document
    from rolecall.report.renderers.listing import listing_lines

    async with session(call, config) as opened:
        saved = options.saved
        approved = await _saved(call, opened, saved) if saved else await _fresh(call, opened, options.plan_flags)
        plan = approved.plan
        out = stdout(call.environ, color=call.color)
        flags = options.approval_flags
        earlier = await applied_before(call, opened, plan) if saved else recorded_before(plan)
        if earlier is None or not saved:
            show_before_apply(call, out, opened, plan, saved, known=flags.digest is not None)
        sys.stdout.flush()
        if plan.errored:
            raise ConfigError(*(item for item in plan.warnings if item.severity == "error"))
        refuse_blocked(plan)
        if earlier is not None and flags.asks:
            report = RunReport(None, notes=earlier.notes)
        else:
            approvals = _approvals(call, config, approved, flags)
            report = await _run(call, opened, approved, approvals, options)
    out.lines(lambda width: listing_lines(run_document(report, plan.org.env), width))
    if metrics is not None:
        metrics += _metrics(call, config, report, plan)
    if report.problems:
        sys.stdout.flush()
        tell(report.problems, as_json=call.log_format == "json", color=call.color)
    return Exit.HUMAN if report.run is None and earlier is not None and earlier.manual else _exit(report)


def _metrics(call: Invocation, config: Config, report: RunReport, plan: Plan) -> Iterator[Metric]:
    from rolecall.cli.measuring import common_metrics
    from rolecall.jobs.metrics import apply_metrics, pending_metric

    yield from apply_metrics(report.run, plan.org)
    yield pending_metric(len(report.waiting), plan.coverage, plan.org)
    with open_journal(call, config) as journal:
        yield from common_metrics(call, config, journal, plan.org)


def _approvals(
    call: Invocation, config: Config, approved: Approved, approval_flags: ApprovalFlags
) -> tuple[Approval, ...]:
    """Return the approvals to record; none if the plan needs none. A digest of another plan is an error anyway."""
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
    """Return the plan in a file. An edited one is refused, with how it differs from a new plan."""
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
        message = f"the plan was made {_env_words(plan.org.env)}, but this command runs {_env_words(opened.config.env)}"
        raise Stale(Problem("other_env", message, Where(str(path)), _env_hint(plan)))
    return Approved(plan, from_plan(plan), await _caller(opened, plan))


async def _check_org(opened: Session, plan: Plan, where: Where) -> None:
    """Raise Stale, naming both orgs, for a plan of another org.

    The org is read only if the configuration and the plan name it differently; an apply compares IDs in any case.
    """
    from rolecall.plan.commands import new_plan
    from rolecall.plan.saved.summary import other_org_words

    org = opened.config.org
    if (plan.org.name, plan.org.url, plan.org.env) == (org.name, org.url, opened.config.env):
        return
    facts = (await opened.org.read(frozenset())).facts
    if facts.org_id != plan.org.id:
        message = other_org_words(plan.org, facts.org_id, org.name)
        hint = new_plan(plan) if plan.org.env == opened.config.env else _env_hint(plan)
        raise Stale(Problem("other_org", message, where, hint))


def _env_words(env: str | None) -> str:
    return f"with --env {env}" if env else "without --env"


def _env_hint(plan: Plan) -> str:
    return f"use --env {plan.org.env}" if plan.org.env else "leave out --env"


async def _caller(opened: Session, plan: Plan) -> str | None:
    """Return the user that the org knows the token as. It is read only if that user's own approval would not count."""
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

    with (
        open_journal(call, opened.config) as journal,
        _stopping(call, options.begun) as (stop, began),
        progress(call) as on_step,
    ):
        return await apply_approved(
            ApplyRequest(
                approved=approved.plan,
                target=approved.target,
                org=cast("Org", opened.org),  # an observed org has manual steps only, so nothing is written to it
                people=opened.people,
                journal=journal,
                holder=holder(call),
                now=now,
                keep_days=opened.config.journal.keep_days,
                here=opened.config.desired,
                audit=read_audit(call, opened.config, journal),
                idp=opened.idp_side,
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
    left = Exit.OK if report.open_run is None else Exit.HUMAN
    if run is None or run.outcome == "nothing":
        return left
    if run.outcome == "interrupted":
        return Exit.INTERRUPTED
    if run.outcome != "done":
        return Exit.INCOMPLETE
    return Exit.HUMAN if run.human else left


@contextmanager
def _stopping(call: Invocation, begun: list[int]) -> Iterator[tuple[Callable[[], bool], Callable[[int, int], None]]]:
    """Handle Ctrl-C. Yield a function that says whether to stop, and one to call when the run begins.

    In a run the first Ctrl-C completes the current step and the second one ends the program; before the run there is
    nothing to complete.
    """
    requests: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
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


def _waiting(call: Invocation, who: Holder | None) -> None:
    message = f"Waiting for the org's lock{f', held by {who}' if who else ''}."
    remark("lock_waiting", message, as_json=call.log_format == "json")


def _recovering(call: Invocation, dead: Sequence[Run]) -> None:
    for run in dead:
        who = f" by {run.facts.actor}" if run.facts.actor else ""
        message = f"Run {run.id}{who} did not end; checking which of its steps were written."
        remark("run_left_open", message, as_json=call.log_format == "json")
