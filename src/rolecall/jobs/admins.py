"""Count the org admins of an org whose plan has no changes, so that none of them passes silently."""

from __future__ import annotations

from rolecall.access.evaluate import org_admins
from rolecall.access.rules import compile_access
from rolecall.errors import OrgError, Problem
from rolecall.jobs.people import read_people
from rolecall.jobs.plan import Planned, PlanRequest
from rolecall.model.directory import PeopleScope
from rolecall.plan.headline import count_users


async def with_admins(request: PlanRequest, planned: Planned) -> Planned:
    """Return a plan without changes with a warning if the org has fewer org admins than `min_org_admins` asks for.

    A plan without changes reads no users, so org admins are read here: only from the org itself, which can list them
    alone. Where they cannot be read completely, there is no warning.
    """
    itself: object = request.org
    if planned.plan.changes or request.people is not itself or request.people is None:
        return planned
    live = planned.live
    try:
        directory = await read_people(request.people, request.org, live, PeopleScope(org_admins=True))
    except OrgError:
        return planned
    rules = compile_access(live.settings, live.facts)
    if rules.missing or directory.coverage.state != "complete":
        return planned
    number, least = len(org_admins(rules, directory)), max(1, planned.plan.desired.policy.guards.min_org_admins)
    if number >= least:
        return planned
    message = f"{count_users(number, 'is', 'are')} org admin; the minimum is {least:,}"
    hint = "map a group with active users to org_admin, or make a user org admin in the console"
    warning = Problem("no_org_admins", message, None, hint, "warning")
    return planned._replace(plan=planned.plan._replace(warnings=(*planned.plan.warnings, warning)))
