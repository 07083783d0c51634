"""Reads people from the org's own API: those in scope by one search, or everybody in parts side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rolecall.codec.capabilities import SEARCH
from rolecall.codec.people import DirectoryBuilder
from rolecall.errors import OrgError
from rolecall.live.exchange import Exchange, together
from rolecall.live.lists import Listing, ListShifted, page_size, read_list
from rolecall.live.refusals import contract, decoded
from rolecall.live.transport import NoAnswer, Request, json_request
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.live import UNREAD, Coverage, Facts

PARTS = 8
"""How many parts everybody is read in, each over a connection of its own."""
EACH_PART = 2
"""Pages that a part should have at least; fewer people are read in fewer parts."""

MOST_NAMED = 1000
"""How many groups or e-mails one search names."""

NO_GROUPS: Mapping[str, str] = {}

ALL = Request("GET", "/v1/people")


async def read_directory(
    exchange: Exchange, facts: Facts, scope: PeopleScope, legacy: Mapping[str, str] = NO_GROUPS
) -> Directory:
    """The people in scope; everybody when the org cannot search. Unread, with the reason, when not all can be had.

    ``legacy`` names, by id, groups that the settings do not have while an upgrade is under way (R20).
    Raises NoAnswer when the org falls silent.
    """
    if scope == PeopleScope():
        return Directory(groups=tuple(facts.groups))
    try:
        listings = await _listings(exchange, facts, scope)
        return decoded(ALL, lambda: _directory(facts, listings, legacy))
    except NoAnswer:
        raise
    except OrgError as error:
        return Directory(coverage=UNREAD._replace(problem=error.problems[0].message))


async def _listings(exchange: Exchange, facts: Facts, scope: PeopleScope) -> Sequence[Listing]:
    limit = page_size(facts)
    if not scope.everybody and SEARCH in facts.can:
        searches = [json_request("POST", "/v1/people/search", body) for body in search_bodies(scope, facts)]
        found = await together(read_list(exchange, search, limit, moving=True) for search in searches)
        return found if len(found) < 2 else [_union(found)]
    count = _parts(facts.people, limit)
    parts = [ALL._replace(query=(("partition", f"{part}/{count}"),)) for part in range(count)] if count > 1 else [ALL]
    return await together(read_list(exchange, part, limit, moving=True) for part in parts)


def _parts(people: int | None, limit: int) -> int:
    return PARTS if people is None else max(1, min(PARTS, people // (EACH_PART * limit)))


def search_bodies(scope: PeopleScope, facts: Facts) -> list[dict[str, Any]]:
    """The bodies of the searches for a scope: one, or more where it names more than a search may; none for nobody.

    Groups are named by id; one that the org lacks has nobody.
    """
    groups = sorted({facts.groups[name].id for name in scope.groups if name in facts.groups})
    emails = sorted(scope.emails)
    flags = {name: True for name in ("org_admins", "unmapped", "manual", "attribute_admins") if getattr(scope, name)}
    bodies: list[dict[str, Any]] = [{**flags} for _ in range(1 if flags else 0)]
    for name, said in (("groups", groups), ("emails", emails)):
        for number, start in enumerate(range(0, len(said), MOST_NAMED)):
            if number >= len(bodies):
                bodies.append({})
            bodies[number][name] = said[start : start + MOST_NAMED]
    return bodies


def _union(listings: Sequence[Listing]) -> Listing:
    """Several searches as one: who was found by two is one person."""
    rows = {row.get("id"): row for listing in listings for row in listing.rows}
    return Listing(list(rows.values()), len(rows))


def _directory(facts: Facts, listings: Sequence[Listing], legacy: Mapping[str, str]) -> Directory:
    """One directory of all parts. Raises OrgError for rows that are no people, and for people who came twice."""
    names = {**legacy, **{group.id: name for name, group in facts.groups.items()}}
    builder = DirectoryBuilder(facts.groups, names=names, roles=facts.roles)
    for listing in listings:
        if faults := builder.add(listing.rows):
            raise contract(ALL, f"a person in it {faults[0].message}")
    ids = {row["id"] for listing in listings for row in listing.rows}
    read, total = len(builder), sum(listing.total for listing in listings)
    if len(ids) != read:
        raise ListShifted(*contract(ALL, "a person came in two parts").problems)
    if twice := builder.repeated():
        raise contract(ALL, f"{len(twice)} e-mail addresses came twice")
    return builder.build(Coverage(read=read, total=total))
