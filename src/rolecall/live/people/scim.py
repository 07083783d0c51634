"""Reads users from any SCIM 2.0 server (RFC 7644), using as few features as possible.

It does not rely on filters, sorting, or ``groups`` on users; attributes are requested, and omitted if the server
refuses that. Pages are as large as the server makes them and end with an empty one; ``totalResults`` counts only if it
agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rolecall.codec.people import DirectoryBuilder
from rolecall.errors import OrgError
from rolecall.live.http.exchange import Exchange, together
from rolecall.live.http.lists import SLACK, ListShifted, following
from rolecall.live.http.refusals import SCIM, ReadRefused, accepted, contract, decoded
from rolecall.live.http.transport import NoAnswer, Request
from rolecall.live.people.full_names import full_name
from rolecall.model import normalise
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.live import UNREAD, Coverage

Json = Any
PAGE = 100
EXTENSION = "urn:custom:params:scim:schemas:extension:writer:2.0"
"""Location of the legacy endpoint's role attribute (R18); some servers append ``:User``, some omit the URN."""

ACCEPT = (("accept", "application/scim+json, application/json"),)
USERS = Request("GET", "/Users", (("attributes", "userName,emails,active,groups"),), ACCEPT)
NAMED_USERS = Request("GET", "/Users", (("attributes", "userName,emails,active,groups,name,displayName"),), ACCEPT)
GROUPS = Request("GET", "/Groups", (("attributes", "displayName,members"),), ACCEPT)


class ScimList(NamedTuple):
    """Resources that were read. ``missing``: how many more the server says there are.

    ``cut`` is a sign of a next page in an unknown format, on the last page with one (such as RFC 9865's
    ``nextCursor``).
    """

    resources: list[Json]
    missing: int = 0
    cut: str | None = None


class ScimPeople:
    """The users and groups of a SCIM server, see ``port.People``. The exchange's base URL is the server's.

    ``role_attribute`` names the attribute to read for the legacy endpoint; without it, attributes are not read. With
    ``full_names``, the names of users are read as well.
    """

    def __init__(self, exchange: Exchange, role_attribute: str | None = None, *, full_names: bool = False) -> None:
        self._exchange = exchange
        self._attribute = role_attribute
        self._full_names = full_names

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Read all users, whatever the scope. Unread, with the reason, if not all can be read. Raises NoAnswer."""
        if scope == PeopleScope():
            return Directory()
        try:
            users, groups = await together((self._users(), self._groups()))
            return decoded(USERS, lambda: _directory(users, groups, self._attribute, self._full_names), SCIM)
        except NoAnswer:
            raise
        except OrgError as error:
            return Directory(coverage=UNREAD._replace(problem=error.problems[0].message))

    async def close(self) -> None:
        """Release all connections."""
        await self._exchange.transport.close()

    async def _users(self) -> ScimList:
        named = NAMED_USERS if self._full_names else USERS
        whole = named._replace(query=()) if self._attribute else named
        return await read_scim_list(self._exchange, whole)

    async def _groups(self) -> ScimList:
        """Read the groups; none if the server has no such endpoint, because users may list theirs."""
        try:
            return await read_scim_list(self._exchange, GROUPS)
        except ReadRefused as error:
            if error.status in (404, 405, 501):
                return ScimList([])
            raise


async def read_scim_list(exchange: Exchange, request: Request) -> ScimList:
    """Read all resources of a type; without requesting attributes if the server refuses that; once more if the list
    shifts.

    Raises ListShifted if it shifts again, OrgError if the server refuses or does not respond.
    """
    try:
        resources = await _attempt(exchange, request)
        return resources if not resources.missing else await _attempt(exchange, request)
    except ListShifted:
        return await _attempt(exchange, request)


async def _attempt(exchange: Exchange, request: Request) -> ScimList:
    try:
        return await _read(exchange, request)
    except ReadRefused as error:
        if not request.query or error.status not in (400, 403, 404, 501):
            raise
        return await _read(exchange, request._replace(query=()))


async def _read(exchange: Exchange, request: Request) -> ScimList:
    resources: list[Json] = []
    ids: set[str] = set()
    total = 0
    cut: str | None = None
    while True:
        page = await _page(exchange, request, len(resources) + 1, total if resources else None)
        total = page.total if page.total is not None else total
        known = ids.intersection(page.ids)
        if not page.resources or (len(known) == len(page.resources) and len(resources) >= total):
            return ScimList(resources, max(0, total - len(resources)), cut)
        if known or len(set(page.ids)) != len(page.ids):
            raise ListShifted(*contract(request, "a resource is repeated", SCIM).problems)
        resources += page.resources
        cut = page.cut
        ids.update(page.ids)
        if len(resources) > 2 * total + SLACK:
            raise ListShifted(
                *contract(
                    request, f"its total is {total}, but it has more than {len(resources)} resources", SCIM
                ).problems
            )


class _Page(NamedTuple):
    resources: list[Json]
    ids: list[str]
    total: int | None
    cut: str | None = None


async def _page(exchange: Exchange, request: Request, start: int, total: int | None) -> _Page:
    page_request = request._replace(query=(*request.query, ("startIndex", str(start)), ("count", str(PAGE))))
    answer = await exchange.read(page_request)
    if total is not None and start > total and answer.status in (400, 404):
        return _Page([], [], None)
    body = accepted(page_request, answer, SCIM)
    after = following(answer.headers, body)
    page = decoded(page_request, lambda: _decode_page(body), SCIM)
    return page._replace(cut=after.unknown or (after.link and "it has a link to a next page"))


def _decode_page(body: Json) -> _Page:
    resources = body.get("Resources") or []
    if not isinstance(resources, list) or not isinstance(body["totalResults"], int):
        raise TypeError("`Resources` or `totalResults`")
    ids = [resource["id"] for resource in resources]
    if not all(isinstance(id_, str) for id_ in ids):
        raise TypeError("an id is not text")
    return _Page(resources, ids, body["totalResults"])


def _directory(users: ScimList, groups: ScimList, attribute: str | None, full_names: bool) -> Directory:
    """Return one directory. Raises OrgError for duplicate users (R28)."""
    names = {group["id"]: normalise.name(group["displayName"]) for group in groups.resources}
    groups_by_user = _memberships(groups.resources)
    builder = DirectoryBuilder([name for name in names.values() if name], names=names)
    records = [_user_record(user, groups_by_user.get(user["id"], ()), names, attribute) for user in users.resources]
    if full_names:
        records = [_named(record, user) for record, user in zip(records, users.resources, strict=True)]
    nameless = sum(record is None for record in records)
    if faults := builder.add(record for record in records if record is not None):
        raise contract(USERS, f"a user {faults[0].message}", SCIM)
    if twice := builder.repeated():
        raise contract(USERS, f"email addresses are repeated ({len(twice)})", SCIM)
    return builder.build(_coverage(users, groups, len(builder), nameless))


def _coverage(users: ScimList, groups: ScimList, read: int, nameless: int) -> Coverage:
    if users.missing or groups.missing:
        problem = f"according to the server, {users.missing} more users and {groups.missing} more groups exist"
        return Coverage("partial", read, read + users.missing, problem=problem)
    if why := users.cut or groups.cut:
        return Coverage("partial", read, problem=f"the server's list may be incomplete: {why}")
    left_out = f"users without an email address are left out ({nameless})" if nameless else None
    return Coverage(read=read, total=read, problem=left_out)


def _memberships(groups: Sequence[Json]) -> dict[str, list[str]]:
    """Return the direct groups of users, by ids; nested groups do not count (R29)."""
    groups_by_user: dict[str, list[str]] = {}
    for group in groups:
        for member in group.get("members") or ():
            if str(member.get("type") or "User").casefold() == "user" and "/Groups/" not in (member.get("$ref") or ""):
                groups_by_user.setdefault(member["value"], []).append(group["id"])
    return groups_by_user


def _user_record(user: Json, group_ids: Sequence[str], names: dict[str, str], attribute: str | None) -> Json:
    """Return a user in the codec's format; None without an email address, because such a user cannot be in the org."""
    email = next(_emails(user), None)
    if email is None:
        return None
    own_groups: list[Json] = list(filter(_is_direct, user.get("groups") or ()))
    groups = [*group_ids, *(_group_key(group, names) for group in own_groups if group.get("value") not in group_ids)]
    record = {"email": email, "active": _truth(user.get("active", True)), "groups": groups}
    role = _attribute(user, attribute) if attribute else None
    return record if role is None else {**record, "role_attribute": role}


def _named(record: Json, user: Json) -> Json:
    """Return a user in the codec's format with the full name, if the server has it."""
    name = full_name(user.get("name")) or full_name({"displayName": user.get("displayName")})
    return record if record is None or name is None else {**record, "name": name}


def _is_direct(group: Json) -> bool:
    return str(group.get("type") or "direct").casefold() == "direct"


def _group_key(group: Json, names: dict[str, str]) -> str:
    """Return a group that a user lists: its id if the groups were read, else its name."""
    return (
        str(group["value"]) if group.get("value") in names else normalise.name(group.get("display") or group["value"])
    )


def _emails(user: Json) -> Iterator[str]:
    """Yield the addresses that may identify a user, the most likely first."""
    name = user.get("userName") or ""
    if "@" in name:
        yield name
    mails = [mail for mail in user.get("emails") or () if isinstance(mail, dict) and mail.get("value")]
    yield from (mail["value"] for mail in mails if mail.get("primary") is True)
    yield from (mail["value"] for mail in mails if mail.get("type") == "work")
    yield from (mail["value"] for mail in mails)


def _truth(value: Json) -> bool:
    """Return a boolean, which Entra's connectors send as text."""
    return value.casefold() != "false" if isinstance(value, str) else value is not False


def _attribute(user: Json, attribute: str) -> str | None:
    for place in (user.get(EXTENSION), user.get(f"{EXTENSION}:User"), user):
        value = place if isinstance(place, str) else place.get(attribute) if isinstance(place, dict) else None
        if isinstance(value, str) and value:
            return value
    return None
