"""`rolecall why`."""

from __future__ import annotations

import json

import click

from rolecall.cli.complete import groups as named_groups
from rolecall.cli.complete import people, states
from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.errors import Exit


@command(
    "why",
    "rolecall why ann@acme.com",
    "rolecall why ann@acme.com --not org_admin",
    "rolecall why --groups Writer-Marketing,Writer-Legal --at desired",
)
@click.argument("person", required=False, shell_complete=people)
@click.option("--not", "role", metavar="ROLE", help="Why not this role, and what would give it.")
@click.option(
    "--groups", metavar="A,B", shell_complete=named_groups, help="Instead of a person: somebody in these groups."
)
@click.option(
    "--at",
    default="live",
    show_default=True,
    metavar="live|desired|PLAN",
    shell_complete=states,
    help="In which state.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How.")
def why(call: Invocation, person: str | None, role: str | None, groups: str | None, at: str, form: str) -> Exit:
    """Show each team role of a person, with rule, setting, file and line; and why not.

    Exits with 1 when users could not be read, with 7 when only some could be read. A persona (--groups) needs none.
    """
    if (person is None) == (groups is None):
        raise click.UsageError("name a person, or say --groups")
    from rolecall.cli.planning import read_state, report_coverage
    from rolecall.cli.session import read
    from rolecall.jobs.access import NOBODY, explain, explain_not, find, imagined, one_person, role_of
    from rolecall.report.builders.access import (
        unknown_user_document,
        unread_json,
        why_document,
        why_json,
        why_not_json,
    )
    from rolecall.report.renderers.listing import listing_lines

    config = read(call)
    org_state = read_state(call, config, at, NOBODY if person is None else one_person(person))
    names = [name.strip() for name in (groups or "").split(",") if name.strip()]
    who = imagined(names, org_state) if person is None else find(org_state, person)
    out = stdout(call.environ, color=call.color)
    if who is None:
        if form == "json":
            out.text(unread_json(person, org_state.coverage))
        else:
            out.lines(listing_lines(unknown_user_document(org_state.org, person or "", org_state.coverage)))
        return report_coverage(call, config, org_state.coverage)
    explained = explain(org_state, who)
    against = None if role is None else explain_not(org_state, who, role_of(org_state, role))
    if form == "json":
        body = why_json(explained, org_state.coverage, org_state.at)
        out.text(json.dumps(body if against is None else {**body, "not": why_not_json(against)}, indent=2))
    else:
        document = why_document(org_state.org, explained, against, org_state.coverage, org_state.at)
        out.lines(listing_lines(document))
    return report_coverage(call, config, org_state.coverage)
