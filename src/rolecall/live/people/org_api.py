"""Reads users from the org's own API: those in scope by one search, or all in concurrent parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rolecall.codec.capabilities import SEARCH
from rolecall.codec.people import DirectoryBuilder
from rolecall.errors import OrgError
from rolecall.live.http.exchange import Exchange, together
from rolecall.live.http.lists import ListShifted, collect, page_size, read_list
from rolecall.live.http.refusals import ReadRefused, contract, decoded
from rolecall.live.http.transport import ColumnTransport, NoAnswer, Request, json_request
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.live import UNREAD, Coverage, Facts

PARTS = 8
"""Number of parts in which all users are read, each over its own connection."""
EACH_PART = 2
"""Minimum number of pages of a part; fewer users are read in fewer parts."""

MOST_NAMED = 1000
"""Number of groups or emails that one search may name."""

NO_GROUPS: Mapping[str, str] = {}

ALL = Request("GET", "/v1/people")


async def read_directory(
    exchange: Exchange,
    facts: Facts,
    scope: PeopleScope,
    legacy: Mapping[str, str] = NO_GROUPS,
    columns: ColumnTransport | None = None,
) -> Directory:
    """Read the users in scope, or all users if the org cannot search. Unread, with the reason, if not all can be read.

    ``legacy`` names, by id, groups that the settings do not have while an upgrade is in progress (R20). ``columns``
    returns users in columns, if the org can; the directory is the same as from pages. Raises NoAnswer when the org does
    not respond.
    """
    if scope == PeopleScope():
        return Directory(groups=tuple(facts.groups))
    try:
        requests = _requests(facts, scope)
        if columns is not None and len(requests) == 1:
            return await _in_columns(exchange, columns, requests[0], _Users(facts, legacy).builder)
        parts = await _parts_of(exchange, facts, requests, legacy)
        return decoded(ALL, lambda: _directory(_Users(facts, legacy).builder, parts))
    except NoAnswer:
        raise
    except OrgError as error:
        return Directory(coverage=UNREAD._replace(problem=error.problems[0].message))


class _Users:
    """Collects users page by page, in columns, without the objects that the org sent.

    ``total`` is the number that the org states; it is set after the last page.
    """

    def __init__(self, facts: Facts, legacy: Mapping[str, str]) -> None:
        names = {**legacy, **{group.id: name for name, group in facts.groups.items()}}
        self.builder = DirectoryBuilder(facts.groups, names=names, roles=facts.roles)
        self.total = 0

    def add(self, items: list[Any]) -> None:
        """Take a page. Raises OrgError for a row that is not a user."""
        if faults := self.builder.add(items):
            raise contract(ALL, f"a user {faults[0].message}")
        if not all("id" in item for item in items):
            raise contract(ALL, "a user has no `id`")


def _requests(facts: Facts, scope: PeopleScope) -> list[Request]:
    """Return the requests whose responses together have the users in scope."""
    if scope.everybody or SEARCH not in facts.can:
        return [ALL]
    return [json_request("POST", "/v1/people/search", body) for body in search_bodies(scope, facts)]


async def _in_columns(
    exchange: Exchange, columns: ColumnTransport, request: Request, builder: DirectoryBuilder
) -> Directory:
    answer = await exchange.read(request, columns.send_for_columns)
    if not answer.ok:
        raise ReadRefused(request, answer)
    if answer.users is None:
        raise contract(request, "it has no users in columns")
    try:
        builder.add_columns(answer.users)
    except ValueError as error:
        raise contract(ALL, f"a user {error}") from None
    return _whole(builder, len(builder))


async def _parts_of(
    exchange: Exchange, facts: Facts, requests: Sequence[Request], legacy: Mapping[str, str]
) -> list[_Users]:
    """Return the users of these requests, in parts that were read concurrently."""
    limit = page_size(facts)

    async def part(request: Request) -> _Users:
        users, total = await collect(exchange, request, limit, lambda: _Users(facts, legacy))
        users.total = total
        return users

    if requests != [ALL]:
        if len(requests) > 1:
            return [await _union(exchange, requests, limit, _Users(facts, legacy))]
        return await together(map(part, requests))
    count = _parts(facts.people, limit)
    if count == 1:
        return [await part(ALL)]
    return await together(part(ALL._replace(query=(("partition", f"{n}/{count}"),))) for n in range(count))


async def _union(exchange: Exchange, searches: Sequence[Request], limit: int, users: _Users) -> _Users:
    """Read several searches as one; a user in two results counts once."""
    listings = await together(read_list(exchange, search, limit, moving=True) for search in searches)
    users_by_id = {user.get("id"): user for listing in listings for user in listing.items}
    users.add(list(users_by_id.values()))
    users.total = len(users_by_id)
    return users


def _parts(people: int | None, limit: int) -> int:
    return PARTS if people is None else max(1, min(PARTS, people // (EACH_PART * limit)))


def search_bodies(scope: PeopleScope, facts: Facts) -> list[dict[str, Any]]:
    """Return the bodies of the searches for a scope: one, more if it names more than a search may, none for no users.

    Groups are named by id; a group that the org does not have has no users.
    """
    groups = sorted({facts.groups[name].id for name in scope.groups if name in facts.groups})
    emails = sorted(scope.emails)
    flags = {name: True for name in ("org_admins", "unmapped", "manual", "attribute_admins") if getattr(scope, name)}
    bodies: list[dict[str, Any]] = [{**flags} for _ in range(1 if flags else 0)]
    for name, names in (("groups", groups), ("emails", emails)):
        for number, start in enumerate(range(0, len(names), MOST_NAMED)):
            if number >= len(bodies):
                bodies.append({})
            bodies[number][name] = names[start : start + MOST_NAMED]
    return bodies


def _directory(builder: DirectoryBuilder, parts: list[_Users]) -> Directory:
    """Return one directory of all parts, which are emptied. Raises OrgError for duplicate users."""
    total = sum(users.total for users in parts)
    while parts:
        builder.extend(parts.pop(0).builder)
    if len(set(builder.ids)) != len(builder):
        raise ListShifted(*contract(ALL, "a user is in two parts").problems)
    return _whole(builder, total)


def _whole(builder: DirectoryBuilder, total: int) -> Directory:
    if twice := builder.repeated():
        raise contract(ALL, f"email addresses are repeated ({len(twice)})")
    return builder.build(Coverage(read=len(builder), total=total))
