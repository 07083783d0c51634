"""A local org on a socket, a stand-in Entra that sends to it, and a journal, to rotate the SCIM token with faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from faulty_client import FakeClock
from idp import Entra
from scim_org import fresh, new_token, served

from rolecall.errors import Problem
from rolecall.jobs.rotate import RotationResult, Rotator, abandon, open_rotation, rotate
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder, Journal
from rolecall.live.client import OrgClient
from rolecall.live.connect import PeopleConnection, connect_entra_secrets, connect_people
from rolecall.live.embedded import EmbeddedTransport
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.transport import Answer, NoAnswer, Request
from rolecall.localorg.store import Database, tokens
from rolecall.model.run import RunFacts

READ, WRITE = "canary-graph-read", "canary-graph-write"
READS = ("Application.Read.All", "GroupMember.Read.All", "Synchronization.Read.All")
WRITES = ("Synchronization.ReadWrite.All",)
ORG = "org_rotation"
PREFIX = b"rolecall_scim_"
SETTLE = 0.03
"""Seconds that are waited in place of those of a real rotation."""

Kind = int | Literal["lost before", "lost after", "truncated"]


class Killed(KeyboardInterrupt):
    """The process is gone."""


class Breaking:
    """The org in this process, whose requests from ``number`` on, ``times`` of them, fail in one way."""

    def __init__(self, inner: EmbeddedTransport) -> None:
        self._inner = inner
        self.methods: list[str] = []
        self.fail(0, "lost before", 0)

    @property
    def name(self) -> str:
        return self._inner.name

    def fail(self, number: int, kind: Kind, times: int) -> None:
        """Let requests fail."""
        self.methods.clear()
        self.number, self.kind, self.times = number, kind, times

    async def send(self, request: Request) -> Answer:
        self.methods.append(request.method)
        if not self.number <= len(self.methods) < self.number + self.times:
            return await self._inner.send(request)
        if isinstance(self.kind, int):
            return Answer(self.kind, {}, b'{"errors": [{"key": "fault", "description": "a fault"}]}')
        if self.kind == "lost before":
            raise NoAnswer(Problem("org_lost", "the connection ended"), sent=True)
        answer = await self._inner.send(request)
        if self.kind == "lost after":
            raise NoAnswer(Problem("org_lost", "the connection ended"), sent=True)
        return answer._replace(body=answer.body[: len(answer.body) // 2])

    async def close(self) -> None:
        await self._inner.close()


class RotationBench:
    """One org whose users Entra provisions with its first token; ``again`` begins anew."""

    def __init__(self, folder: Path, db: Database, scim: str, entra: Entra, url: str) -> None:
        self.folder, self.db, self.entra = folder, db, entra
        self._scim, self._url = scim, url
        self._rounds = 0
        self.org = Breaking(EmbeddedTransport(folder / "org.db"))
        self.die: Callable[[str], None] = lambda event: None
        self.again()

    def again(self) -> None:
        """Begin with one token, which Entra uses, and an empty journal."""
        self._rounds += 1
        with self.db.write() as tx:
            for token in tokens.valid_tokens(tx, "scim"):
                tokens.revoke_token(tx, token.id, "scim")
        self.entra.secrets, self.entra.jobs = {}, {}
        self.entra.connect(f"{self._scim}/api/scim/v2", new_token(self.db, "scim"))
        self.entra.faults.clear()
        self.entra.requests.clear()
        self.org.fail(0, "lost before", 0)
        self.die = lambda event: None

    def journal(self) -> Journal:
        return open_journal(f"sqlite:journal-{self._rounds}.db", self.folder)

    def rotate(self, **more: Any) -> RotationResult:
        return asyncio.run(self._run(rotate, **more))

    def abandon(self, **more: Any) -> RotationResult:
        return asyncio.run(self._run(abandon, **more))

    async def _run(
        self, work: Callable[[Rotator], Any], *, api: bool = True, file: Path | None = None
    ) -> RotationResult:
        way = PeopleConnection(
            token=lambda: READ, app=self.entra.app, clock=FakeClock(), section="idp.entra", url=self._url
        )
        reader: Any = connect_people("entra", "acme", way)
        writer = connect_entra_secrets(reader, "acme", way._replace(token=lambda: WRITE))
        client = OrgClient(self.org, Exchange(self.org, FakeClock(), chance=lambda: 0.0))
        with self.journal() as journal, journal.lock(ORG, Holder("test")) as lock:
            context = Rotator(
                org=Dying(client.scim_tokens, self),
                journal=Dying(journal, self),
                lock=lock,
                org_id=ORG,
                where="Entra, acme, app 1",
                facts=RunFacts(org_name="acme"),
                sleep=lambda _: asyncio.sleep(SETTLE),
                idp=Dying(writer, self) if api else None,
                file=file,
                hand_over=lambda path, secret: path.write_text(secret) and None,
            )
            try:
                result: RotationResult = await work(context)
                return result
            finally:
                await reader.close()
                await writer.close()

    @property
    def valid(self) -> list[str]:
        """The IDs of the valid tokens, oldest first."""
        with self.db.read() as tx:
            return [token.id for token in tokens.valid_tokens(tx, "scim")]

    @property
    def used(self) -> str | None:
        """The ID of the token that Entra has, None if the org does not accept it."""
        with self.db.read() as tx:
            try:
                return tokens.check_token(tx, self.entra.secrets["SecretToken"], "scim").id
            except tokens.TokenRefused:
                return None

    @property
    def open(self) -> bool:
        """Whether a rotation is not finished."""
        with self.journal() as journal:
            return open_rotation(journal, ORG) is not None

    @property
    def stored(self) -> bytes:
        """What the journal has on disk."""
        return b"".join(path.read_bytes() for path in self.folder.glob(f"journal-{self._rounds}.db*"))


class Dying:
    """An object whose calls may be where the process dies: ``die`` is told of each before and after it."""

    def __init__(self, inner: Any, bench: RotationBench) -> None:
        self._inner, self._bench = inner, bench

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value) or name in ("lock", "recall"):
            return value
        if not asyncio.iscoroutinefunction(value):

            def call(*arguments: Any, **more: Any) -> Any:
                self._bench.die(f"before {name}")
                result = value(*arguments, **more)
                self._bench.die(f"after {name}")
                return result

            return call

        async def call_async(*arguments: Any, **more: Any) -> Any:
            self._bench.die(f"before {name}")
            result = await value(*arguments, **more)
            self._bench.die(f"after {name}")
            return result

        return call_async


@contextmanager
def rotation_bench(folder: Path) -> Iterator[RotationBench]:
    """Serve the org and Entra."""
    folder.mkdir(parents=True, exist_ok=True)
    db = fresh(folder / "org.db")
    entra = Entra(tokens={READ: READS, WRITE: WRITES})
    with served(db) as scim, entra.served() as url:
        yield RotationBench(folder, db, scim, entra, url)
    db.close()
