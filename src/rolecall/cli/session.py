"""Open what a command needs to read an org: the configuration, a connection to the org, and its users."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rolecall.cli.journals import find_journal
from rolecall.cli.options import Invocation, root_of
from rolecall.errors import Misuse

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.plan import PlanTarget
    from rolecall.live.client import OrgClient
    from rolecall.live.port import IdpSideReader, People
    from rolecall.live.snapshot.reader import SnapshotReader
    from rolecall.model.target import PeopleSource, SecretRef

T = TypeVar("T")


class Session(NamedTuple):
    """An org that is being read. ``org`` is a SnapshotReader if it cannot be written to.

    ``idp`` is the connection to the IdP, if there is one: that of the section ``idp``, or else the source of users.
    """

    config: Config
    org: OrgClient | SnapshotReader
    people: People
    idp: People | None = None

    @property
    def idp_side(self) -> IdpSideReader | None:
        """Return the connection of the section ``idp``, if it can read the groups that are assigned and pushed."""
        from rolecall.live.port import IdpSideReader

        return self.idp if self.config.idp is not None and isinstance(self.idp, IdpSideReader) else None


def now() -> datetime:
    """Return the current time, UTC."""
    return datetime.now(UTC)


def day(call: Invocation) -> date:
    """Return the day to plan for: that of ``--as-of``, or today in UTC."""
    return call.as_of or now().date()


def read(call: Invocation) -> Config:
    """Return the configuration, for a command that reads an org. Raises Misuse if an overlay must be chosen."""
    from rolecall.desired.build import read_config
    from rolecall.desired.load.files import environments, overlay_needed

    root = root_of(call)
    exists = (root.folder / root.main).is_file()
    if exists and call.env is None and (names := environments(root.folder)):
        raise Misuse(overlay_needed(names))
    return read_config(root.folder, call.env, root.main)


def plan_target(call: Invocation, config: Config) -> PlanTarget:
    """Return what a configuration asks for. With a snapshot, that is named as the org, not the org's URL."""
    from rolecall.jobs.plan import from_config

    target = from_config(config)
    return target if call.snapshot is None else target._replace(url=f"observed:{call.snapshot}")


@asynccontextmanager
async def session(call: Invocation, config: Config) -> AsyncIterator[Session]:
    """Open the org of a configuration, or the snapshot that is read instead; close the connections at the end."""
    from rolecall.cli.logs import configure
    from rolecall.live.port import Connection

    configure(call)
    collect_rarely()
    org = _org(call, config)
    people = _people(call, config, org)
    idp = _idp(call, config, people)
    opened = Session(config, org, people, idp)
    try:
        yield opened
    finally:
        for source in {id(each): each for each in (org, people, idp)}.values():
            if isinstance(source, Connection):
                await source.close()


def collect_rarely() -> None:
    """Turn the garbage collector on, with few collections: what a command reads is kept until it ends."""
    gc.freeze()
    gc.set_threshold(_BEFORE_COLLECTING)
    gc.enable()


_BEFORE_COLLECTING = 200_000
"""The number of objects that are allocated before a collection: some tens of MB."""


def wait_for(work: Coroutine[Any, Any, T], *, files_only: bool = False) -> T:
    """Run the work of a command on an event loop. Work that only reads files needs none, which saves an eighth of the
    time of a quick plan."""
    if files_only:
        return _at_once(work)
    import asyncio
    import signal
    import threading

    results: list[T] = []
    handler = signal.getsignal(signal.SIGINT)

    async def whole() -> None:
        # The loop would handle Ctrl-C only when something is awaited again, and a prompt would keep waiting.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
        # The loop formats its task, with its result, when it checks the signal handlers: a plan is a long text.
        results.append(await work)

    asyncio.run(whole())
    return results[0]


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    work.close()
    raise AssertionError("this work awaits something, so it needs an event loop")


def sent(call: Invocation, config: Config) -> Callable[[str], bool]:
    """Return a function that says whether the journal has a write with an Idempotency-Key."""

    def known(key: str) -> bool:
        """Return whether the journal has a write with this key."""
        from rolecall.jobs.memory import sent

        journal = find_journal(call, config)
        if journal is None:
            return False
        with journal:
            return sent(journal, key)

    return known


def secret(call: Invocation, config: Config, reference: SecretRef, *, lines: bool = False) -> str:
    """Return the text of a secret; ``lines``: it may have several lines."""
    from rolecall.live.secrets import resolve

    return resolve(reference, call.environ, config.root, lines=lines)


def _token(call: Invocation, config: Config) -> Callable[[], str] | None:
    """Return a function that returns the org's token, read at the first call, once the host is checked."""
    reference = config.org.token
    if reference is None:
        return None

    @cache
    def fetch() -> str:
        from rolecall.live.secrets import org_token

        return org_token(reference, config.org.url, call.environ, config.root)

    return fetch


def _org(call: Invocation, config: Config) -> OrgClient | SnapshotReader:
    if call.snapshot is not None:
        from rolecall.live.snapshot.reader import SnapshotReader

        return SnapshotReader(call.snapshot)
    from rolecall.live.connect import connect

    return connect(config.org.url, _token(call, config), folder=config.root)


def _people(call: Invocation, config: Config, org: OrgClient | SnapshotReader) -> People:
    """Return where users are read: from the org itself, or the source in the configuration."""
    return org if call.snapshot is not None or config.people.kind == "org" else _source(call, config, config.people)


def _idp(call: Invocation, config: Config, people: People) -> People | None:
    """Return the connection to the IdP; the same one as for users if they are read through it."""
    from rolecall.live.port import IdpSource

    if config.idp is not None and config.idp != config.people and call.snapshot is None:
        return _source(call, config, config.idp)
    return people if isinstance(people, IdpSource) else None


def _source(call: Invocation, config: Config, source: PeopleSource) -> People:
    """Return the connection to a source of users."""
    from rolecall.live.connect import PeopleConnection, connect_people
    from rolecall.model.settings import BLANK, Scim

    scim, groups = config.desired.settings.scim, config.desired.settings.idp_groups
    role_attribute = scim.role_attribute if isinstance(scim, Scim) else None
    way = PeopleConnection(
        token=_people_secret(call, config, source, source.token),
        folder=config.root,
        role_attribute=role_attribute if isinstance(role_attribute, str) else "role",
        app=source.app,
        groups=tuple(sorted(groups)) if isinstance(groups, Mapping) else (),
        mapped=frozenset(name for name, entry in groups.items() if entry != BLANK)
        if isinstance(groups, Mapping)
        else frozenset(),
        client_id=source.client_id,
        client_secret=_people_secret(call, config, source, source.client_secret),
        private_key=_people_secret(call, config, source, source.private_key),
        url=source.url,
        login_url=source.login_url,
        files=source.files,
        allow_empty=source.allow_empty,
        section=source.section,
        key_place=None if source.private_key is None else source.private_key.source,
        full_names=config.usage is not None,
        writable=source.write is not None,
    )
    return connect_people(source.kind, source.at, way)


def _people_secret(
    call: Invocation, config: Config, source: PeopleSource, reference: SecretRef | None
) -> Callable[[], str] | None:
    """Return a function that returns a secret of the users' source, read at the first call, once hosts are checked."""
    if reference is None:
        return None
    variable = "ROLECALL_IDP_HOST" if source.of_idp else "ROLECALL_PEOPLE_HOST"

    @cache
    def fetch() -> str:
        """Return the secret. Raises SecretError if its host or its app is not one that it may be sent to."""
        from rolecall.live.secrets import check_app, check_host

        urls = (source.url, source.login_url) if source.kind == "entra" else (source.at,)
        for url in filter(None, urls):
            check_host(url, call.environ, reference, variable)
        if source.of_idp:
            check_app(source.app, call.environ, reference)
        return secret(call, config, reference, lines=reference is source.private_key)

    return fetch
