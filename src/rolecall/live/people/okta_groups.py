"""Reads groups of Okta by ID and by name, one answer for each: a request that fails leaves only its own answer open.

Where many are needed, they are read as one list. Absence from that list proves nothing, since Okta leaves out some
groups for some admin roles; what it lacks is requested by itself.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
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
PATH: Final = "/api/v1/groups"


class OktaGroups:
    """The groups of one Okta. ``app`` is the WRITER app's ID, quoted."""

    def __init__(self, client: IdpClient, app: str) -> None:
        self._client = client
        self._app = app

    async def named(self, names: Collection[str]) -> dict[str, Sequence[IdpGroup] | NotRead]:
        """Return the groups with exactly each name, other than those of the app: these are the targets of pushes."""

        async def search(name: str) -> Sequence[IdpGroup]:
            matches = await self._list("search", f"profile.name eq {json.dumps(name, ensure_ascii=False)}")
            return [group for match in matches if (group := self._own(match)) is not None and group.name == name]

        listed = sorted(names)
        answers = await together(self._client.answered(search(name), GROUPS) for name in listed)
        return dict(zip(listed, answers, strict=True))

    async def by_id(self, ids: Collection[str]) -> dict[str, IdpGroup | NotRead | None]:
        """Return groups by ID; None for one that does not exist."""

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
        return {**known, **await self.by_id(ids - known.keys())}

    async def _list(self, *query: str) -> list[Json]:
        parameters = ((query[0], query[1]),) if query else ()
        return self._client.uncut(PATH, await self._client.read_linked(PATH, *parameters, ("limit", "200")))

    def _own(self, group: Json) -> IdpGroup | None:
        """Return a group unless it is one of the app."""
        return None if source_app(group) == self._app else group_of(group)


def group_of(group: Json) -> IdpGroup:
    """Return a group as Okta has it. Raises KeyError if it lacks what every group has."""
    return IdpGroup(str(group["id"]), normalise.name(group["profile"]["name"]), str(group.get("type") or ""))


def _by_id(groups: Iterable[IdpGroup], ids: Collection[str]) -> dict[str, IdpGroup]:
    return {group.id: group for group in groups if group.id in ids}


def names_of(groups: Mapping[str, IdpGroup | NotRead | None]) -> dict[str, str]:
    """Return the names of the groups that were read, by ID."""
    return {known: group.name for known, group in groups.items() if isinstance(group, IdpGroup)}
