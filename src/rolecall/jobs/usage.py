"""Add WRITER's usage data to a plan: how many users who lose access are known to use WRITER.

It is evidence only. The plan, its digest and its guards are the same without it, so unread data is a warning.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from rolecall.codec.capabilities import SEARCH
from rolecall.errors import OrgError, Problem, RolecallError, SecretError
from rolecall.jobs.people import people_or_unread
from rolecall.live.port import People, Reader
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.live.usage import UsagePage
from rolecall.model.checkup import Check
from rolecall.model.directory import EVERYBODY, Directory
from rolecall.model.usage import Usage, UsageReading, UsageRow
from rolecall.plan.impact.usage import losing_users, usage_of
from rolecall.plan.inputs import PlanInput
from rolecall.plan.value import Plan

ReadUsage = Callable[[str], Awaitable[UsageReading]]
"""Reads the usage data of a month, such as ``2026-11``."""


class Source(Protocol):
    """Usage data of one organization."""

    async def users(self, month: str) -> tuple[UsageRow, ...]:
        """Return the rows of all users of a month. Raises OrgError, SecretError."""


async def read_usage(source: Source, month: str) -> UsageReading:
    """Return the rows of a month, or why they could not be read."""
    try:
        return UsageReading(await source.users(month))
    except (OrgError, SecretError) as error:
        problem = error.problems[0]
        message = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
        return UsageReading(problem=message, where=problem.where)


async def with_usage(plan: Plan, plan_input: PlanInput, read: ReadUsage, org: Reader, people: People | None) -> Plan:
    """Return the plan with the usage of the users who lose access in the month in which it was made.

    Nothing is read if no user is known to lose access. ``people`` is where the users were read.
    """
    users = losing_users(plan.impact)
    if not users:
        return plan
    month = f"{plan.created_at:%Y-%m}"
    reading = await read(month)
    if reading.problem is None:
        directory = await _named_users(plan, plan_input, org, people)
        whole = directory.coverage.state == "complete"
        usage = usage_of(users, month, reading.rows, directory, whole=whole)
        return plan._replace(usage=usage)
    message = f"WRITER's usage data was not read: {reading.problem}"
    hint = "whether the users who lose access use WRITER is unknown"
    warning = Problem("usage_unread", message, reading.where, hint, "warning")
    usage = Usage(month, "unread", reading.problem, len(users))
    return plan._replace(usage=usage, warnings=(*plan.warnings, warning))


async def _named_users(plan: Plan, plan_input: PlanInput, org: Reader, people: People | None) -> Directory:
    """Return all users of the org: a name belongs to one user only if no other user has it.

    An org that can search returned only the users that the plan needs; all other sources return all users.
    """
    directory, live = plan_input.directory, plan_input.live
    if directory is None or people is None:
        return Directory()
    itself: object = org
    if people is not itself or isinstance(org, SnapshotReader):
        return directory
    if plan.scope.everybody or SEARCH not in live.facts.can:
        return directory
    return await people_or_unread(people, org, live, EVERYBODY)


class UsagePages(Protocol):
    """Usage data that is read page by page."""

    async def first_page(self, month: str) -> UsagePage:
        """Return the first page of a month. Raises OrgError, SecretError."""


async def examine_usage(usage: UsagePages, month: str) -> Check:
    """Check, where the section `usage` is configured, that the usage data of a month can be read. Plans need it for
    nothing but evidence, so a failure is a warning."""
    try:
        page = await usage.first_page(month)
    except RolecallError as error:
        problems = (problem._replace(severity="warning") for problem in error.problems)
        return Check("usage", problems=tuple(problems))
    return Check("usage", f"WRITER's usage data can be read: {page.total:,} users in {month}")
