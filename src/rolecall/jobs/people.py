"""Read users, whatever their source, with their groups by the names that the org has."""

from __future__ import annotations

from dataclasses import replace

from rolecall.access.rules import endpoint_of
from rolecall.errors import OrgError, Problem
from rolecall.live.port import GroupReader, IdpSource, People, Reader, UserFiles
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.directory import Directory, PeopleScope, with_legacy_groups
from rolecall.model.kinds import IDP_SECTIONS
from rolecall.model.live import UNREAD, Live, base_name
from rolecall.model.settings import BLANK, UNSET
from rolecall.model.target import PeopleSource, SecretRef
from rolecall.plan.coverage import USERS, gaps


async def read_people(people: People, org: Reader, live: Live, scope: PeopleScope) -> Directory:
    """Return the users in scope of an org that was read as ``live``. Raises OrgError if their source cannot be read.

    The org itself knows its legacy groups; another source only knows names, so during an upgrade its users are added to
    the legacy groups, too (R20). It cannot distinguish two groups of one name: if that matters, users are partially
    read. Its groups are compared with the members that the org counts, unless the org has users of its own.
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
        return _marked(directory, live)
    directory = with_legacy_groups(directory, live.facts.legacy_links)
    shared = sorted(live.facts.homonyms.intersection(directory.groups) & _mapped(live))
    if not shared or directory.coverage.state == "unread":
        return directory
    problem = f"the org has two groups named `{shared[0]}`, which the source of users cannot distinguish"
    return replace(directory, coverage=directory.coverage._replace(state="partial", problem=problem))


def _marked(directory: Directory, live: Live) -> Directory:
    """Return the directory of an observed org with the change of users after they were read, if there is one."""
    change = live.covered(USERS).changed_since
    if change is None or directory.coverage.state == "unread":
        return directory
    return replace(directory, coverage=directory.coverage._replace(changed_since=change))


def _compared(people: People, directory: Directory, live: Live, scope: PeopleScope) -> Directory:
    """Return the directory with its gaps. ``idp_problems`` reports groups that an IdP pushes and the org lacks.

    On a legacy endpoint, groups may have different names in the IdP and the org (R20), so nothing is compared.
    """
    unread = directory.coverage.state == "unread" or live.covered("idp_groups").state != "complete"
    if scope == PeopleScope() or unread or endpoint_of(live.settings) != "new":
        return directory
    group_gaps = gaps(directory, live.facts)
    return replace(directory, gaps=group_gaps._replace(unknown=()) if isinstance(people, IdpSource) else group_gaps)


def _placed(people: People, directory: Directory, live: Live, scope: PeopleScope) -> Directory:
    """Return the directory, as partially read if no user is in any group of the org, or a mapped group has no file.

    Such a source names groups differently (by ID, by distinguished name), or has no members, or no users at all. The
    latter is for files with the members of one group each.
    """
    names = group_names(live)
    unread = directory.coverage.state != "complete" or live.covered("idp_groups").state != "complete"
    if scope == PeopleScope() or unread or not names or endpoint_of(live.settings) != "new":
        return directory
    if isinstance(people, UserFiles):
        lacking = people.without_file(directory, _mapped(live) | (people.mapped & names))
        if lacking:
            listed = f"{', '.join(lacking[:_SHOWN])}{', ...' if len(lacking) > _SHOWN else ''}"
            problem = f"no people file for {listed}"
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
    """Return the users in scope; if their source cannot be read, none, and a coverage that says why.

    Raises ConfigError for an invalid people file.
    """
    try:
        return await read_people(people, org, live, scope)
    except OrgError as error:
        return Directory(coverage=UNREAD._replace(problem=error.problems[0].message))


def people_hint(source: PeopleSource, *, observed: bool = False) -> str:
    """Return what to do if users could not be read, by their source in the configuration."""
    if source.kind == "org":
        name = "set the source of users in `people:`"
        return name if observed else f"check that the token may read users, or {name}"
    if source.kind == "file":
        return f"check the people file `{', '.join(source.files) or source.at}`"
    secret = source.token or source.client_secret or source.private_key
    where = "the token" if secret is None else _secret_words(secret)
    return f"check {where}, and that it may read users and groups ({source.kind})"


def _secret_words(secret: SecretRef) -> str:
    """Return where a secret comes from, never the secret."""
    return "the token's command" if secret.kind == "exec" else f"the token in {secret.value}"


def group_names(live: Live) -> frozenset[str]:
    """Return the names of all groups that the org has, those of the legacy endpoint included."""
    groups = live.settings.idp_groups
    names = {*live.facts.groups, *(live.facts.legacy_links or ()), *(() if groups is UNSET else groups)}
    return frozenset(names | set(map(base_name, names)))


def _mapped(live: Live) -> set[str]:
    """Return the names of the mapped live groups, without the ID that distinguishes two of one name."""
    groups = live.settings.idp_groups
    named = {} if groups is UNSET else groups
    return {base_name(key) for key, mapping in named.items() if mapping != BLANK}


def left_out(directory: Directory) -> tuple[Problem, ...]:
    """Return warnings about entries of the source that were left out because they cannot be users of the org."""
    coverage = directory.coverage
    if coverage.state != "complete" or not coverage.problem:
        return directory.notes
    return (*directory.notes, Problem("people_left_out", coverage.problem, severity="warning"))


async def idp_problems(people: People | None, live: Live) -> tuple[Problem, ...]:
    """Return warnings about the IdP's app, if users come from one, and why it could not be read."""
    if not isinstance(people, IdpSource):
        return ()
    from rolecall.plan.lint.sources import lint_idp

    try:
        return lint_idp(await people.read_idp(), live)
    except OrgError as error:
        if any(live.covered(name).problem for name in IDP_SECTIONS if name in live.coverage):
            return ()  # their warnings have the reason
        return tuple(problem._replace(severity="warning") for problem in error.problems)
