"""Implement `rolecall drift`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.complete import addresses
from rolecall.cli.journals import check_journal, journal_url
from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation
from rolecall.cli.planning import lifting_when, lifts, plan_request, read_audit
from rolecall.cli.program import command, worst
from rolecall.cli.report_options import format_option, people_option, report_option, reports_option
from rolecall.cli.session import Session, day, read, session, wait_for
from rolecall.errors import Exit, Misuse, Problem

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.drift.value import DriftReport
    from rolecall.jobs.drift import DriftRequest, Drifts
    from rolecall.journal.port import Journal
    from rolecall.outside.metrics import Metric
    from rolecall.plan.saved.privacy import Shown


@command(
    "drift",
    "rolecall drift -e prod --detailed-exitcode",
    "rolecall drift -e prod --accept                     # update the files",
    "rolecall drift -e prod --revert --out revert.json   # save a plan",
    "rolecall drift -e prod --report markdown=drift.md --report sarif=drift.sarif",
    "rolecall drift --baseline git:main~5                # without a journal",
    exit_codes={
        Exit.OK: "Success. With --detailed-exitcode: no drift.",
        Exit.ERROR: "An error, or a notification could not be delivered.",
        Exit.CHANGES: "With --detailed-exitcode: there is drift, or a watched role has a new holder.",
        Exit.REFUSED: "The org violates min_org_admins or required_org_admins, or fails an access test; or with "
        "--accept or --revert, a guard blocks or a required approval is missing.",
        Exit.UNSEEN: "With --detailed-exitcode: no drift found, but not everything could be read, or no apply is "
        "recorded.",
    },
)
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if there is drift, 7 if the org could not be read completely or no apply is recorded. For "
    "scripts and pipelines.",
)
@click.option(
    "--include-unapplied",
    is_flag=True,
    help="Also count as drift what was changed in the configuration and is not applied yet.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="ADDRESS",
    shell_complete=addresses,
    help="Leave an address out of this check. Takes patterns. Repeatable. To ignore it always, use `ignore` in "
    "rolecall.yaml.",
)
@click.option(
    "--baseline",
    metavar="FILE|git:REF",
    help="Compare with a snapshot, a rolecall.yaml or a commit instead of the last apply. For use without a journal.",
)
@click.option(
    "--accept",
    is_flag=True,
    help="Change the configuration files to match the org, after the guards have checked the drift. Commit the result.",
)
@click.option("--revert", is_flag=True, help="Save a plan that undoes the drift. Requires --out.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File for the plan of --revert. Then: rolecall apply FILE.",
)
@click.option(
    "--approve",
    metavar="DIGEST",
    help="With --accept: approve, without a prompt, what guards require approval for. rolecall drift shows the digest.",
)
@lifting_when("With --accept. ")
@click.option(
    "--acknowledge",
    multiple=True,
    metavar="FINGERPRINT",
    help="Record that a drifted setting or a new holder of a watched role is known: until the next apply, it no longer "
    "affects the exit code and --notify. Fingerprints are in --format json. Requires --reason. Repeatable.",
)
@click.option(
    "--reason", metavar="TEXT", help="Why the findings of --acknowledge are acceptable. Recorded in the journal."
)
@click.option(
    "--notify",
    metavar="URL",
    help="Post each new and each cleared finding to a webhook, once. For Slack: slack:URL. Messages contain numbers of "
    "users, or names with --people names. Pass a secret URL in the variable ROLECALL_DRIFT_NOTIFY.",
)
@click.option(
    "--metrics-file",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write metrics of the check to a file, in Prometheus text format.",
)
@format_option
@reports_option
@people_option
def drift(call: Invocation, report: tuple[str, ...], **flags: Any) -> Exit:
    """Show changes made outside rolecall since the last apply.

    Says who made them and which users are affected. Nothing is written to the org. Without a record of an apply in the
    journal, drift cannot be determined.
    """
    options = DriftOptions(**flags)
    if options.revert != (options.out is not None):
        raise click.UsageError("--revert and --out FILE must be used together: --revert saves a plan to FILE")
    if options.revert and options.accept:
        raise click.UsageError(
            "use either --accept, which changes the configuration, or --revert, which changes the org"
        )
    if options.approve and not options.accept:
        raise click.UsageError("--approve is for --accept only; a plan of --revert is approved when it is applied")
    if options.allow and not (options.accept or options.revert):
        raise click.UsageError("--allow is for --accept and --revert only")
    if bool(options.acknowledge) != bool((options.reason or "").strip()):
        raise click.UsageError("--acknowledge FINGERPRINT and --reason TEXT must be used together")
    if options.acknowledge and (options.baseline or call.snapshot or options.accept or options.revert):
        raise click.UsageError("--acknowledge cannot be combined with --baseline, --snapshot, --accept or --revert")
    return check_for_drift(call, replace(options, reports=tuple(map(report_option, report))))


@dataclass(frozen=True, slots=True)
class DriftOptions:
    """The options of `drift`. ``baseline`` is compared with instead of what the journal recorded."""

    form: str = "text"
    reports: tuple[tuple[str, Path], ...] = ()
    people: Shown | None = None
    detailed_exitcode: bool = False
    include_unapplied: bool = False
    ignore: tuple[str, ...] = ()
    baseline: str | None = None
    accept: bool = False
    revert: bool = False
    out: Path | None = None
    approve: str | None = None
    allow: tuple[str, ...] = ()
    notify: str | None = None
    metrics_file: Path | None = None
    acknowledge: tuple[str, ...] = ()
    reason: str | None = None


def check_for_drift(call: Invocation, options: DriftOptions) -> Exit:
    """Run `drift` with all its outputs and return the exit code."""
    if options.metrics_file is None:
        return _check(call, options, None)
    from rolecall.cli.measuring import measured

    return measured(call, "drift", options.metrics_file, partial(_check, call, options))


def _check(call: Invocation, options: DriftOptions, metrics: list[Metric] | None) -> Exit:
    if options.notify is not None:
        from rolecall.outside.notices import check

        check(options.notify)
    config = read(call)
    if call.snapshot is None and options.baseline is None:
        check_journal(call, config)
    with _journal(call, config, options) as journal:
        return wait_for(_run(call, config, options, journal, metrics))


async def _run(
    call: Invocation, config: Config, options: DriftOptions, journal: Journal | None, metrics: list[Metric] | None
) -> Exit:
    from rolecall.cli.drift_sides import accept_drift, acknowledge_findings, revert_drift, say_nothing_to_accept
    from rolecall.cli.output import show_drift, write_drift_reports

    begun = monotonic()
    checked = await _checked(call, config, options, journal)
    if options.acknowledge and journal is not None:
        checked = acknowledge_findings(call, config, journal, checked, options.acknowledge, options.reason or "")
    report = checked.drift_result.report
    if journal is not None:
        _remember(call, config, journal, checked)
    write_drift_reports(call, config, report, options.reports, options.people)
    show_drift(call, config, report, options.form, options.people, reverts=options.revert)
    _tell_shallow(call, config, report)
    if metrics is not None:
        metrics += _metrics(call, config, journal, report, monotonic() - begun)
    left = _tell(call, config, options, journal, report)
    if options.accept:
        if report.drifts:
            return worst(left, accept_drift(call, config, checked, options.approve))
        say_nothing_to_accept(call, report)
    if options.out:
        text = options.form == "text"
        left = worst(left, revert_drift(call, config, report, options.out, options.people, text=text))
    return worst(left, drift_exit(report, detailed=options.detailed_exitcode))


def _tell_shallow(call: Invocation, config: Config, report: DriftReport) -> None:
    """Warn if the authors of lines are unknown because the clone is shallow."""
    from rolecall.outside.git import UNSHALLOW, is_shallow
    from rolecall.report.phrases import count

    unknown = sum(entry.source is not None and entry.address not in report.written for entry in report.entries)
    if unknown and is_shallow(config.root):
        message = f"this clone is shallow, so the authors of {count(unknown, 'line')} of the configuration are unknown"
        problem = Problem("git_shallow", message, None, UNSHALLOW, "warning")
        tell([problem], as_json=call.log_format == "json", color=call.color)


async def _checked(call: Invocation, config: Config, options: DriftOptions, journal: Journal | None) -> Drifts:
    """Read the org and compare. The requests of all reads are counted."""
    from rolecall.jobs.drift import check_drift
    from rolecall.live.port import ReadCounter

    async with session(call, config) as opened:
        checked = await check_drift(_request(call, config, options, opened, journal))
        requests = opened.org.reads if isinstance(opened.org, ReadCounter) else checked.drift_result.report.requests
    return replace(
        checked,
        drift_result=replace(checked.drift_result, report=replace(checked.drift_result.report, requests=requests)),
    )


def _metrics(
    call: Invocation, config: Config, journal: Journal | None, report: DriftReport, seconds: float
) -> Iterator[Metric]:
    from rolecall.cli.measuring import common_metrics
    from rolecall.jobs.metrics import apply_metrics, drift_metrics

    applies = () if journal is None else journal.runs(report.org.id, 1, ("apply", "rollback"))
    yield from drift_metrics(report, seconds)
    yield from apply_metrics(next(iter(applies), None), report.org)
    yield from common_metrics(call, config, journal, report.org)


def _tell(
    call: Invocation, config: Config, options: DriftOptions, journal: Journal | None, report: DriftReport
) -> Exit:
    if options.notify is None:
        return Exit.OK
    return notify(call, config, journal, report, options.notify, options.people)


def _request(
    call: Invocation, config: Config, options: DriftOptions, opened: Session, journal: Journal | None
) -> DriftRequest:
    from rolecall.jobs.drift import DriftRequest
    from rolecall.jobs.memory import DriftMemory, WatchBaseline
    from rolecall.live.port import Audit
    from rolecall.outside.git import authors

    baseline = None if options.baseline is None else WatchBaseline(config, options.baseline, day(call))
    planning = plan_request(call, opened)
    target = planning.target._replace(command=_command(config, options))
    reader = read_audit(call, config, journal)
    return DriftRequest(
        planning=planning._replace(
            target=target,
            lifts=lifts(options.allow),
            audit=reader,
        ),
        memory=DriftMemory(journal, baseline),
        audit=opened.org if isinstance(opened.org, Audit) else None,
        exported=None if reader is None else reader.since,
        writer="" if reader is None else reader.target.writer,
        authors=partial(authors, config.root),
        ignore=options.ignore,
        include_unapplied=options.include_unapplied,
    )


def _command(config: Config, options: DriftOptions) -> str:
    """Return the command that makes the same check again, for the plans that it makes."""
    from rolecall.model.paste import shell_word

    flags = [
        ("-e", config.env),
        *(("--ignore", address) for address in options.ignore),
        ("--baseline", options.baseline),
    ]
    arguments = [f"{flag} {shell_word(value)}" for flag, value in flags if value]
    return " ".join(["rolecall drift", *arguments, *(["--include-unapplied"] if options.include_unapplied else [])])


def _remember(call: Invocation, config: Config, journal: Journal, checked: Drifts) -> None:
    from rolecall.cli.facts import run_facts
    from rolecall.jobs.memory import forget_old, keep_first_roster, record_reading, watch_from

    report, org_id = checked.drift_result.report, checked.drift_result.report.org.id
    caller = checked.drift_scan.plan_input.live.facts.caller.email
    facts = run_facts(call, config, caller)
    message = _outcome(report)
    record_reading(journal, org_id, "drift", facts, report.sighting, message)
    keep_first_roster(journal, org_id, checked.drift_result.roster)
    if report.sighting is not None and report.sighting.complete:
        watch_from(journal, org_id, report.at, first=True)
    forget_old(journal, org_id, report.at, config.journal.keep_days)


def _outcome(report: DriftReport) -> str:
    """Return the closing line of a check, for the journal."""
    from rolecall.drift.value import UNDETERMINED
    from rolecall.report.phrases import count

    if report.drifts:
        return f"{count(len(report.drifts), 'setting')} changed outside rolecall"
    if not report.determined:
        return UNDETERMINED
    return "no drift in what was read" if report.unread or report.outdated else "no drift"


@contextmanager
def _journal(call: Invocation, config: Config, options: DriftOptions) -> Iterator[Journal | None]:
    """Open the journal, creating it if needed; with a baseline, only if it exists. Yield None for a snapshot."""
    from rolecall.journal.opened import find_journal, open_journal

    if call.snapshot is not None:
        yield None
        return
    opened = partial(find_journal, writes=True) if options.baseline else open_journal
    journal = opened(journal_url(call, config), config.root)
    try:
        yield journal
    finally:
        if journal is not None:
            journal.close()


def drift_exit(report: DriftReport, *, detailed: bool) -> Exit:
    """Return the exit code of a check.

    It is 3 if a policy limit or an access test fails; with ``detailed`` 2 for drift, 7 if drift is wholly or partially
    unknown.
    """
    codes = [Exit.REFUSED] if any(alarm.kind != "watch" for alarm in report.alarms) else []
    if detailed and (report.drifts or report.alarms):
        codes.append(Exit.CHANGES)
    elif detailed and (report.unread or report.outdated or report.observed or not report.determined):
        codes.append(Exit.UNSEEN)
    return worst(*codes)


def notify(
    call: Invocation, config: Config, journal: Journal | None, report: DriftReport, url: str, people: Shown | None
) -> Exit:
    """Post new and cleared findings to a webhook, once. Users are counted unless `--people` or the config names them.

    Return 1 if the notification could not be delivered; the next check then posts it.
    """
    from rolecall.cli.output import redacted_drift
    from rolecall.jobs.drift import news, note_of, notified
    from rolecall.live.http.proxies import ProxyProblemError, connection
    from rolecall.outside.notices import NotDelivered, Notice, post
    from rolecall.report.builders.notice import notice_document, notice_text

    if journal is None:
        hint = f"leave out {'--snapshot' if call.snapshot is not None else '--baseline, which creates no journal'}"
        message = "--notify requires a journal, which records what was already posted"
        raise Misuse(Problem("notify", message, None, hint))
    found_news = news(report, notified(journal, report.org.id, url))
    if found_news.any:
        mode: Shown = people or config.reports_people or "counts"
        shown = redacted_drift(call, config, report, mode)
        new = [*(entry.fingerprint for entry in found_news.drifts), *(alarm.fingerprint for alarm in found_news.alarms)]
        notice = Notice(notice_text(shown, new, found_news.cleared), notice_document(shown, new, found_news.cleared))
        try:
            proxy, trusted = connection(url.removeprefix("slack:"), environment=True)
            post(url, notice, proxy=proxy, trusted=trusted)
        except ProxyProblemError as error:
            message = f"the notification was not delivered: {error.problem.message}"
            tell([error.problem._replace(message=message)], as_json=call.log_format == "json", color=call.color)
            return Exit.ERROR
        except NotDelivered as error:
            tell(error.problems, as_json=call.log_format == "json", color=call.color)
            return Exit.ERROR
    journal.keep(report.org.id, note_of(url), dict(found_news.now) or None)
    return Exit.OK
