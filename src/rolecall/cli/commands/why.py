"""Implement `rolecall why`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.complete import groups as named_groups
from rolecall.cli.complete import people, roles, states
from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.report_options import some_formats
from rolecall.errors import Exit, Misuse

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.access import OrgState
    from rolecall.model.audit import AuditLog
    from rolecall.model.directory import Person
    from rolecall.report.document import Document


@command(
    "why",
    "rolecall why ann@acme.com",
    "rolecall why ann@acme.com --not org_admin",
    "rolecall why --groups Writer-Marketing,Writer-Legal --at desired",
    "rolecall why ann@acme.com --trace",
    "rolecall why ann@acme.com --trace --groups Writer-Legal --format json",
    arguments={"email": "Email address of the user. Or use --groups."},
    exit_codes={
        Exit.OK: "Success.",
        Exit.ERROR: "An error, or users could not be read.",
        Exit.UNSEEN: "Users could only be partially read, so the answer may be incomplete; with --trace, a step could "
        "not be read.",
    },
)
@click.argument("email", required=False, shell_complete=people)
@click.option(
    "--not",
    "role",
    metavar="ROLE",
    shell_complete=roles,
    help="Also explain why the user does not have this role in any team, and what would give it: org_admin, "
    "team_admin, member, a custom role's id, or its name in the console.",
)
@click.option(
    "--groups",
    metavar="A,B",
    shell_complete=named_groups,
    help="Instead of a user: explain the access of a new user in these IdP groups. With --trace: only these groups of "
    "the user.",
)
@click.option(
    "--trace",
    is_flag=True,
    help="Instead of the access: follow the user from the IdP to the org, step by step, with the next action for each "
    "step that failed. Requires a connection to Okta or Entra: `idp`, or `people`.",
)
@click.option(
    "--at",
    default="live",
    show_default=True,
    metavar="STATE",
    shell_complete=states,
    help="Which state to explain: live, the org now; desired, the org once it matches the configuration; or a saved "
    "plan's file, the org after that plan.",
)
@some_formats("text", "json", meaning="Format on stdout.")
def why(
    call: Invocation, email: str | None, role: str | None, groups: str | None, trace: bool, at: str, form: str
) -> Exit:
    """Explain why a user has, or does not have, access.

    Lists each team role with the rule and the setting that give it, and where that is in the configuration. With
    --groups, users are not read. --trace shows why a user does not have access yet: whether they are in the IdP group,
    assigned to the app, pushed, known to WRITER, and whether the group is mapped.
    """
    names = [name.strip() for name in (groups or "").split(",") if name.strip()]
    if trace:
        if email is None or role is not None or at != "live":
            raise click.UsageError("--trace takes a user, and neither --not nor --at")
        return _trace(call, email, names, form)
    if (email is None) == (groups is None):
        raise click.UsageError("name either a user, or groups with --groups")
    from rolecall.cli.planning import read_state, report_coverage
    from rolecall.cli.session import read
    from rolecall.jobs.access import NOBODY, explain, explain_not, imagined, one_person, role_of
    from rolecall.report.builders.access import (
        unknown_user_document,
        unread_json,
        why_document,
        why_json,
        why_not_json,
    )
    from rolecall.report.renderers.listing import listing_lines

    config = read(call)
    org_state = read_state(call, config, at, NOBODY if email is None else one_person(email))
    who = imagined(names, org_state) if email is None else _user(call, config, at, org_state, email)
    out = stdout(call.environ, color=call.color)
    if who is None:
        if form == "json":
            out.text(unread_json(email, org_state.coverage))
        else:
            out.lines(listing_lines(unknown_user_document(org_state.org, email or "", org_state.coverage)))
        return report_coverage(call, config, org_state.coverage)
    explained = explain(org_state, who)
    against = None if role is None else explain_not(org_state, who, role_of(org_state, role))
    events = None if email is None or at != "live" else _events(call, config, who, org_state)
    if form == "json":
        body = why_json(explained, org_state.coverage, org_state.at)
        body = body if against is None else {**body, "not": why_not_json(against)}
        out.text(json.dumps(body if events is None else {**body, "events": _events_json(events)}, indent=2))
    else:
        document = why_document(org_state.org, explained, against, org_state.coverage, org_state.at)
        out.lines(listing_lines(document if events is None else _with_events(document, events)))
    return report_coverage(call, config, org_state.coverage)


def _events(call: Invocation, config: Config, user: Person, org_state: OrgState) -> AuditLog | None:
    """Return the records about a user in WRITER's audit log, or in the org's own; None if there is no log."""
    if config.audit is not None:
        from rolecall.cli.audit_log import user_events

        return user_events(call, config, user.email)
    if config.org.kind == "observed" or call.snapshot is not None:
        return None
    from rolecall.cli.session import now, session, wait_for
    from rolecall.jobs.own_log import OWN_DAYS, own_events
    from rolecall.live.port import Audit

    async def work() -> AuditLog | None:
        async with session(call, config) as opened:
            if not isinstance(opened.org, Audit):
                return None
            return await own_events(opened.org, now() - timedelta(days=OWN_DAYS), user, org_state.facts.groups)

    return wait_for(work())


def _events_json(log: AuditLog) -> dict[str, Any]:
    from rolecall.report.builders.audit import events_json

    return events_json(log)


def _with_events(document: Document, log: AuditLog) -> Document:
    from rolecall.report.builders.audit import events_listing

    return replace(document, listings=(*document.listings, events_listing(log)))


def _trace(call: Invocation, email: str, groups: list[str], form: str) -> Exit:
    """Trace the provisioning of a user; 7 if a step could not be read."""
    from rolecall.cli.session import now, plan_target, read, session, wait_for
    from rolecall.jobs.trace import Trace, TraceRequest, trace_user
    from rolecall.plan.explain.trace import answered
    from rolecall.report.builders.trace import trace_document, trace_json
    from rolecall.report.renderers.listing import listing_lines

    config = read(call)

    async def work() -> Trace:
        async with session(call, config) as opened:
            target = plan_target(call, config)
            return await trace_user(TraceRequest(target, opened.org, opened.idp, email, now(), tuple(groups)))

    trace = wait_for(work())
    out = stdout(call.environ, color=call.color)
    if form == "json":
        out.text(trace_json(trace.email, trace.idp, trace.steps, trace.near))
    else:
        out.lines(listing_lines(trace_document(trace.org, trace.email, trace.idp, trace.steps)))
    return Exit.OK if answered(trace.steps) else Exit.UNSEEN


def _user(call: Invocation, config: Config, at: str, org_state: OrgState, email: str) -> Person | None:
    """Return a user by email address. For an unknown address all users are read, so that near ones can be named."""
    from rolecall.cli.planning import read_state
    from rolecall.jobs.access import find
    from rolecall.model.directory import EVERYBODY

    try:
        return find(org_state, email)
    except Misuse:
        return find(read_state(call, config, at, EVERYBODY), email)
