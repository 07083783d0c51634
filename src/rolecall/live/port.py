"""Defines what rolecall needs of an org, as Protocols. Only they are async; the core is not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from rolecall.model.change import Change
    from rolecall.model.directory import Directory, IdpFacts, PeopleScope
    from rolecall.model.idp_app import IdpApp
    from rolecall.model.live import AppUsers, IdpQuestion, Live
    from rolecall.model.outcome import Event, LogSearch, Outcome
    from rolecall.model.rotation import Creation, ScimEndpoint
    from rolecall.model.trace import IdpTrace, NotRead


class Reader(Protocol):
    """Reads an org."""

    async def read(self, sections: frozenset[str] | None = None) -> Live:
        """Read settings, facts and coverage: of the named sections (the others stay UNSET) or, with None, of all.

        A section that cannot be read completely is ``unread`` in the coverage and UNSET in the settings. Raises
        OrgError when the org itself cannot be reached or is not an org.
        """


class People(Protocol):
    """Reads users and memberships."""

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Read all users in scope, each once, with all their groups."""


@runtime_checkable
class UserFiles(Protocol):
    """People files. ``mapped`` are the configuration's groups with a mapping; ``allow_empty``: they may have no
    users.
    """

    @property
    def mapped(self) -> frozenset[str]: ...

    @property
    def allow_empty(self) -> bool: ...

    def without_file(self, directory: Directory, mapped: Collection[str]) -> tuple[str, ...]:
        """Return the groups of ``mapped`` without a file, if each file has the members of one group."""


@runtime_checkable
class GroupReader(Protocol):
    """A source of users that needs a list of the org's groups to be read correctly."""

    def with_groups(self, names: Collection[str], *, whole: bool) -> People:
        """Return the same source for an org with these groups; ``whole``: there are no others."""


@runtime_checkable
class IdpSource(Protocol):
    """A source of users that is the IdP itself, so that it can read the configuration of the WRITER app."""

    async def read_idp(self) -> IdpFacts:
        """Read the configuration of the app. Raises OrgError when it cannot be read."""


@runtime_checkable
class IdpTracer(Protocol):
    """A connection to an IdP that can read the WRITER app part by part, and trace the provisioning of one user."""

    async def read_app(self) -> IdpApp:
        """Return the app; a part that could not be read is a ``NotRead``. Raises SecretError."""

    async def trace(self, email: str, since: datetime) -> IdpTrace:
        """Return what the IdP knows about the provisioning of a user; its log is read from ``since``.

        What could not be read is a ``NotRead``. Raises SecretError without a usable credential.
        """


NO_IDP = "there is no connection to the IdP here"
"""The reason for unread sections of the IdP where there is no `IdpSideReader`."""


@runtime_checkable
class IdpSideReader(Protocol):
    """A connection to an IdP that can read the groups that are assigned to the WRITER app and pushed."""

    async def read_side(self, question: IdpQuestion) -> Live:
        """Read the sections of the IdP that are in the question, and look up its groups.

        A section that cannot be read completely, or a group of which cannot be looked up, is ``unread`` in the coverage
        and UNSET in the settings. Raises SecretError without a usable credential.
        """

    async def read_members(
        self, groups: Collection[str], addresses: Mapping[str, str]
    ) -> Mapping[str, frozenset[str] | NotRead]:
        """Read the addresses of the members of groups, by the IDs of the groups; normalized.

        ``addresses`` are those that users of the app have there, by user ID; they may differ from those in the IdP.
        """

    async def read_target_names(self, targets: Collection[str]) -> Mapping[str, str]:
        """Read the names that pushed groups have in WRITER, by the IDs in ``IdpSide.targets``; those that could not be
        read are left out.
        """

    async def read_app_users(self) -> AppUsers | NotRead:
        """Read the addresses of the users who have the app; normalized."""


class Writer(Protocol):
    """Writes one change."""

    async def write(self, change: Change, version: str | None, key: str) -> Outcome:
        """Send one change as one write.

        ``version`` is the ETag that must still match; None means the entry must not exist yet. ``key`` is the
        Idempotency-Key: the same request under it has no second effect. Never raises for a response of the org.
        """


class IdpWriter(Protocol):
    """Writes changes of the sections of the IdP."""

    async def write(self, change: Change, version: str | None) -> Outcome:
        """Send one change. ``version`` is the item of its address as it was read, which must be the same still; None
        means there must be none. Never raises for a response of the IdP.
        """

    async def finish(self, change: Change, version: str | None) -> Outcome:
        """Complete a deletion of which only the first of its requests was made. ``version`` is the item as the journal
        has it: nothing else is deleted. Never raises for a response.
        """


@runtime_checkable
class Audit(Protocol):
    """Reads the org's audit log."""

    async def find(self, key: str) -> Event | None:
        """Return the write made under an idempotency key, or None when the org has none."""

    async def since(self, at: datetime) -> Sequence[Event]:
        """Return all writes after a moment, oldest first."""

    async def search(self, matches: Callable[[Event], bool], until: str = "") -> LogSearch:
        """Search the log from its newest entry back, for the first match, down to the entry with the id ``until``.

        The number of pages is limited.
        """


class TokenIssuer(Protocol):
    """Creates and revokes the SCIM tokens of an org."""

    async def read(self) -> ScimEndpoint:
        """Return the endpoint with its valid tokens. Raises OrgError if they cannot be read."""

    async def create(self, key: str) -> Creation:
        """Create a token under an Idempotency-Key. Never raises for a response."""

    async def revoke(self, token_id: str, key: str) -> Outcome:
        """Revoke a token at once. Never raises for a response."""


class ConnectionWriter(Protocol):
    """Replaces the token that an IdP sends to the SCIM endpoint. No method raises for a response to a write."""

    async def host(self) -> str:
        """Return the host that the IdP sends to. Raises OrgError if the connection cannot be read or changed."""

    async def test(self, secret: str) -> Outcome:
        """Let the IdP send a request with a token that is not saved."""

    async def save(self, secret: str) -> Outcome:
        """Save a token, and leave everything else as it is."""

    async def test_saved(self) -> Outcome:
        """Let the IdP send a request with the token that is saved."""

    async def close(self) -> None:
        """Release the connections for writing."""


@runtime_checkable
class Connection(Protocol):
    """An org or source of users that has connections."""

    async def close(self) -> None:
        """Release all connections."""


@runtime_checkable
class ReadCounter(Protocol):
    """An org that counts the requests it sends."""

    @property
    def reads(self) -> int:
        """Return how many read requests were sent, including retries."""


class Org(Reader, People, Writer, Audit, Connection, Protocol):
    """An org with an API: everything that ``client.OrgClient`` implements."""
