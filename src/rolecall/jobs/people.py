"""The one place where people are read: whoever they come from, they are in the groups that the org knows them by."""

from __future__ import annotations

from dataclasses import replace

from rolecall.access.rules import endpoint_of
from rolecall.errors import OrgError, Problem
from rolecall.live.port import GroupReader, IdpSource, People, Reader, UserFiles
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.directory import Directory, PeopleScope, with_legacy_groups
from rolecall.model.live import UNREAD, Live
from rolecall.model.settings import BLANK, UNSET
from rolecall.model.target import PeopleSource, SecretRef
from rolecall.plan.coverage import gaps


async def read_people(people: People, org: Reader, live: Live, scope: PeopleScope) -> Directory:
    """The people in scope of an org that was read as ``live``. Raises OrgError when they cannot be reached.

    The org itself tells its legacy groups; another source knows names alone, so while the org is upgrading its people
    are put into the legacy groups, too (R20). Which of two groups of one name people are in, it cannot tell: where that
    matters people are read in part. Its groups are compared with the members that the org counts; an org with an API
    counts those that it has itself.
    """
    if isinstance(people, GroupReader):
        people = people.with_groups(group_names(live), whole=live.covered("idp_groups").state == "complete")
    directory = await people.read_people(scope)
    itself: object = org
    if people is itself and not isinstance(org, SnapshotReader):
        return directory
    directory = _placed(people, directory, live, scope) if people is not itself else directory
    directory = _compared(people, directory, live, scope)
    if people is itself:
        return directory
    directory = with_legacy_groups(directory, live.facts.legacy_links)
    shared = sorted(live.facts.homonyms.intersection(directory.groups) & _mapped(live))
    if not shared or directory.coverage.state == "unread":
        return directory
    problem = (
        f"the org has two groups called `{shared[0]}`, and which of them people are in is not known to their source"
    )
    return replace(directory, coverage=directory.coverage._replace(state="partial", problem=problem))


def _compared(people: People, directory: Directory, live: Live, scope: PeopleScope) -> Directory:
    """Return the directory with its gaps. What an IdP pushes and the org does not have, ``idp_problems`` tells.

    On a legacy endpoint the two need not call a group the same (R20), so nothing is compared.
    """
    unread = directory.coverage.state == "unread" or live.covered("idp_groups").state != "complete"
    if scope == PeopleScope() or unread or endpoint_of(live.settings) != "new":
        return directory
    group_gaps = gaps(directory, live.facts)
    return replace(directory, gaps=group_gaps._replace(unknown=()) if isinstance(people, IdpSource) else group_gaps)


def _placed(people: People, directory: Directory, live: Live, scope: PeopleScope) -> Directory:
    """Return the directory, as partially read where no user is in any group of an org that has some, or where files
    have the members of one group each, and a group with a mapping has no file.

    Such a source names groups in another way (by id, by distinguished name), or gives no members, or no users at all.
    """
    names = group_names(live)
    unread = directory.coverage.state != "complete" or live.covered("idp_groups").state != "complete"
    if scope == PeopleScope() or unread or not names or endpoint_of(live.settings) != "new":
        return directory
    if isinstance(people, UserFiles):
        lacking = people.without_file(directory, _mapped(live) | (people.mapped & names))
        if lacking:
            listed = f"{', '.join(lacking[:_SHOWN])}{', ...' if len(lacking) > _SHOWN else ''}"
            problem = f"there is no people file for {listed}"
            return replace(directory, coverage=directory.coverage._replace(state="partial", problem=problem))
        if people.allow_empty:
            return directory
    used = [directory.groups[number] for number in sorted(set(directory.members))]
    if not names.isdisjoint(used):
        return directory
    listed = f" (it has {', '.join(used[:_SHOWN])}{', ...' if len(used) > _SHOWN else ''})" if used else ""
    problem = "the source of users has no users"
    if len(directory):
        problem = f"the source of users has no user in any group of the org{listed}"
    return replace(directory, coverage=directory.coverage._replace(state="partial", problem=problem))


_SHOWN = 3


async def people_or_unread(people: People, org: Reader, live: Live, scope: PeopleScope) -> Directory:
    """Return the users in scope; where their source cannot be reached, nobody, and a coverage that says why.

    Raises ConfigError for a people file that cannot be used as it is.
    """
    try:
        return await read_people(people, org, live, scope)
    except OrgError as error:
        return Directory(coverage=UNREAD._replace(problem=error.problems[0].message))


def people_hint(source: PeopleSource, *, observed: bool = False) -> str:
    """Return what to do where users could not be read, by where the configuration says that they come from."""
    if source.kind == "org":
        name = "name where users come from in `people:`"
        return name if observed else f"check that the token may read users, or {name}"
    if source.kind == "file":
        return f"check the people file `{', '.join(source.files) or source.at}`"
    secret = source.token or source.client_secret
    where = "the token" if secret is None else _secret_words(secret)
    return f"check {where}, and that it may read users and groups ({source.kind})"


def _secret_words(secret: SecretRef) -> str:
    """Return where a secret comes from; never what it is."""
    return "the token's command" if secret.kind == "exec" else f"the token in {secret.value}"


def group_names(live: Live) -> frozenset[str]:
    """Return the names of all groups that the org has, those of the legacy endpoint included."""
    groups = live.settings.idp_groups
    names = {*live.facts.groups, *(live.facts.legacy_links or ()), *(() if groups is UNSET else groups)}
    return frozenset(names | {key.rpartition(" [")[0] for key in names if key.endswith("]")} - {""})


def _mapped(live: Live) -> set[str]:
    """The names of live groups that give anything, without the id that tells two of one name apart."""
    groups = live.settings.idp_groups
    named = {} if groups is UNSET else groups
    return {key.rpartition(" [")[0] or key for key, mapping in named.items() if mapping != BLANK}


def left_out(directory: Directory) -> tuple[Problem, ...]:
    """What is missing of a reading that is whole all the same: users who can be nobody of the org. A warning."""
    coverage = directory.coverage
    if coverage.state != "complete" or not coverage.problem:
        return directory.notes
    return (*directory.notes, Problem("people_left_out", coverage.problem, severity="warning"))


async def idp_problems(people: People | None, live: Live) -> tuple[Problem, ...]:
    """What an IdP tells of its app, where people come from one; why it could not be read is told too. All warnings."""
    if not isinstance(people, IdpSource):
        return ()
    from rolecall.plan.lint.sources import lint_idp

    try:
        return lint_idp(await people.read_idp(), live)
    except OrgError as error:
        return tuple(problem._replace(severity="warning") for problem in error.problems)
