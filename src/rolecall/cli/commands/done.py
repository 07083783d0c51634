"""Implement `rolecall done`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rolecall.cli.complete import people
from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.run_numbers import RUN, runs
from rolecall.cli.run_numbers import steps as step_numbers
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.done import Attested, Statement
    from rolecall.journal.port import Journal
    from rolecall.model.evidence import Finding, Findings
    from rolecall.model.run import Run
    from rolecall.report.line import Line


@command(
    "done",
    "rolecall done 12 3 --by ann@acme.com",
    "rolecall done 12 3.2             # item 2 of step 3",
    "rolecall done 12 2-5 7",
    "rolecall done 12 all --evidence screenshot.png",
    "rolecall done 12 3 --found 'Member: Marketing'",
    arguments={
        "run": "Number of the run.",
        "steps": "A step of its runbook: 3, an item such as 3.2, a range such as 2-5, or all.",
    },
    exit_codes={
        Exit.OK: "Recorded. No manual step of the run is left.",
        Exit.ERROR: "An error.",
        Exit.HUMAN: "Recorded. Manual steps of the run are left.",
        Exit.USAGE: "Wrong usage, or there is no such run or step. Nothing was recorded.",
    },
)
@click.argument("run", type=RUN, shell_complete=runs)
@click.argument("steps", metavar="STEP...", nargs=-1, required=True, shell_complete=step_numbers)
@click.option(
    "--by",
    metavar="EMAIL",
    shell_complete=people,
    help="Who did the step. Default: ROLECALL_ACTOR, the user of the pipeline, or that of the operating system.",
)
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A file that proves it, such as a screenshot. Its path and SHA-256 are recorded, not its content.",
)
@click.option(
    "--found",
    metavar="VALUE",
    help="The value that is in the console now, if it is not the one in the step: 'Member: Marketing, Legal' or blank "
    "for a group, fields such as '{join: approval}' for anything else. For one step at a time.",
)
def done(
    call: Invocation, run: int, steps: tuple[str, ...], by: str | None, evidence: Path | None, found: str | None
) -> Exit:
    """Report manual steps of a run as done.

    An org with an API is read again, to verify the steps. The file of an observed org is updated; commit it. If the
    configuration names an audit log, it is read, and a record of the change confirms the step.
    """
    from rolecall.cli.facts import actor
    from rolecall.cli.journals import check_journal, of_run
    from rolecall.cli.session import now, read, wait_for
    from rolecall.jobs.done import Statement
    from rolecall.report.builders.runs import manual_steps_left, recorded_for

    call = of_run(call, run)
    config = read(call)
    check_journal(call, config)
    statement = Statement(by or actor(call.environ), evidence, found, now().replace(microsecond=0))
    attested, findings = wait_for(_attest(call, config, run, steps, statement))
    last = attested[-1].run
    whom = () if by else (recorded_for(statement.by),)
    stdout(call.environ, color=call.color).lines((*_lines(attested, findings), *whom, manual_steps_left(last)))
    return Exit.HUMAN if last.human else Exit.OK


async def _attest(
    call: Invocation, config: Config, run: int, steps: tuple[str, ...], statement: Statement
) -> tuple[tuple[Attested, ...], Findings]:
    """Record the steps, and what the audit log shows of them.

    Those that the org shows are kept as last applied, unless another run holds the lock.
    """
    from rolecall.cli.facts import holder, run_facts
    from rolecall.cli.journals import open_journal
    from rolecall.cli.session import session
    from rolecall.jobs.done import attest_steps, remember_step
    from rolecall.journal.port import LockTaken

    async with session(call, config) as opened:
        with open_journal(call, config) as journal:
            attested = await attest_steps(journal, opened.org, run, steps, statement)
            if confirmed := [each for each in attested if each.seen]:
                with suppress(LockTaken), journal.lock(confirmed[0].run.org_id, holder(call)) as lock:
                    for each in confirmed:
                        remember_step(lock, each, run_facts(call, config))
            run_of_steps = attested[-1].run
            same = config.audit and (await opened.org.read(frozenset())).facts.org_id == run_of_steps.org_id
            return attested, await _findings(call, config, journal, run_of_steps) if same else {}


async def _findings(call: Invocation, config: Config, journal: Journal, run: Run) -> Findings:
    """Read the audit log that the configuration names, record what it confirms, and return what it shows of a run."""
    target = config.audit
    if target is None:
        return {}
    from rolecall.cli.audit_log import confirm_steps, read_audit
    from rolecall.cli.messages import tell
    from rolecall.jobs.confirm import confirmed_before
    from rolecall.journal.port import JournalError

    before = confirmed_before((run,))
    try:
        log = await read_audit(call, config, target, journal.audit, run.started_at)
        return {**before, **confirm_steps(call, target, journal, run.org_id, log, run.id)}
    except JournalError as error:  # the report is recorded in any case
        tell(error.problems, as_json=call.log_format == "json", color=call.color)
        return before


def _lines(attested: tuple[Attested, ...], findings: Findings) -> Iterator[Line]:
    from rolecall.report.builders.runs import attested_lines

    by_result: dict[tuple[bool | None, Finding | None], list[Attested]] = {}
    for each in attested:
        finding = findings.get((each.run.id, each.step.number))
        by_result.setdefault((each.seen, finding), []).append(each)
    for (confirmed, finding), alike in by_result.items():
        changed = alike[0].changed.name if alike[0].changed else None
        steps = [each.step for each in alike]
        yield from attested_lines(alike[0].run, steps, confirmed=confirmed, changed=changed, finding=finding)
