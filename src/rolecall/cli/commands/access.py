"""`rolecall access`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rolecall.cli.complete import states, teams
from rolecall.cli.console import Console, stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.jobs.sightings import When


@command(
    "access",
    "rolecall access -e prod --role org_admin",
    "rolecall access --team Marketing --at desired --format csv",
    "rolecall access --unmanaged",
    "rolecall access --role org_admin --at 2026-03-01 --format csv     # evidence for an access review",
)
@click.option("--team", metavar="TEAM", shell_complete=teams, help="Only who has something on this team.")
@click.option("--role", metavar="ROLE", help="Only who has this role, by id or in the console's words.")
@click.option("--unmanaged", is_flag=True, help="Instead: the mappings that the config does not manage.")
@click.option(
    "--at",
    default="live",
    show_default=True,
    metavar="live|desired|PLAN|DATE",
    shell_complete=states,
    help="In which state.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True, help="How."
)
def access(call: Invocation, team: str | None, role: str | None, unmanaged: bool, at: str, form: str) -> Exit:
    """Show who has what.

    Users are always named: that is what it is for. Exits with 1 when users could not be read, with 7 when only some
    could be read.
    """
    from rolecall.jobs.sightings import when

    out = stdout(call.environ, color=call.color)
    asked = when(at)
    if unmanaged:
        if form == "csv":
            raise click.UsageError("--unmanaged comes as text or json")
        _unmanaged(call, out, form)
        return Exit.OK
    if asked is not None:
        return _seen(call, out, asked, (team, role), form)
    return _access(call, out, (team, role, at), form)


def _seen(call: Invocation, out: Console, asked: When, only: tuple[str | None, str | None], form: str) -> Exit:
    """What a sighting of the past says. The org is not asked."""
    from rolecall.cli.journals import find_journal
    from rolecall.cli.planning import report_coverage
    from rolecall.cli.session import read
    from rolecall.jobs.sightings import seen_at
    from rolecall.model.live import Coverage
    from rolecall.model.roles import role_id
    from rolecall.report.builders.sightings import sighting_json, sighting_lines, sighting_table
    from rolecall.report.renderers.csv import csv_text

    config = read(call)
    team, role = only
    journal = find_journal(call, config)
    try:
        found = seen_at(journal, config, asked, team, None if role is None else role_id(role))
    finally:
        if journal is not None:
            journal.close()
    if form == "text":
        out.lines(sighting_lines(found))
    else:
        out.text(sighting_json(found) if form == "json" else csv_text(sighting_table(found)))
    if found.sighting.complete:
        return Exit.OK
    seen = Coverage("partial", problem=f"when run {found.sighting.run} recorded this, there may have been more holders")
    return report_coverage(call, config, seen, "choose another date, or see `rolecall history`")


def _access(call: Invocation, out: Console, asked: tuple[str | None, str | None, str], form: str) -> Exit:
    from rolecall.cli.planning import read_state, report_coverage
    from rolecall.cli.session import read
    from rolecall.jobs.access import holders, role_of, team_of
    from rolecall.model.directory import EVERYBODY
    from rolecall.report.builders.access import access_json, access_lines, access_table
    from rolecall.report.builders.header import org_banner
    from rolecall.report.renderers.csv import csv_text
    from rolecall.report.renderers.text import banner_line

    team, role, at = asked
    config = read(call)
    found = read_state(call, config, at, EVERYBODY)
    wanted = None if team is None else team_of(found, team), None if role is None else role_of(found, role)
    rows = holders(found, *wanted)
    if form == "text":
        out.lines([banner_line(org_banner(found.org, found.coverage)), *access_lines(rows, found.coverage)])
    else:
        out.text(access_json(rows, found.coverage) if form == "json" else csv_text(access_table(rows)))
    return report_coverage(call, config, found.coverage)


def _unmanaged(call: Invocation, out: Console, form: str) -> None:
    from rolecall.cli.planning import read_inventory
    from rolecall.report.builders.access import unmanaged_json, unmanaged_lines
    from rolecall.report.builders.header import org_banner
    from rolecall.report.renderers.text import banner_line

    found = read_inventory(call)
    if form == "json":
        out.text(unmanaged_json(found.unmanaged, found.released))
    else:
        out.lines([banner_line(org_banner(found.org)), *unmanaged_lines(found.unmanaged, found.released)])
