"""Reads groups of Okta by ID and by name, one answer for each: a request that fails leaves only its own answer open.

Where many are needed, a search has several terms, and groups of the app are read as one list. Absence of an ID from
these proves nothing, since Okta leaves out some groups for some admin roles; such a group is requested by itself.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from rolecall.live.http.exchange import together
from rolecall.live.people.idp_client import IdpClient, IdpRefused
from rolecall.live.people.okta_records import GROUPS, source_app
from rolecall.model import normalise
from rolecall.model.live import IdpGroup
from rolecall.model.trace import NotRead

Json = Any
MOST_SINGLY: Final = 50
"""The largest number of groups that are read by one request each."""
MOST_TERMS: Final = 20
"""The largest number of values in one search."""
LONGEST: Final = 4000
"""The largest number of characters that the terms of one search have in its URL."""
PATH: Final = "/api/v1/groups"


class OktaGroups:
    """The groups of one Okta. ``app`` is the WRITER app's ID, quoted."""

    def __init__(self, client: IdpClient, app: str) -> None:
        self._client = client
        self._app = app

    async def named(self, names: Collection[str]) -> dict[str, Sequence[IdpGroup] | NotRead]:
        """Return the groups with exactly each name, other than those of the app: these are the targets of pushes."""

        async def search(batch: Sequence[str]) -> Sequence[IdpGroup]:
            return [own for match in await self._search("profile.name", batch) if (own := self._own(match)) is not None]

        batches = list(batched(names))
        answers = await together(self._client.answered(search(batch), GROUPS) for batch in batches)
        named: dict[str, Sequence[IdpGroup] | NotRead] = {}
        for batch, answer in zip(batches, answers, strict=True):
            if isinstance(answer, NotRead):
                named |= dict.fromkeys(batch, answer)
            else:
                named |= {name: [group for group in answer if group.name == name] for name in batch}
        return named

    async def by_id(self, ids: Collection[str]) -> dict[str, IdpGroup | NotRead | None]:
        """Return groups by ID; None for one that does not exist."""
        known: dict[str, IdpGroup] = {}
        if len(ids) > MOST_SINGLY:
            searches = (self._client.answered(self._search("id", batch), GROUPS) for batch in batched(ids))
            listed = [answer for answer in await together(searches) if not isinstance(answer, NotRead)]
            known = _by_id((group_of(group) for answer in listed for group in answer), ids)
        return {**known, **await self._singly(ids - known.keys())}

    async def _singly(self, ids: Collection[str]) -> dict[str, IdpGroup | NotRead | None]:
        async def read(group: str) -> IdpGroup | None:
            try:
                return group_of(await self._client.read_object(f"{PATH}/{quote(group, safe='')}"))
            except IdpRefused as error:
                if error.status == 404:
                    return None
                raise

        listed = sorted(ids)
        answers = await together(self._client.answered(read(group), GROUPS) for group in listed)
        return dict(zip(listed, answers, strict=True))

    async def of_app(self, ids: Collection[str]) -> dict[str, IdpGroup | NotRead | None]:
        """Return groups of the app by ID, to which Okta pushes; None for one that does not exist."""
        known: dict[str, IdpGroup] = {}
        if len(ids) > MOST_SINGLY:
            search = f"source.id eq {json.dumps(self._app)}"
            listed = await self._client.answered(self._list("search", search), GROUPS)
            known = {} if isinstance(listed, NotRead) else _by_id(map(group_of, listed), ids)
        return {**known, **await self._singly(ids - known.keys())}

    async def _search(self, attribute: str, values: Sequence[str]) -> list[Json]:
        """Return the groups with one of these values. If Okta refuses a search for several, each is searched for."""
        terms = [f"{attribute} eq {json.dumps(value, ensure_ascii=False)}" for value in values]
        try:
            return await self._list("search", " or ".join(terms))
        except IdpRefused as error:
            if error.status != HTTPStatus.BAD_REQUEST or len(terms) < 2:
                raise
        return [group for term in terms for group in await self._list("search", term)]

    async def _list(self, *query: str) -> list[Json]:
        parameters = ((query[0], query[1]),) if query else ()
        return self._client.uncut(PATH, await self._client.read_linked(PATH, *parameters, ("limit", "200")))

    def _own(self, group: Json) -> IdpGroup | None:
        """Return a group unless it is one of the app."""
        return None if source_app(group) == self._app else group_of(group)


def batched(values: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Yield values, sorted: one at a time if they are few, or else as many as one search may have."""
    listed = sorted(values)
    if len(listed) <= MOST_SINGLY:
        yield from ((value,) for value in listed)
        return
    batch: list[str] = []
    size = 0
    for value in listed:
        length = len(quote(value)) + _TERM
        if batch and (len(batch) == MOST_TERMS or size + length > LONGEST):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(value)
        size += length
    yield tuple(batch)


_TERM: Final = 40
"""The characters in a URL that a term of a search has besides its value."""


def group_of(group: Json) -> IdpGroup:
    """Return a group as Okta has it. Raises KeyError if it lacks what every group has."""
    return IdpGroup(str(group["id"]), normalise.name(group["profile"]["name"]), str(group.get("type") or ""))


def _by_id(groups: Iterable[IdpGroup], ids: Collection[str]) -> dict[str, IdpGroup]:
    return {group.id: group for group in groups if group.id in ids}


def names_of(groups: Mapping[str, IdpGroup | NotRead | None]) -> dict[str, str]:
    """Return the names of the groups that were read, by ID."""
    return {known: group.name for known, group in groups.items() if isinstance(group, IdpGroup)}
