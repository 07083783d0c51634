"""Reads an IdP's own API page by page; errors quote the IdP's message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

from rolecall.codec.people import DirectoryBuilder
from rolecall.errors import OrgError, Problem
from rolecall.live.http.exchange import Exchange, Exchanged, together
from rolecall.live.http.lists import following, more_than, within
from rolecall.live.http.refusals import EndpointMessages
from rolecall.live.http.transport import Answer, NoAnswer, Request, json_request
from rolecall.live.people.idp_requests import Allowed, Query, Writes, is_allowed, query_of
from rolecall.model import normalise
from rolecall.model.directory import Directory
from rolecall.model.live import COMPLETE, UNREAD, Coverage
from rolecall.model.trace import NotRead

Json = Any
T = TypeVar("T")
Search = Callable[[str], Coroutine[Any, Any, Iterable[tuple[str, str]]]]
"""Looks up groups by name; returns the ids and names of the matches."""

MOST_PAGES = 20_000


class Idp(NamedTuple):
    """One IdP: its messages, how to read the reason in its errors, and the requests that may be sent to it.

    ``writes`` is empty for a connection that only reads.
    """

    messages: EndpointMessages
    reason_of: Callable[[Json], str]
    allowed: Allowed
    writes: Writes = MappingProxyType({})

    @property
    def name(self) -> str:
        return self.messages.name


class IdpRefused(OrgError):
    """The IdP returned a status other than 2xx."""

    def __init__(self, problem: Problem, status: int) -> None:
        super().__init__(problem)
        self.status = status


class IdpClient:
    """One IdP's API. ``base`` is the URL that its paths are relative to."""

    def __init__(self, exchange: Exchange, idp: Idp, base: str) -> None:
        self.exchange = exchange
        self._idp = idp
        self._base = base.rstrip("/")
        self._cuts: dict[str, str] = {}
        self._unresolved: dict[str, list[str]] = {}
        self._responds = False
        self._silent: NotRead | None = None

    async def read_object(self, path: str, *query: tuple[str, str]) -> Json:
        """Read one object. Raises OrgError if it is refused or is not JSON."""
        return self._json(*await self._ask(Request("GET", path, query)))

    async def read_linked(self, path: str, *query: tuple[str, str]) -> list[Json]:
        """Return all rows of a list whose pages are JSON lists joined by ``Link`` headers (RFC 8288), as in Okta.

        Rows that may be missing make the directory partial, see ``cut``.
        """
        return await self._list(path, query, lambda page: page)

    async def values(self, path: str, *query: tuple[str, str]) -> list[Json]:
        """Return all rows of a list whose pages are objects with ``value`` and ``@odata.nextLink``, as in Graph."""
        return await self._list(path, query, lambda page: page.get("value") if isinstance(page, dict) else None)

    async def read_page(self, path: str, *query: tuple[str, str]) -> Sequence[Json]:
        """Return the rows of the first page of a list whose pages are JSON lists."""
        request, answer = await self._ask(Request("GET", path, query))
        return self._checked_items(request, self._json(request, answer))

    def uncut(self, path: str, items: list[Json]) -> list[Json]:
        """Return the rows of a list that was read. Raises OrgError if it may lack rows, since absence cannot be
        concluded then.
        """
        if (why := self._cuts.get(path)) is not None:
            raise OrgError(Problem("idp_cut", why))
        return items

    async def _list(self, path: str, query: Query, rows_of: Callable[[Json], Json]) -> list[Json]:
        items: list[Json] = []
        request = Request("GET", path, query)
        self._cuts.pop(path, None)
        for _ in range(MOST_PAGES):
            page_request, answer = await self._ask(request)
            body = self._json(page_request, answer)
            page = self._checked_items(page_request, rows_of(body))
            items += page
            after = following(answer.headers, body)
            if after.link is None:
                self._note_cut(path, after.unknown or _short(answer, body, len(items), len(page), request))
                return items
            request = self._follow(after.link, page_request)
        raise self._wrong(Request("GET", path), "its pages do not end")

    async def write(self, method: str, path: str, body: Json = None, *, repeatable: bool = True) -> Exchanged:
        """Send a write of the list, with the query that the list has for it. Raises OrgError for any other one."""
        query = query_of(self._idp.writes, method, path)
        request = Request(method, path) if body is None else json_request(method, path, body)
        if query is None:
            raise self._not_listed(request)
        return await self.exchange.send(request._replace(query=query), changes=True, repeatable=repeatable)

    @property
    def cut(self) -> str | None:
        """Return why a list may lack rows, or None if each list was read to its end."""
        return next(iter(self._cuts.values()), None)

    def _note_cut(self, path: str, why: str | None) -> None:
        if why is not None:
            self._cuts[path] = f"the list {path} of {self._idp.name} may be incomplete: {why}"

    async def whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of a read. Raises OrgError if a response lacks what the API promises."""
        try:
            return await work
        except (KeyError, TypeError, AttributeError) as error:
            message = f"{self._idp.name} returned an undocumented response ({type(error).__name__}: {str(error)[:80]})"
            raise OrgError(Problem("idp_contract", message, None, _REPORT)) from None

    async def answered(self, work: Coroutine[Any, Any, T], permission: str) -> T | NotRead:
        """Return the result of a read, or why it failed. ``permission`` is what the credential needs for it.

        An IdP that did not respond to the first request is not asked again.
        """
        if self._silent is not None:
            work.close()
            return self._silent
        try:
            return await self.whole(work)
        except OrgError as error:
            problem = error.problems[0]
            lacks = isinstance(error, IdpRefused) and error.status == 403
            unread = NotRead(problem.message, f"the credential needs {permission}" if lacks else problem.hint)
            self._silent = None if self._responds else unread
            return unread

    async def people(self, work: Coroutine[Any, Any, Directory]) -> Directory:
        """Return the directory that a read returns; unread, with the reason, if the IdP refuses. Raises NoAnswer."""
        try:
            return await self.whole(work)
        except NoAnswer:
            raise
        except OrgError as error:
            return Directory(coverage=UNREAD._replace(problem=_sentence(error.problems[0])))

    async def by_name(self, names: Collection[str], search: Search, config_groups: Collection[str]) -> dict[str, str]:
        """Find groups by name: id -> name. A name with no group or with more than one is left out, with a note; a note
        that there is none only for ``config_groups``.
        """
        ordered = sorted(names)
        names_by_id: dict[str, str] = {}
        for name, groups in zip(ordered, await together(map(search, ordered)), strict=True):
            exact = [group for group, group_name in groups if normalise.name(group_name) == name]
            if len(exact) == 1:
                names_by_id[exact[0]] = name
            elif exact or name in config_groups:
                self._unresolved[name] = exact
        return names_by_id

    def directory(
        self, records: Iterable[Json], groups: Mapping[str, str], nameless: str, coverage: Coverage = COMPLETE
    ) -> Directory:
        """Return the directory of these records.

        A record is None for a user without an email address: such a user cannot be in the org, and ``nameless``
        describes how many are left out. ``groups`` are names by id. Raises OrgError.
        """
        builder = DirectoryBuilder(groups.values(), names=groups)
        listed = list(records)
        faults = builder.add(record for record in listed if record is not None)
        if faults or (twice := builder.repeated()):
            why = faults[0].message if faults else f"email addresses are repeated ({len(twice)})"
            hint = "correct these users in the IdP, then run the command again"
            raise OrgError(Problem("idp_people", f"{self._idp.name} has users that cannot be read: {why}", None, hint))
        read, left = len(builder), sum(record is None for record in listed)
        problem = coverage.problem or (nameless.format(left) if left else None)
        total = read + (coverage.total or 0)
        coverage = coverage._replace(read=read, total=total, problem=problem)
        if self.cut is not None:
            coverage = coverage._replace(state="partial", total=None, problem=self.cut)
        return replace(builder.build(coverage), notes=tuple(self._notes()))

    def _notes(self) -> Iterator[Problem]:
        """Yield a warning for each name that several groups have; for a connection in ``idp``, also for one that no
        group has.
        """
        for name, ids in sorted(self._unresolved.items()):
            if ids:
                message = f"{self._idp.name} has {len(ids)} groups named `{name}` ({', '.join(sorted(ids))})"
                hint = "rename all but one of them; the members of none of them are read"
                yield Problem("idp_two_groups", message, None, hint, "warning")
            elif self._idp.messages.section != "people":
                message = f"{self._idp.name} has no group named `{name}`"
                hint = "check the spelling, or create the group; until it is pushed, its mapping is pending"
                yield Problem("idp_no_group", message, None, hint, "warning")

    async def close(self) -> None:
        """Release all connections."""
        await self.exchange.transport.close()

    async def _ask(self, request: Request | None) -> tuple[Request, Answer]:
        assert request is not None
        if not is_allowed(self._idp.allowed, request.method, request.path):
            raise self._not_listed(request)
        answer = await self.exchange.read(request)
        self._responds = True
        if not answer.ok:
            raise IdpRefused(self._refusal(request, answer), answer.status)
        return request, answer

    def _not_listed(self, request: Request) -> OrgError:
        message = f"rolecall does not send {request} to {self._idp.name}"
        return OrgError(Problem("idp_request", message, None, f"check `{self._idp.messages.section}.app`"))

    def reason(self, answer: Answer) -> str:
        """Return the IdP's reason in an error, as one line; empty if there is none."""
        try:
            return one_line(self._idp.reason_of(answer.json()))
        except (ValueError, KeyError, TypeError, AttributeError):
            return ""

    def _json(self, request: Request, answer: Answer) -> Json:
        try:
            return answer.json()
        except ValueError:
            raise self._wrong(request, "it is not JSON") from None

    def _checked_items(self, request: Request, items: Json) -> Sequence[Json]:
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._wrong(request, "it is not a list of objects")
        return items

    def _follow(self, url: str, request: Request) -> Request:
        """Return the request for the next page. The token is sent only to the IdP's own host."""
        path = within(self._base, request.path, url)
        if path is None:
            raise self._wrong(request, "its next page is on another host")
        parts = urlsplit(path)
        return Request("GET", parts.path, tuple(parse_qsl(parts.query, keep_blank_values=True)))

    def _refusal(self, request: Request, answer: Answer) -> Problem:
        line = self.reason(answer)
        detail = f": {line}" if line else ""
        if answer.status == 401:
            message = f"{self._idp.name} does not accept the token{detail}"
            return Problem("idp_unauthorized", message, None, self._idp.messages.token)
        if answer.status == 403:
            message = f"the token cannot read {request.path} of {self._idp.name}{detail}"
            return Problem("idp_forbidden", message, None, self._idp.messages.rights)
        if answer.status == 404:
            message = f"{request.path} not found in {self._idp.name}{detail}"
            hint = f"check `{self._idp.messages.section}.app`, the app's ID in the IdP"
            return Problem("idp_not_found", message, None, hint)
        message = f"{self._idp.name} refused {request} with {answer.status}{detail}"
        return Problem("idp_refused", message, None, _REPORT)

    def _wrong(self, request: Request, why: str) -> OrgError:
        message = f"the response of {self._idp.name} to {request} is not valid: {why}"
        return OrgError(Problem("idp_contract", message, None, _REPORT))


_REPORT = "run the command again; if it fails again, report a bug with the output of -vv"


def _short(answer: Answer, body: Json, read: int, page: int, request: Request) -> str | None:
    """Return why a list without a next page is incomplete: a larger total, or a full page without a link.

    Okta sends a ``Link`` header with each page of a list, so one without it has lost it on the way.
    """
    if (total := more_than(answer.headers, body, read)) is not None:
        return f"its total is {total:,} rows, but it has {read:,}"
    limit = dict(request.query).get("limit", "")
    if isinstance(body, list) and limit.isdecimal() and page >= int(limit) and "link" not in answer.headers:
        return f"it has {page:,} rows, the requested maximum, and no `Link` header"
    return None


def one_line(text: str) -> str:
    """Return the first 300 characters of an IdP's text as one printable line."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]


def url_host(url: Json) -> str | None:
    """Return the host of an http or https URL that an IdP has, None for anything else."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return None
    return parts.hostname if parts is not None and parts.scheme in ("http", "https") else None


def moment(text: Json) -> datetime | None:
    """Return a time that an IdP writes in ISO 8601, None for no time or another text."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def known_moment(text: Json) -> datetime:
    """Return the time of a record that must have one. Raises TypeError."""
    if (at := moment(text)) is None:
        raise TypeError("a record has no time")
    return at


def _sentence(problem: Problem) -> str:
    """Return a problem and its hint as a reason."""
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message
