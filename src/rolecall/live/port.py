"""What rolecall needs of an org, as Protocols. Async here and nowhere further in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from rolecall.model.change import Change
    from rolecall.model.directory import Directory, PeopleScope
    from rolecall.model.idp import IdpFacts
    from rolecall.model.live import Live
    from rolecall.model.outcome import Event, LogSearch, Outcome


class Reader(Protocol):
    """Reads an org."""

    async def read(self, sections: frozenset[str] | None = None) -> Live:
        """Settings, facts and coverage; only the named sections (the rest stays UNSET) or, with None, all.

        A section that cannot be read whole is ``unread`` in the coverage and UNSET in the settings. Raises OrgError
        when the org as such cannot be reached or is not an org.
        """


class People(Protocol):
    """Reads people and memberships."""

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Everybody in scope, each once, with all their groups."""


@runtime_checkable
class UserFiles(Protocol):
    """People files. ``mapped`` are the configuration's groups with a mapping; ``allow_empty``: they may hold nobody."""

    @property
    def mapped(self) -> frozenset[str]: ...

    @property
    def allow_empty(self) -> bool: ...

    def without_file(self, directory: Directory, mapped: Collection[str]) -> tuple[str, ...]:
        """Return the groups of ``mapped`` for which there is no file, where each file has one group's members."""


@runtime_checkable
class GroupReader(Protocol):
    """A source of people that can be read only by whoever knows which groups there are."""

    def with_groups(self, names: Collection[str], *, whole: bool) -> People:
        """Return the same source for an org that has these groups; ``whole``: and no others."""


@runtime_checkable
class IdpSource(Protocol):
    """A source of people that is the IdP itself, and so knows how the WRITER app is set up there."""

    async def read_idp(self) -> IdpFacts:
        """The app's set-up. Raises OrgError when it cannot be read."""


class Writer(Protocol):
    """Writes one change."""

    async def write(self, change: Change, version: str | None, key: str) -> Outcome:
        """Send one change as one write.

        ``version`` is the ETag that must still stand; None means the entry must not exist yet. ``key`` is the
        Idempotency-Key: sending the same request again under it does nothing twice. Never raises for what the org
        answers.
        """


@runtime_checkable
class Audit(Protocol):
    """Asks the org who did what."""

    async def find(self, key: str) -> Event | None:
        """The write made under an idempotency key, or None when the org knows of none."""

    async def since(self, at: datetime) -> Sequence[Event]:
        """All writes after a moment, oldest first."""

    async def search(self, matches: Callable[[Event], bool], until: str = "") -> LogSearch:
        """Search the log from its newest entry back, for the first that matches, to the one with the id ``until``.

        No more than a number of pages is read.
        """


class Org(Reader, People, Writer, Audit, Protocol):
    """An org with everything: what ``http`` and ``embedded`` give."""

    async def close(self) -> None:
        """Let go of connections."""
