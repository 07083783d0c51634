"""Implements every Protocol of ``port`` for an org with an API, over any transport."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from rolecall.codec import api
from rolecall.codec.snapshot import moment_text
from rolecall.errors import OrgError
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.lists import Json, page_size, read_list, read_page
from rolecall.live.http.refusals import contract, decoded
from rolecall.live.http.transport import ColumnTransport, Request, Transport
from rolecall.live.people.org_api import read_directory
from rolecall.live.sections import WHOLE, read_org, read_sections
from rolecall.live.writes import WriteContext, write_change
from rolecall.model.change import Change
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.kinds import split_address
from rolecall.model.live import Facts, Live
from rolecall.model.outcome import Event, LogSearch, Outcome, Refused

if TYPE_CHECKING:
    from rolecall.live.scim_tokens import ScimTokens

AUDIT = Request("GET", "/v1/audit-log")
FIRST_PAGE = 50
"""Entries of the audit log that a search reads first. In most cases the entry is among them."""
LOG_PAGES = 20
"""Pages of the audit log that a search reads at most."""
NEEDED = {"idp_groups": ("idp_groups", "roles")}
"""Sections that must have been read before a change to a section can be written."""


class OrgClient:
    """Implements Reader, People, Writer and Audit over one Transport.

    Keeps from its last reads what writes and users need: the ids of groups and the roles. ``reads`` and ``writes``
    count the requests sent, including retries.
    """

    def __init__(
        self, transport: Transport, exchange: Exchange | None = None, columns: ColumnTransport | None = None
    ) -> None:
        self._exchange = exchange or Exchange(transport)
        self._transport = transport
        self._columns = columns
        self._facts: Facts | None = None
        self._legacy: Mapping[str, str] = {}
        self._seen: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Return the name of the org in messages."""
        return self._transport.name

    @property
    def reads(self) -> int:
        return self._exchange.reads

    @property
    def writes(self) -> int:
        return self._exchange.writes

    async def read(self, sections: frozenset[str] | None = None) -> Live:
        """Read ``GET /v1/org``, then the named sections (or all, with teams and roles) concurrently."""
        before = self._exchange.reads
        facts = await read_org(self._exchange)
        names = WHOLE if sections is None else sections
        live, legacy = await read_sections(self._exchange, facts, names)
        read = frozenset(name for name in names if name == "roles" or live.covered(name).state != "unread")
        self._remember(live.facts, read)
        self._legacy = legacy if "scim" in read else self._legacy
        self._seen |= read
        return replace(live, requests=self._exchange.reads - before)

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Read the users in scope, with their groups by the names of the last read."""
        facts = await self._known("idp_groups", "roles", "scim")
        before = self._exchange.reads
        directory = await read_directory(self._exchange, facts, scope, self._legacy, self._columns)
        return replace(directory, requests=self._exchange.reads - before)

    async def write(self, change: Change, version: str | None, key: str) -> Outcome:
        """Send one change as one write, see ``port.Writer``."""
        section, _ = split_address(change.address)
        try:
            facts = await self._known(*NEEDED.get(section, ()))
        except OrgError as error:
            return Refused(error.problems[0])
        return await write_change(self._exchange, WriteContext(facts.groups, facts.roles), change, version, key)

    @property
    def scim_tokens(self) -> ScimTokens:
        """Return the SCIM tokens of the org."""
        from rolecall.live.scim_tokens import ScimTokens

        return ScimTokens(self._exchange)

    async def find(self, key: str) -> Event | None:
        """Return the write made under an idempotency key, or None."""
        request = AUDIT._replace(query=(("key", key),))
        listing = await read_list(self._exchange, request, 1)
        events = decoded(request, partial(_events, listing.items))
        return events[0] if events else None

    async def since(self, at: datetime) -> Sequence[Event]:
        """Return all writes after a moment, oldest first."""
        request = AUDIT._replace(query=(("since", moment_text(at)),))
        facts = await self._known()
        listing = await read_list(self._exchange, request, page_size(facts), moving=True)
        events = decoded(request, partial(_events, listing.items))
        return sorted(events, key=lambda event: event.at)

    async def search(self, matches: Callable[[Event], bool], until: str = "") -> LogSearch:
        """Search the log from its newest entry back."""
        request = AUDIT._replace(query=(("order", "desc"),))
        most, before = page_size(await self._known()), self._exchange.reads
        newest, entries, after = "", 0, None
        for number in range(LOG_PAGES):
            page = await read_page(self._exchange, request, most if number else min(most, FIRST_PAGE), after)
            events = decoded(request, partial(_events, page.items))
            if events and events[0].at < events[-1].at:
                raise contract(request, "it is not sorted from newest to oldest")
            newest = newest or (events[0].id if events else "")
            end = next((n for n, event in enumerate(events) if event.id == until or matches(event)), None)
            entries += len(events) if end is None else end + 1
            if end is not None or not page.has_more:
                event = None if end is None or events[end].id == until else events[end]
                return LogSearch(event, newest, entries, self._exchange.reads - before)
            after = page.last
        return LogSearch(None, newest, entries, self._exchange.reads - before, whole=False)

    async def close(self) -> None:
        """Release all connections."""
        await self._transport.close()

    def _remember(self, facts: Facts, read: frozenset[str]) -> None:
        """Keep what earlier reads returned and this one did not read."""
        earlier = self._facts
        if earlier is not None and "idp_groups" not in read:
            facts = facts._replace(groups=earlier.groups, homonyms=earlier.homonyms)
        if earlier is not None and "roles" not in read:
            facts = facts._replace(roles=earlier.roles)
        self._facts = facts

    async def _known(self, *sections: str) -> Facts:
        """Return what earlier reads returned of these sections; read those that none of them covered."""
        missing = frozenset(sections) - self._seen
        if missing or self._facts is None:
            await self.read(missing)
        return self._facts or Facts()


def _events(items: Iterable[Json]) -> list[Event]:
    return [api.decode_event(item) for item in items]
