"""An org with no wire and no disk: what is left of an apply is rolecall's own work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from rolecall.model.change import Change
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.kinds import split_address
from rolecall.model.live import Coverage, Live
from rolecall.model.outcome import Done, Event, Outcome
from rolecall.model.settings import BLANK, UNSET, GroupMapping


class MemoryOrg:
    """Takes every write to a mapping at once; nobody is in it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        held = live.settings.idp_groups
        self._groups = {} if held is UNSET else dict(held)
        self.written = 0

    async def read(self, sections: frozenset[str] | None = None) -> Live:
        settings = replace(self._live.settings, idp_groups=dict(self._groups))
        return replace(self._live, settings=settings)

    async def read_people(self, scope: PeopleScope) -> Directory:
        return Directory(coverage=Coverage())

    async def write(self, change: Change, version: str | None, key: str) -> Outcome:
        _, name = split_address(change.address)
        self._groups[name or ""] = cast(GroupMapping, change.after or BLANK)
        self.written += 1
        return Done(change.after, str(self.written))

    async def find(self, key: str) -> Event | None:
        return None

    async def since(self, at: datetime) -> Sequence[Event]:
        return ()

    async def close(self) -> None:
        """Nothing to let go of."""
