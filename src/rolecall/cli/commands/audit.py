"""Implement `rolecall audit`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.complete import addresses, people
from rolecall.cli.console import Console, stdout
from rolecall.cli.messages import tell
from rolecall.cli.options import DAY, Invocation
from rolecall.cli.program import command
from rolecall.cli.report_options import people_option, some_formats
from rolecall.errors import ConfigError, Exit, Problem, RolecallError

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.journal.port import Journal
    from rolecall.model.audit import AuditLog, AuditRecord
    from rolecall.model.target import AuditTarget
    from rolecall.plan.saved.privacy import Shown, Veil

    ReadLog = Callable[[datetime], Awaitable[AuditLog]]

POLL = 30.0
"""Seconds between two readings with `--follow`."""


@command(
    "audit",
    "rolecall audit -e prod --since 2026-11-01",
    "rolecall audit --address 'domains/*' --by ann@acme.com",
    "rolecall audit --format csv > changes.csv",
    "rolecall audit --shape        # without values, to report unknown records",
    exit_codes={
        Exit.OK: "Success.",
        Exit.ERROR: "An error, or the audit log could not be read; stored records are listed.",
        Exit.UNSEEN: "The audit log could only be partially read, or records may be missing in the period.",
    },
)
@click.option(
    "--since",
    type=DAY,
    metavar="DATE",
    help="List records from this day on, YYYY-MM-DD, UTC. Default: all that are kept.",
)
@click.option(
    "--address",
    metavar="ADDRESS",
    shell_complete=addresses,
    help="List only records about an address: sso, domains, domains/acme.com, users or teams. Takes patterns.",
)
@click.option("--by", metavar="ACTOR", shell_complete=people, help="List only records of this user. Takes patterns.")
@click.option(
    "--raw", is_flag=True, help="Print records as received, one JSON object per line. Users are shown by name."
)
@click.option(
    "--shape",
    is_flag=True,
    help="Print the keys, types and lengths of records instead of their values, to report a form that is not "
    "recognized; also of a page in which no records are found.",
)
@click.option("--follow", is_flag=True, help="Keep reading and print new records until interrupted.")
@some_formats("text", "json", "csv", meaning="Format on stdout. With --follow, json is one object per line.")
@people_option
def audit(call: Invocation, **flags: Any) -> Exit:
    """Show the audit log: who changed what in the console.

    Of an observed org, and of one with `audit` in the configuration, that is WRITER's own log; records are stored in
    the journal. Otherwise it is the org's own log. Not every kind of change is logged.
    """
    options = AuditOptions(**flags)
    if options.raw and options.shape:
        raise click.UsageError("use either --raw or --shape")
    if (options.raw or options.shape) and options.form != "text":
        raise click.UsageError("--raw and --shape print JSON and cannot be combined with --format")
    from rolecall.cli.session import read, wait_for

    config = read(call)
    if config.audit is None and config.org.kind == "observed":
        hint = "add `audit: {writer: ORG_ID, token: {env: WRITER_AUDIT_KEY}}`; see docs/howto/audit.md"
        raise ConfigError(Problem("no_audit", "the configuration names no audit log for this org", None, hint))
    return wait_for(_show(call, config, options))


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """The options of `audit`."""

    since: datetime | None = None
    address: str | None = None
    by: str | None = None
    raw: bool = False
    shape: bool = False
    follow: bool = False
    form: str = "text"
    people: Shown | None = None

    def selects(self, record: AuditRecord, since: datetime) -> bool:
        """Return whether a record is to be shown."""
        from fnmatch import fnmatchcase

        from rolecall.jobs.audit import about

        if record.at is not None and record.at < since:
            return False
        if self.by is not None and not fnmatchcase(record.actor.casefold(), self.by.casefold()):
            return False
        return self.address is None or about(self.address, record)


async def _show(call: Invocation, config: Config, options: AuditOptions) -> Exit:
    """Print the records, and with `--follow` those that come."""
    from rolecall.cli.session import now
    from rolecall.jobs.audit import check_address
    from rolecall.jobs.own_log import OWN_DAYS

    since = now() - timedelta(days=config.audit.keep_days if config.audit else OWN_DAYS)
    if options.since is not None:
        since = options.since.replace(tzinfo=UTC)
    with _log_of(call, config) as read_log:
        log = await read_log(since)
        if options.address is not None:
            check_address(options.address, log)
        records = [record for record in log.records if options.selects(record, since)]
        out, veil = stdout(call.environ, color=call.color), _veil(call, config, options)
        if options.form == "json" and options.follow:
            _print_new(out, options, records, veil)
        else:
            _print(out, config, options, log, records, veil)
        code = _report(call, log, since)
        if options.follow:
            await _follow(call, options, read_log, log, veil)
    return code


@contextmanager
def _log_of(call: Invocation, config: Config) -> Iterator[ReadLog]:
    """Yield what reads the log: WRITER's, with the records stored in the journal, or the org's own."""
    target = config.audit
    if target is None or call.snapshot is not None:
        yield lambda since: _own(call, config, since)
        return
    from rolecall.cli.journals import open_journal

    with open_journal(call, config) as journal:
        yield partial(_of_writer, call, config, target, journal)


async def _of_writer(
    call: Invocation, config: Config, target: AuditTarget, journal: Journal, since: datetime
) -> AuditLog:
    """Return WRITER's log, and record which manual steps it confirms."""
    from rolecall.cli.audit_log import confirm_steps, read_audit
    from rolecall.cli.session import now, session
    from rolecall.jobs.confirm import has_unconfirmed

    log = await read_audit(call, config, target, journal.audit, since)
    if not has_unconfirmed(journal, target, now()):
        return log
    try:
        async with session(call, config) as opened:
            org_id = (await opened.org.read(frozenset())).facts.org_id
    except RolecallError as error:
        message = f"manual steps were not compared with the audit log: {error.problems[0].message}"
        problem = error.problems[0]._replace(message=message, severity="warning")
        tell([problem], as_json=call.log_format == "json", color=call.color)
        return log
    confirm_steps(call, target, journal, org_id, log)
    return log


async def _own(call: Invocation, config: Config, since: datetime) -> AuditLog:
    from rolecall.cli.session import session
    from rolecall.jobs.own_log import own_log
    from rolecall.live.port import Audit

    async with session(call, config) as opened:
        if not isinstance(opened.org, Audit):
            message = "a snapshot has no audit log"
            raise ConfigError(Problem("no_audit", message, None, "leave out --snapshot"))
        return await own_log(opened.org, since)


def _veil(call: Invocation, config: Config, options: AuditOptions) -> Veil | None:
    """Return how users are hidden; None if they are shown by name."""
    from rolecall.cli.output import mask_key, shown
    from rolecall.plan.saved.privacy import Veil

    terminal = stdout(call.environ, color=call.color).terminal
    mode = shown(call, options.people, config.reports_people, terminal=terminal)
    return None if mode == "names" else Veil(mode, mask_key(call, config.root) if mode == "masked" else b"")


def _print(
    out: Console,
    config: Config,
    options: AuditOptions,
    log: AuditLog,
    records: Sequence[AuditRecord],
    veil: Veil | None,
) -> None:
    from rolecall.report.builders import audit as report
    from rolecall.report.renderers.csv import csv_text
    from rolecall.report.renderers.listing import listing_lines

    if options.raw or options.shape:
        _print_json_lines(out, options, records)
        if options.shape and log.page is not None:
            out.text(report.page_shape_line(log.page))
        return
    shown = [report.hidden(record, veil) for record in records]
    writer = config.audit.writer if config.audit else None
    if options.form == "json":
        out.text(report.audit_json({"org": config.org.name, "writer": writer}, log, shown))
    elif options.form == "csv":
        out.text(csv_text(report.audit_table(shown)).removesuffix("\r\n"))
    else:
        title = f"{config.org.name}: audit log" + (f" of WRITER organization {writer}" if writer else "")
        notes = (*report.unmapped_words(records), report.SILENCE) if writer else ()
        out.lines(listing_lines(report.audit_document(title, shown, log.coverage.state, notes)))


def _print_json_lines(out: Console, options: AuditOptions, records: Sequence[AuditRecord]) -> None:
    """Print what `--raw` or `--shape` shows."""
    from rolecall.report.builders import audit as report

    for line in report.raw_lines(records) if options.raw else report.shape_lines(records):
        out.text(line)


def _print_new(out: Console, options: AuditOptions, records: Sequence[AuditRecord], veil: Veil | None) -> None:
    """Print records one by one, without a heading."""
    import json

    from rolecall.report.builders import audit as report
    from rolecall.report.document import Document, Listing
    from rolecall.report.renderers.csv import csv_text
    from rolecall.report.renderers.listing import listing_lines

    shown = [report.hidden(record, veil) for record in records]
    if options.raw or options.shape:
        _print_json_lines(out, options, records)
    elif options.form == "json":
        for record in shown:
            out.text(json.dumps(report.record_json(record), ensure_ascii=False))
    elif options.form == "csv":
        for record in shown:
            out.text(csv_text(report.audit_table((record,))).partition("\r\n")[2].removesuffix("\r\n"))
    elif shown:
        lines = tuple(map(report.record_row, shown))
        out.lines(listing_lines(Document("audit", listings=(Listing(lines, report.WIDTHS),))))


async def _follow(call: Invocation, options: AuditOptions, read_log: ReadLog, log: AuditLog, veil: Veil | None) -> None:
    """Print new records until interrupted. A reading that fails is reported, and the next one follows."""
    import asyncio
    import sys

    from rolecall.cli.session import now

    printed = {record.key for record in log.records}
    out, since = stdout(call.environ, color=call.color), now() - timedelta(days=1)
    while True:
        sys.stdout.flush()
        await asyncio.sleep(POLL)
        last = log.position.read_at if log.position else now()
        log = await read_log(since)
        new = tuple(record for record in log.records if record.key not in printed)
        printed |= {record.key for record in new}
        _print_new(out, options, [record for record in new if options.selects(record, since)], veil)
        _report(call, log._replace(records=new), last)


def _report(call: Invocation, log: AuditLog, since: datetime) -> Exit:
    """Write to stderr what is unknown of the period; return the exit code."""
    from rolecall.cli.session import now
    from rolecall.jobs.audit import gap_problems, unread_problem, unrecognized_problem

    unread = unread_problem(log)
    gaps = list(gap_problems(log, since, now()))
    unclear = [record for record in log.unrecognized if record.at is None or record.at >= since]
    problems = [*([unread] if unread else []), *gaps, *([unrecognized_problem(unclear)] if unclear else [])]
    tell(problems, as_json=call.log_format == "json", color=call.color)
    if log.coverage.state == "unread":
        return Exit.ERROR
    return Exit.UNSEEN if log.coverage.state == "partial" or gaps else Exit.OK
