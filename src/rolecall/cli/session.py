"""What a command that reads an org works with: the config, the way to the org, and its people."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from rolecall.cli.journals import find_journal
from rolecall.cli.options import Invocation, root_of
from rolecall.errors import Misuse, Problem

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.plan import PlanTarget
    from rolecall.live.client import OrgClient
    from rolecall.live.port import People
    from rolecall.live.snapshot.reader import SnapshotReader
    from rolecall.model.target import SecretRef

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """An org that is being looked at. ``org`` is a SnapshotReader where nothing can be written."""

    config: Config
    org: OrgClient | SnapshotReader
    people: People


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def day(call: Invocation) -> date:
    """The day to plan for: the one given, or today in UTC."""
    return call.as_of or now().date()


def read(call: Invocation) -> Config:
    """The config, for a command that goes on to read an org. Raises Misuse where an overlay must be chosen."""
    from rolecall.desired.build import read_config
    from rolecall.desired.load.files import environments

    root = root_of(call)
    exists = (root.folder / root.main).is_file()
    if exists and call.env is None and (names := environments(root.folder)):
        hint = f"say which one with --env: {', '.join(names)}"
        raise Misuse(Problem("env_needed", "this config has overlays, each for an org of its own", None, hint))
    return read_config(root.folder, call.env, root.main)


def plan_target(call: Invocation, config: Config) -> PlanTarget:
    """What a config wants. Where a snapshot stands for the org, that is what is named, not where the org is."""
    from rolecall.jobs.plan import from_config

    target = from_config(config)
    return target if call.snapshot is None else replace(target, url=f"observed:{call.snapshot}")


@asynccontextmanager
async def session(call: Invocation, config: Config) -> AsyncIterator[Session]:
    """The org of a config, or the snapshot given in its place; connections are let go of at the end."""
    from rolecall.cli.logs import configure
    from rolecall.live.port import Connection

    configure(call)
    collect_rarely()
    org = _org(call, config)
    people = _people(call, config, org)
    try:
        yield Session(config, org, people)
    finally:
        for source in (org,) if people is org else (org, people):
            if isinstance(source, Connection):
                await source.close()


def collect_rarely() -> None:
    """Turn the collector on, for a command that ends soon: what it has read stays until then, so passing over all of
    that again and again finds nothing."""
    gc.freeze()
    gc.set_threshold(_BEFORE_COLLECTING)
    gc.enable()


_BEFORE_COLLECTING = 200_000
"""Containers made and not yet let go of: some tens of MB."""


def wait_for(work: Coroutine[Any, Any, T], *, files_only: bool = False) -> T:
    """Run one command's work, on a loop of its own. What reads nothing but files never waits, and needs no loop: that
    spares a quick plan an eighth of its time."""
    if files_only:
        return _at_once(work)
    import asyncio
    import signal
    import threading

    results: list[T] = []
    heeds = signal.getsignal(signal.SIGINT)

    async def whole() -> None:
        # The loop would only note a Ctrl-C until something is awaited again, and a prompt would go on waiting.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, heeds)
        # The loop writes its task out, result and all, when it looks who handles signals: a plan is no small text.
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
    raise AssertionError("this work waits for something, so it needs a loop")


def sent(call: Invocation, config: Config) -> Callable[[str], bool]:
    """Return what tells whether the journal has sent a write under an Idempotency-Key."""

    def known(key: str) -> bool:
        from rolecall.jobs.memory import sent

        journal = find_journal(call, config)
        if journal is None:
            return False
        with journal:
            return sent(journal, key)

    return known


def secret(call: Invocation, config: Config, reference: SecretRef) -> str:
    """A secret's text, for the moment it is sent."""
    from rolecall.live.secrets import resolve

    return resolve(reference, call.environ, config.root)


def _token(call: Invocation, config: Config) -> Callable[[], str] | None:
    """The org's token, fetched once and when first sent; the host it may go to is checked before."""
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
    """Where people are read: the org itself, or the source that the config names."""
    source = config.people
    if call.snapshot is not None or source.kind == "org":
        return org
    from rolecall.live.connect import PeopleConnection, connect_people
    from rolecall.model.settings import BLANK, Scim

    scim, groups = config.desired.settings.scim, config.desired.settings.idp_groups
    role_attribute = scim.role_attribute if isinstance(scim, Scim) else None
    way = PeopleConnection(
        token=_people_secret(call, config, source.token),
        folder=config.root,
        role_attribute=role_attribute if isinstance(role_attribute, str) else "role",
        app=source.app,
        groups=tuple(sorted(groups)) if isinstance(groups, Mapping) else (),
        mapped=frozenset(name for name, entry in groups.items() if entry != BLANK)
        if isinstance(groups, Mapping)
        else frozenset(),
        client_id=source.client_id,
        client_secret=_people_secret(call, config, source.client_secret),
        url=source.url,
        login_url=source.login_url,
        files=source.files,
        allow_empty=source.allow_empty,
    )
    return connect_people(source.kind, source.at, way)


def _people_secret(call: Invocation, config: Config, reference: SecretRef | None) -> Callable[[], str] | None:
    """A secret for the source of people, fetched once and when first sent, after the hosts it goes to were checked."""
    if reference is None:
        return None
    source = config.people

    @cache
    def fetch() -> str:
        from rolecall.live.secrets import check_host

        urls = (source.url, source.login_url) if source.kind == "entra" else (source.at,)
        for url in filter(None, urls):
            check_host(url, call.environ, reference, "ROLECALL_PEOPLE_HOST")
        return secret(call, config, reference)

    return fetch
