"""One org, one journal, and applies that break: set up once, put back for every attempt."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fault_orgs import Wish
from fault_wire import BreakingDatabase, Killed, Life, Wire, client
from sqlalchemy import select

from rolecall.errors import RolecallError
from rolecall.jobs.apply import ApplyRequest, apply_approved
from rolecall.jobs.plan import PlanRequest, PlanTarget, from_plan, make_plan
from rolecall.journal.database import migrate
from rolecall.journal.port import Holder
from rolecall.journal.store import SqlJournal
from rolecall.live.snapshot.reader import SnapshotReader, decode_snapshot_people
from rolecall.localorg import web
from rolecall.localorg.api.handle import handle
from rolecall.localorg.load import load
from rolecall.localorg.store import open_database
from rolecall.localorg.store.tables import AUDIT
from rolecall.model.desired import Desired
from rolecall.model.directory import PeopleScope

BY_HAND = {"role": "member", "teams": ["Brand", "Legal", "Sales"]}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class JumpingClock:
    """A wall clock that somebody moves about: each look is hours or days off, forwards and back."""

    def __init__(self, jumps: list[int] | None = None) -> None:
        self._jumps, self._at = jumps or [0], 0

    def __call__(self) -> datetime:
        self._at += 1
        return NOW + timedelta(hours=self._jumps[self._at % len(self._jumps)])


class Site:
    """The org's database stays open; ``reset`` puts back what it held in the beginning."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = open_database(folder / "org.db")
        self._pristine = sqlite3.connect(folder / "pristine.db")
        self._rounds = 0
        self._first = 0
        self.requests: list = []

    def close(self) -> None:
        self.database.close()
        self._pristine.close()

    def become(self, wish: Wish) -> None:
        path = self.folder / "snapshot.json"
        path.write_text(json.dumps(wish.snapshot), encoding="utf-8")
        snapshot = SnapshotReader(path).load()
        load(self.database, snapshot.live, decode_snapshot_people(snapshot, path))
        self._copy(sqlite3.connect(self.folder / "org.db"), self._pristine)
        self._journal()

    def reset(self) -> None:
        target = sqlite3.connect(self.folder / "org.db")
        self._copy(self._pristine, target)
        target.close()
        self._journal()

    def _copy(self, source, target) -> None:
        source.backup(target)

    def _journal(self) -> None:
        self._rounds += 1
        self.journal_path = self.folder / f"journal-{self._rounds}.db"
        self._first = len(self._audit())

    def plan(self, desired: Desired, life: Life | None = None):
        """A plan, on a wire that works unless told otherwise, with what the journal remembers."""
        return asyncio.run(self._plan(desired, life or Life()))

    async def _plan(self, desired: Desired, life: Life):
        org = client(Wire(self.database, life, self.by_hand))
        journal = self.journal(Life())
        try:
            asked = PlanRequest(
                PlanTarget(desired, "acme", "local:org.db"), org, org, NOW, date(2026, 11, 22), journal.applied
            )
            return (await make_plan(asked)).plan
        finally:
            journal.close()

    def apply(self, approved, life: Life | None = None, **more):
        """The report and the error of an apply, either of them None; both are when the process was killed."""
        life = life or Life()
        journal = None
        try:
            journal = self.journal(life, more.pop("clock", None))
            return asyncio.run(self._apply(approved, journal, life, more)), None
        except RolecallError as error:
            return None, error
        except Killed:
            return None, None
        finally:
            if journal is not None:
                journal.close()

    async def _apply(self, approved, journal, life, more):
        # A task that was killed has an exception nobody asks for, and asyncio would log that.
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        wire = Wire(self.database, life, self.by_hand)
        org = client(wire)
        self.requests = wire.seen
        request = ApplyRequest(
            approved=approved,
            target=from_plan(approved),
            org=org,
            people=org,
            journal=journal,
            holder=Holder("test"),
            now=lambda: NOW,
        )
        report = await apply_approved(replace(request, **more))
        self.org = org
        return report

    def journal(self, life: Life, clock=None) -> SqlJournal:
        database = BreakingDatabase(self.journal_path, Life())
        journal = SqlJournal(database, migrate(database), clock or (lambda: NOW))
        database.life = life
        return journal

    def by_hand(self) -> None:
        """Somebody in the console maps group A to something that no plan asks for."""
        path = f"/v1/idp-groups/{self._group('A')['id']}/mapping"
        said = {"if-match": "*", "content-type": "application/json"}
        body = json.dumps(BY_HAND).encode()
        done = handle(web.Request("PUT", path, "", said, body, embedded=True), self.database)
        assert done.status == 200, (done.status, done.read())

    def mapping(self, name: str):
        """What a group gives now, as the org says it."""
        held = self._group(name)["mapping"]
        return held and {**held, "teams": sorted(held["teams"])}

    def _group(self, name: str):
        listed = handle(web.Request("GET", "/v1/idp-groups", "limit=100", {}, b"", embedded=True), self.database)
        return next(row for row in json.loads(listed.read())["data"] if row["name"] == name)

    def seen(self):
        """Settings and everybody, as they are now."""
        return asyncio.run(self._seen())

    async def _seen(self):
        org = client(Wire(self.database, Life(), self.by_hand))
        return await org.read(None), await org.read_people(PeopleScope(everybody=True))

    def events(self) -> list[tuple[str, str, str | None]]:
        """Writes under a key of ours since the beginning: address, key, what was stored."""
        rows = self._audit()[self._first :]
        return [(at, key, after) for at, key, after in rows if key and key.startswith("rolecall/")]

    def _audit(self):
        with self.database.read() as tx:
            return list(tx.execute(select(AUDIT.c.address, AUDIT.c.key, AUDIT.c.after).order_by(AUDIT.c.seq)))
