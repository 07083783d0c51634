"""Implement `rolecall apply`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from rolecall.cli.console import stdout
from rolecall.cli.journals import check_journal, open_journal
from rolecall.cli.messages import Unwritten, tell
from rolecall.cli.options import Invocation
from rolecall.cli.planning import PlanFlags, lifting, read_and_plan, read_audit, targeting, whose
from rolecall.cli.program import command
from rolecall.cli.progress import progress
from rolecall.cli.running import arriving, recovering, stopping, waiting
from rolecall.cli.session import Session, now, read, session, wait_for
from rolecall.errors import ConfigError, Exit, Problem, Stale, Where

if TYPE_CHECKING:
    from rolecall.cli.approvals import ApprovalFlags
    from rolecall.desired.build import Config
    from rolecall.jobs.plan import PlanTarget
    from rolecall.live.port import Org
    from rolecall.model.run import Approval, RunReport
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
    "--arrival-timeout",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long to wait until groups that this apply pushes in Okta arrive in the org, so that it can map them. The "
    "default is 600, and 0 if the variable CI is set. A group that arrives later is mapped by the next apply.",
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
    arrival_timeout: float | None,
    journal_lost_ok: bool,
    metrics_file: Path | None,
    **flags: Any,
) -> Exit:
    """Apply a saved plan, or plan, ask for approval and apply.

    The org is read and planned again right before writing. If the result differs from the approved plan, nothing is
    written (exit code 5). Users are shown by name, or as counts if the variable CI is set.
    """
    from rolecall.cli.approvals import ApprovalFlags
    from rolecall.live.secrets import is_ci

    if call.snapshot is not None:
        raise click.UsageError("--snapshot cannot be used here, because apply writes to the org")
    plan_flags = PlanFlags(**flags)
    if plan is not None and any(plan_flags):
        raise click.UsageError(
            "--allow, --target, --exclude and --only cannot be used with a saved plan; make a new plan with them: "
            "rolecall plan --out FILE"
        )
    approval_flags = ApprovalFlags(auto_approve, approve, approval)
    if arrival_timeout is None:
        arrival_timeout = 0 if is_ci(call.environ) else ARRIVAL_TIMEOUT
    timeouts = Timeouts(lock_timeout, arrival_timeout)
    options = ApplyOptions(plan, plan_flags, approval_flags, parallelism, timeouts, journal_lost_ok)
    if metrics_file is None:
        return _applied(call, options, None)
    from rolecall.cli.measuring import measured

    return measured(call, "apply", metrics_file, partial(_applied, call, options))


ARRIVAL_TIMEOUT = 600.0
"""Seconds to wait for groups that Okta pushes, outside pipelines."""


class Timeouts(NamedTuple):
    """The seconds to wait at most: for the org's lock, and for pushed groups."""

    lock: float
    arrival: float


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """The options of `apply`: a saved plan, or options for a new one, and how to carry it out.

    ``begun`` gets the number of the run once it begins, which is before anything is written.
    """

    saved: Path | None
    plan_flags: PlanFlags
    approval_flags: ApprovalFlags
    parallelism: int
    timeouts: Timeouts
    journal_lost_ok: bool
    begun: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Approved:
    """A plan to be applied, and where it comes from."""

    plan: Plan
    target: PlanTarget
    caller: str | None = None


def _applied(call: Invocation, options: ApplyOptions, metrics: list[Metric] | None) -> Exit:
    from rolecall.cli.idp_writing import check_idp_target

    config = read(call)
    check_journal(call, config, lost_ok=options.journal_lost_ok)
    check_idp_target(call, config)
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
    for part in filter(None, (report, report.arrival)):
        document = run_document(part, plan.org.env)
        out.lines(partial(listing_lines, document))
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
    from rolecall.plan.commands import new_plan
    from rolecall.plan.saved.digest import document

    try:
        plan = read_plan(path)
    except Stale as error:
        edited = as_edited(path) if error.problems[0].code == "edited" else None
        if edited is None:
            raise
        planned = await read_and_plan(call, opened)
        raise Stale(*error.problems, *differences(document(edited), document(planned.plan))) from error
    if plan.what_if:
        message = "the plan supposes that users join or leave groups (--if), so it is never applied"
        raise Stale(Problem("what_if_plan", message, Where(str(path)), new_plan()))
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
    from rolecall.cli.idp_writing import idp_writing
    from rolecall.cli.output import redacted, shown
    from rolecall.jobs.apply import ApplyRequest, apply_approved

    async with AsyncExitStack() as stack:
        journal = stack.enter_context(open_journal(call, opened.config))
        idp_writer = await stack.enter_async_context(idp_writing(call, opened, approved.plan, journal))
        stop, began = stack.enter_context(stopping(call, options.begun))
        on_step = stack.enter_context(progress(call))
        return await apply_approved(
            ApplyRequest(
                approved=approved.plan,
                target=approved.target,
                org=cast("Org", opened.org),  # steps of an observed org are manual, so nothing is written to it
                people=opened.people,
                journal=journal,
                holder=holder(call),
                now=now,
                keep_days=opened.config.journal.keep_days,
                here=opened.config.desired,
                audit=read_audit(call, opened.config, journal),
                idp=opened.idp_side,
                idp_writer=idp_writer,
                facts=run_facts(call, opened.config, approved.caller),
                approvals=approvals,
                parallelism=options.parallelism,
                lock_timeout=options.timeouts.lock,
                arrival_timeout=options.timeouts.arrival,
                arriving=partial(arriving, call, options.timeouts.arrival),
                stop=stop,
                progress=on_step,
                waiting=partial(waiting, call),
                recovering=partial(recovering, call),
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
    from rolecall.apply.idp import unfinished

    if report.arrival is not None:
        return next((code for code in map(_exit, (replace(report, arrival=None), report.arrival)) if code), Exit.OK)
    run = report.run
    left = Exit.OK if report.open_run is None else Exit.HUMAN
    if any(map(unfinished, report.recovered)):
        return Exit.INCOMPLETE
    if run is None or run.outcome == "nothing":
        return left
    if run.outcome == "interrupted":
        return Exit.INTERRUPTED
    if run.outcome != "done":
        return Exit.INCOMPLETE
    return Exit.HUMAN if run.human else left
