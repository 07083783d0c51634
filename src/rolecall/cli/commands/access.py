"""Implement `rolecall access`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rolecall.cli.complete import roles, states, teams
from rolecall.cli.console import Console, stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.report_options import some_formats
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.jobs.sightings import When


@command(
    "access",
    "rolecall access -e prod --role org_admin",
    "rolecall access --team Marketing --at desired --format csv",
    "rolecall access --unmanaged",
    "rolecall access --role org_admin --at 2026-03-01 --format csv",
    exit_codes={
        Exit.OK: "Success.",
        Exit.ERROR: "An error, or users could not be read.",
        Exit.UNSEEN: "Users could only be partially read, so the list may be incomplete.",
    },
)
@click.option("--team", metavar="TEAM", shell_complete=teams, help="List only users with a role in this team.")
@click.option(
    "--role",
    metavar="ROLE",
    shell_complete=roles,
    help="List only users with this role: org_admin, team_admin, member, a custom role's id, or its name in the "
    "console.",
)
@click.option(
    "--unmanaged", is_flag=True, help="List mappings that the configuration does not manage, instead of users."
)
@click.option(
    "--at",
    default="live",
    show_default=True,
    metavar="STATE",
    shell_complete=states,
    help="Which state to list: live, the org now; desired, the org once it matches the configuration; a saved plan's "
    "file, the org after that plan; or a past date (YYYY-MM-DD) or time, from the access records in the journal.",
)
@some_formats("text", "json", "csv", meaning="Format on stdout. csv: one line per user and team role.")
def access(call: Invocation, team: str | None, role: str | None, unmanaged: bool, at: str, form: str) -> Exit:
    """List who has which access.

    Users are always shown by name. For a past date, only users with a role above member are listed, and the org is not
    read.
    """
    from rolecall.jobs.sightings import when

    out = stdout(call.environ, color=call.color)
    moment = when(at)
    if unmanaged:
        if form == "csv":
            raise click.UsageError("--unmanaged has no csv format: use --format text or json")
        _unmanaged(call, out, form)
        return Exit.OK
    if moment is not None:
        return _past_holders(call, out, moment, (team, role), form)
    return _access(call, out, (team, role, at), form)


def _past_holders(call: Invocation, out: Console, moment: When, only: tuple[str | None, str | None], form: str) -> Exit:
    """Write the access record of a past moment. The org is not read."""
    from rolecall.cli.journals import find_journal
    from rolecall.cli.planning import report_coverage
    from rolecall.cli.session import read
    from rolecall.jobs.sightings import seen_at
    from rolecall.model.live import Coverage
    from rolecall.model.roles import role_id
    from rolecall.report.builders.sightings import record_document, sighting_json, sighting_table
    from rolecall.report.renderers.csv import csv_text
    from rolecall.report.renderers.listing import listing_lines

    config = read(call)
    team, role = only
    journal = find_journal(call, config)
    try:
        seen_holders = seen_at(journal, config, moment, team, None if role is None else role_id(role))
    finally:
        if journal is not None:
            journal.close()
    if form == "text":
        out.lines(listing_lines(record_document(seen_holders)))
    else:
        out.text(sighting_json(seen_holders) if form == "json" else csv_text(sighting_table(seen_holders)))
    if seen_holders.sighting.complete:
        return Exit.OK
    coverage = Coverage(
        "partial", problem=f"when run {seen_holders.sighting.run} recorded this, there may have been more holders"
    )
    return report_coverage(call, config, coverage, "choose another date, or list the runs: rolecall history")


def _access(call: Invocation, out: Console, filters: tuple[str | None, str | None, str], form: str) -> Exit:
    from rolecall.cli.planning import read_state, report_coverage
    from rolecall.cli.session import read
    from rolecall.jobs.access import holders, role_of, team_of
    from rolecall.model.directory import EVERYBODY
    from rolecall.report.builders.access import access_document, access_json, access_table
    from rolecall.report.renderers.csv import csv_text
    from rolecall.report.renderers.listing import listing_lines

    team, role, at = filters
    config = read(call)
    org_state = read_state(call, config, at, EVERYBODY)
    limits = None if team is None else team_of(org_state, team), None if role is None else role_of(org_state, role)
    found_holders = holders(org_state, *limits)
    if form == "text":
        out.lines(listing_lines(access_document(org_state.org, found_holders, org_state.coverage)))
    else:
        out.text(
            access_json(found_holders, org_state.coverage) if form == "json" else csv_text(access_table(found_holders))
        )
    return report_coverage(call, config, org_state.coverage)


def _unmanaged(call: Invocation, out: Console, form: str) -> None:
    from rolecall.cli.planning import read_inventory
    from rolecall.report.builders.access import unmanaged_document, unmanaged_json
    from rolecall.report.renderers.listing import listing_lines

    inventory = read_inventory(call)
    if form == "json":
        out.text(unmanaged_json(inventory.unmanaged, inventory.released))
    else:
        out.lines(listing_lines(unmanaged_document(inventory.org, inventory.unmanaged, inventory.released)))
