"""`rolecall done`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.errors import Exit


@command(
    "done",
    "rolecall done 12 13 --by ann@acme.com",
    "rolecall done 12 13 --by ann@acme.com --evidence screenshot.png",
    "rolecall done 12 13 --by ann@acme.com --found 'Member: Marketing'",
)
@click.argument("run", type=click.IntRange(1))
@click.argument("step", type=click.IntRange(1))
@click.option("--by", metavar="WHO", help="Who did it [you].")
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A file that shows it; its SHA-256 is kept.",
)
@click.option("--found", metavar="VALUE", help="What was found there, if not what the step asks for.")
def done(call: Invocation, run: int, step: int, by: str | None, evidence: Path | None, found: str | None) -> Exit:
    """Record that a person has taken a step, and look whether it can be seen.

    For an observed org the file that stands for it is changed; commit it. 6 as long as other steps of the run wait
    for a person.
    """
    from rolecall.cli.facts import actor, holder, run_facts
    from rolecall.cli.journals import check_journal, of_run, open_journal
    from rolecall.cli.session import read, session, wait_for
    from rolecall.jobs.done import Attested, Word, attest, remember_step
    from rolecall.journal.port import LockTaken
    from rolecall.report.builders.runs import attested_lines

    call = of_run(call, run)
    config = read(call)
    check_journal(call, config)

    async def work() -> Attested:
        async with session(call, config) as found_org:
            with open_journal(call, config) as journal:
                statement = Word(by or actor(call.environ), evidence, found)
                attested = await attest(journal, found_org.org, run, step, statement)
                if attested.seen:
                    with suppress(LockTaken), journal.lock(attested.run.org_id, holder(call)) as lock:
                        remember_step(lock, attested, run_facts(call, config))
                return attested

    attested = wait_for(work())
    changed = attested.changed.name if attested.changed else None
    stdout(call.environ, color=call.color).lines(
        attested_lines(attested.run, attested.step, confirmed=attested.seen, changed=changed)
    )
    return Exit.HUMAN if attested.run.human else Exit.OK
