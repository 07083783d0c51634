"""One local org, one journal, and the two things done to them: what tests of apply work on."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import uvicorn
from orgs import with_selection

from rolecall.jobs.apply import ApplyRequest, apply_approved
from rolecall.jobs.memory import sent
from rolecall.jobs.plan import PlanRequest, PlanTarget, from_plan, make_plan
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder
from rolecall.live.connect import connect
from rolecall.live.snapshot.reader import SnapshotReader, decode_snapshot_people
from rolecall.localorg.load import load
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database
from rolecall.model.desired import Desired
from rolecall.model.outcome import LogSearch
from rolecall.model.run import RunFacts
from rolecall.model.settings import BLANK, Defaults, GroupMapping, Settings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MARKETING = GroupMapping("member", frozenset({"Marketing"}))
BRAND = GroupMapping("member", frozenset({"Brand"}))

SNAPSHOT = """\
snapshot: 1
taken_at: 2026-11-22T10:00:00Z
org: {id: org_1, name: acme}
teams: [Everyone, Marketing, Brand, IT]
roles: [org_admin, team_admin, member]
domains: {acme.com: {discoverable: true, join: approval}}
defaults: {role: member, teams: [Everyone]}
sso: {enabled: true, name: Okta, idp: okta, allow_uninvited: false, allow_passwords: false}
scim: {enabled: true, idp: okta, endpoint: new, manual_editing: false}
idp_groups:
  Writer-Admins: {role: org_admin, teams: [IT]}
  Writer-Marketing: {role: member, teams: [Marketing]}
  Writer-Brand: null
people:
  - {email: ann@acme.com, groups: [Writer-Admins]}
  - {email: bo@acme.com, groups: [Writer-Admins, Writer-Marketing]}
  - {email: cy@acme.com, groups: [Writer-Marketing]}
"""

WANTED = Desired(
    Settings(
        defaults=Defaults("member", frozenset({"Everyone", "IT"})),
        idp_groups={"Writer-Marketing": BLANK, "Writer-Brand": BRAND},
    )
)

PLANNED = {"idp_groups/Writer-Brand", "defaults", "idp_groups/Writer-Marketing"}
"""What applying that changes, each in one write."""
REQUESTS = 15
"""What such an apply sends when nothing goes wrong."""


class Workbench:
    """One local org, one journal, and the two things done to them."""

    def __init__(self, folder: Path, snapshot: str = SNAPSHOT) -> None:
        (folder / "snapshot.yaml").write_text(snapshot)
        self.folder = folder
        self.way = None
        self.journal_name = "journal.db"
        self._rounds = 0
        self._seen = 0
        self.again()

    def again(self):
        """The org as it was in the beginning, and an empty journal."""
        if self._rounds:
            _copy(self.folder / "pristine.db", self.folder / "org.db")
        else:
            self._load()
        self._rounds += 1
        self._seen = 0
        self.journal_name = f"journal-{self._rounds}.db"
        self._seen = len(self.events())

    def _load(self):
        reader = SnapshotReader(self.folder / "snapshot.yaml")
        snapshot = reader.load()
        database = open_database(self.folder / "org.db")
        load(database, snapshot.live, decode_snapshot_people(snapshot, reader.path))
        self._token = make_token(database, "admin").secret
        database.close()
        _copy(self.folder / "org.db", self.folder / "pristine.db")

    @contextmanager
    def served(self):
        """The port of a server of the org on 127.0.0.1."""
        from rolecall.localorg.asgi import create_app

        database = open_database(self.folder / "org.db")
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(database), log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
            listener.close()
            database.close()

    def token(self):
        """An admin token of a service; it goes on being one when the org begins again."""
        return self._token

    def events(self):
        """The writes to settings since the beginning, oldest first, each as (address, key): the audit log's word."""
        return [(event.address, event.key) for event in asyncio.run(self._events())][self._seen :]

    async def _events(self):
        org = connect("local:org.db", folder=self.folder)
        try:
            found = await org.since(datetime(2020, 1, 1, tzinfo=UTC))
            return [event for event in found if event.channel == "api"]
        finally:
            await org.close()

    def org(self):
        """A fresh client of the org, in this process; ``way`` in its place leads elsewhere."""
        return self.way() if self.way else connect("local:org.db", folder=self.folder)

    def journal(self):
        return open_journal(f"sqlite:{self.journal_name}", self.folder, clock=lambda: NOW)

    def plan(self, desired: Desired, **more):
        return asyncio.run(self._plan(desired, **more))

    async def _plan(self, desired, **more):
        org, journal = self.org(), self.journal()
        try:
            target = PlanTarget(desired, "acme", "local:org.db")
            memory = {"applied": journal.applied, "sent": partial(sent, journal)}
            request = PlanRequest(target, org, org, NOW, date(2026, 11, 22), **memory, **with_selection(more))
            return (await make_plan(request)).plan
        finally:
            await org.close()
            journal.close()

    def apply(self, approved, **more):
        return asyncio.run(self._apply(approved, **more))

    async def _apply(self, approved, **more):
        org, journal = self.org(), self.journal()
        request = ApplyRequest(
            approved=approved,
            target=from_plan(approved),
            org=org,
            people=org,
            journal=journal,
            holder=Holder("test"),
            now=lambda: NOW,
            facts=RunFacts(config="acme"),
        )
        try:
            return await apply_approved(replace(request, **more))
        finally:
            await org.close()
            journal.close()

    def write(self, keys="tool/", **groups):
        """Write to mappings as another tool does; its idempotency keys begin with ``keys``."""
        desired = Desired(Settings(idp_groups={name.replace("_", "-"): value for name, value in groups.items()}))
        approved = self.plan(desired)
        other = open_journal("sqlite:other.db", self.folder)
        report = asyncio.run(self._with(approved, other, keys))
        assert report.run.outcome == "done"

    async def _with(self, approved, journal, keys):
        org = _OtherTool(self.org(), keys)
        try:
            return await apply_approved(
                ApplyRequest(
                    approved=approved,
                    target=from_plan(approved),
                    org=org,
                    people=org,
                    journal=journal,
                    holder=Holder("other"),
                    now=lambda: NOW,
                )
            )
        finally:
            await org.close()
            journal.close()


class _OtherTool:
    """An org that is written to under other keys, by a tool that does not ask for earlier writes."""

    def __init__(self, org, keys):
        self._org, self._keys = org, keys

    def __getattr__(self, name):
        return getattr(self._org, name)

    async def write(self, change, version, key):
        return await self._org.write(change, version, self._keys + key.removeprefix("rolecall/"))

    async def find(self, key):
        return await self._org.find(self._keys + key.removeprefix("rolecall/"))

    async def search(self, _matches, _until=""):
        return LogSearch(None, "", 0, 0)


def _copy(source: Path, target: Path) -> None:
    """One database into another, whoever has that one open."""
    with closing(sqlite3.connect(source)) as held, closing(sqlite3.connect(target)) as taken:
        held.backup(taken)
