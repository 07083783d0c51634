"""Runs the local org as a transport in this process: a database file, worker threads, no socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.errors import ConfigError, OrgError, Problem
from rolecall.live.http.transport import Answer, NoAnswer, Request, Timeouts

if TYPE_CHECKING:
    from rolecall.localorg.store import Database

THREADS = 4
"""Number of requests that run at a time; each thread has at most one connection to the database."""


class EmbeddedTransport:
    """Passes requests to the local org. Without a token, the caller is a service with all permissions."""

    def __init__(
        self, where: Path | str, token: Callable[[], str] | None = None, timeouts: Timeouts = Timeouts()
    ) -> None:
        self._where = where
        self._token = token
        self._timeouts = timeouts
        self._database: Database | None = None
        self._workers: ThreadPoolExecutor | None = None
        self._opening = threading.Lock()

    @property
    def name(self) -> str:
        return f"local:{shown(str(self._where))}"

    async def send(self, request: Request) -> Answer:
        """Return the response of the local org. Threads cannot be stopped, so a write may still be made after a
        timeout.
        """
        return await self._send(request, self._timeouts.read)

    async def send_for_columns(self, request: Request) -> Answer:
        """Send like ``send``, for users in columns. They are one response, so its time limit is that of a whole
        response.
        """
        return await self._send(request, self._timeouts.whole, columns=True)

    async def _send(self, request: Request, seconds: float, *, columns: bool = False) -> Answer:
        headers = (("authorization", f"Bearer {self._token()}"),) if self._token is not None else ()
        sent = request._replace(headers=(*request.headers, *headers))
        try:
            async with asyncio.timeout(seconds):
                return await self._in_worker(lambda: _handled(sent, self._opened(), columns))
        except TimeoutError:
            problem = Problem("org_timeout", f"the local org did not respond to {request} within {seconds:g} s")
            raise NoAnswer(problem, sent=True) from None

    async def close(self) -> None:
        """Wait for requests in progress, then close the database."""
        workers, self._workers = self._workers, None
        if workers is not None:
            await asyncio.to_thread(workers.shutdown)
        if self._database is not None:
            self._database.close()
            self._database = None

    async def _in_worker(self, work: Callable[[], Answer]) -> Answer:
        if self._workers is None:
            self._workers = ThreadPoolExecutor(THREADS, thread_name_prefix="local-org")
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)

    def _opened(self) -> Database:
        with self._opening:
            if self._database is None:
                self._database = _open(str(self._where))
            return self._database


def _open(where: str) -> Database:
    try:
        from rolecall.localorg.store import open_database
    except ModuleNotFoundError as error:
        raise ConfigError(not_installed(error)) from None
    path = Path(where.removeprefix("sqlite:"))
    if "://" not in where and not path.is_file():
        hint = "create one: rolecall local load SNAPSHOT"
        raise OrgError(Problem("local_missing", f"no local org in {path}", None, hint))
    return open_database(where)


def shown(where: str) -> str:
    """Return a database's name for messages, without the user and password that its URL may contain."""
    scheme, slashes, location = where.partition("://")
    return f"{scheme}://{location.rpartition('@')[2]}" if slashes else where


def not_installed(error: ModuleNotFoundError) -> Problem:
    """Return the problem for missing libraries of the local org."""
    message = f"a `local:` org requires the extra `local` (`{error.name}` is not installed)"
    return Problem("local_not_installed", message, None, "install it: pip install 'rolecall[local]'")


def _handled(request: Request, database: Database, columns: bool) -> Answer:
    from urllib.parse import urlencode

    from rolecall.localorg import web
    from rolecall.localorg.api.handle import handle

    handed = web.Request(
        request.method,
        request.path,
        urlencode(request.query),
        dict(request.headers),
        request.body or b"",
        embedded=True,
        columns=columns,
    )
    answer = handle(handed, database)
    headers = {name.lower(): value for name, value in answer.headers}
    return Answer(answer.status, headers, answer.read(), answer.users)
