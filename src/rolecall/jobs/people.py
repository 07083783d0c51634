"""The one place where people are read: whoever they come from, they are in the groups that the org knows them by."""

from __future__ import annotations

from rolecall.errors import OrgError, Problem
from rolecall.live.port import IdpSource, People, Reader
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.legacy import with_legacy_groups
from rolecall.model.live import Live


async def read_people(people: People, org: Reader, live: Live, scope: PeopleScope) -> Directory:
    """The people in scope of an org that was read as ``live``. Raises OrgError when they cannot be reached.

    The org itself tells its legacy groups; another source knows names alone, so while the org is upgrading its people
    are put into the legacy groups, too (R20).
    """
    directory = await people.read_people(scope)
    itself: object = org
    return directory if people is itself else with_legacy_groups(directory, live.facts.legacy_links)


async def idp_problems(people: People | None, desired: Desired, live: Live) -> tuple[Problem, ...]:
    """What an IdP tells of its app, where people come from one; why it could not be read is told too. All warnings."""
    if not isinstance(people, IdpSource):
        return ()
    from rolecall.plan.lint_idp import lint_idp

    try:
        return lint_idp(await people.read_idp(), desired, live)
    except OrgError as error:
        return tuple(problem._replace(severity="warning") for problem in error.problems)
