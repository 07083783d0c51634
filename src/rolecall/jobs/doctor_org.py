"""Use case `doctor`, second half: the journal, the org, and its people. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from rolecall.desired import Config
from rolecall.desired.references import references
from rolecall.errors import Problem, RolecallError
from rolecall.jobs.people import read_people
from rolecall.model import normalise
from rolecall.model.checkup import Check
from rolecall.model.directory import PeopleScope
from rolecall.plan.coverage import coverage_of

if TYPE_CHECKING:
    from rolecall.journal.port import Journal
    from rolecall.live.port import People, Reader
    from rolecall.model.directory import Directory
    from rolecall.model.live import Live

Find = Callable[[], "Journal | None"]


def examine_journal(config: Config, find: Find, *, ci: bool) -> Check:
    """8: a journal that cannot be opened, or that is lost with a pipeline's runner (``ci``)."""
    if ci and config.journal.is_default and config.org.kind != "local":
        hint = "set ROLECALL_JOURNAL to the url of a PostgreSQL database"
        problem = Problem("journal_lost", "the journal is a file that dies with the runner", None, hint)
        return Check("journal", problems=(problem,))
    try:
        journal = find()
    except RolecallError as error:
        return Check("journal", problems=error.problems)
    if journal is None:
        return Check("journal", "none yet; the first apply makes it")
    with journal:
        return Check("journal", "there, and can be read")


async def examine_org(config: Config, org: Reader, people: People) -> list[Check]:
    """9 to 12: the org answers us as an org admin, is the one meant, has the names, and people can be read."""
    try:
        live = await org.read()
    except RolecallError as error:
        return [Check("org", problems=error.problems), *_left("the org could not be read", "pin", "names", "people")]
    names = Check("names", "every team, role and group is there", tuple(references(config, live.facts)))
    return [_org(config, live), _pin(config, live), names, await _people(config, org, people, live)]


def unreachable(*names: str) -> list[Check]:
    """Checks that nobody could make, for want of a config."""
    return list(_left("needs a config that can be read", *names))


def _left(why: str, *names: str) -> Iterator[Check]:
    return (Check(name, why, skipped=True) for name in names)


def _org(config: Config, live: Live) -> Check:
    """9: not reached, the token refused, or its owner no org admin (R34)."""
    caller = live.facts.caller
    who = caller.email or "a service"
    coverage = coverage_of(config.desired, live, date.min)
    unread = [name for name, seen in coverage.items() if seen.state != "complete"]
    problems = []
    if not caller.org_admin:
        hint = "use a token of an org admin's; others get 403 (R34)"
        problems.append(Problem("not_org_admin", f"{who} is no org admin there", None, hint))
    if unread:
        hint = "a managed section or field that is not read blocks every plan"
        problems.append(Problem("unread", f"not read: {', '.join(unread)}", None, hint, "warning"))
    if live.facts.observed:
        return Check(
            "org", f"{live.facts.org_name}, from an observed file; a person carries plans out", tuple(problems)
        )
    return Check("org", f"{live.facts.org_name} answers, and takes us for {who}", tuple(problems))


def _pin(config: Config, live: Live) -> Check:
    """10: an address that leads to another org than the one meant."""
    said, found = config.org.id, live.facts.org_id
    if said == found:
        return Check("pin", f"it is {found}, as `org.id` says")
    if said is not None:
        hint = "correct `org.url`, or `org.id` if the org was made anew"
        problem = Problem("other_org", f"`org.id` says {said}, and this is {found}", None, hint)
        return Check("pin", problems=(problem,))
    hint = f"write `id: {found}` under `org`, so that another org is refused"
    return Check("pin", problems=(Problem("no_pin", "nothing says which org is meant", None, hint, "warning"),))


async def _people(config: Config, org: Reader, people: People, live: Live) -> Check:
    """12: people that cannot be read, and guards about people who are not there."""
    try:
        required = config.desired.policy.guards.required_org_admins
        scope = PeopleScope(emails=frozenset(required), org_admins=True)
        directory = await read_people(people, org, live, scope)
    except RolecallError as error:
        return Check("people", problems=error.problems)
    if directory.coverage.state != "complete":
        how = "were not read" if directory.coverage.state == "unread" else "were partially read"
        why = directory.coverage.problem or "the org has no users on record"
        hint = "name where users come from in `people:`, or correct it"
        return Check("people", problems=(Problem("people_unread", f"users {how}: {why}", None, hint, "warning"),))
    return Check("people", "they and their memberships can be read", tuple(_missing(required, directory)))


def _missing(required: Sequence[str], directory: Directory) -> Iterator[Problem]:
    there = {normalise.email(email) for at, email in enumerate(directory.emails) if directory.traits(at).active}
    for email in required:
        if normalise.email(email) not in there:
            hint = "correct `guards.required_org_admins`, or add them to a group that gives org admin"
            yield Problem("required_missing", f"{email} has to be org admin and is nobody active there", None, hint)
