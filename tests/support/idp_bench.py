"""A local org, a stand-in Okta and a journal, planned and applied without the command line; waits take no time."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from cli_repo import SNAPSHOT, make_repo
from faulty_client import FakeClock
from idp import Okta, oid
from idp.okta_state import OktaState
from idp_repo import AUTHORITATIVE, READ, WRITE, an_okta, config
from workbench import NOW

from rolecall.desired.build import read_config
from rolecall.jobs.apply import ApplyRequest, apply_approved
from rolecall.jobs.memory import sent
from rolecall.jobs.plan import PlanRequest, from_config, make_plan
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder, Journal
from rolecall.live.connect import PeopleConnection, connect, connect_okta_writer, connect_people
from rolecall.model.run import RunReport, Step
from rolecall.plan.value import Plan

ADDRESSES = ("idp_assignments/Everyone", "idp_pushes/Marketing", "idp_pushes/Old", "idp_assignments/Former")


class IdpBench:
    """One configuration, its org, and its Okta, which is served at a URL; ``again`` begins anew.

    ``approved`` is the plan at the beginning.
    """

    def __init__(self, folder: Path, okta: Okta, url: str) -> None:
        snapshot = {**SNAPSHOT, "idp_groups": {**SNAPSHOT["idp_groups"], "Old": None}}
        self.folder = make_repo(folder, config(url, manage=AUTHORITATIVE), snapshot)
        self.okta = okta
        self._rounds = 0
        self._url = url
        self._target = from_config(read_config(self.folder))
        self.approved = self.plan()

    def again(self) -> None:
        """Begin with Okta as it was, and an empty journal."""
        self._rounds += 1
        beginning = an_okta()
        for each in fields(OktaState):
            setattr(self.okta, each.name, getattr(beginning, each.name))
        self.okta.requests.clear()
        self.okta.faults.clear()

    def journal(self) -> Journal:
        return open_journal(f"sqlite:journal-{self._rounds}.db", self.folder, clock=lambda: NOW)

    def plan(self) -> Plan:
        return asyncio.run(self._plan())

    def apply(self, approved: Plan) -> RunReport:
        return asyncio.run(self._apply(approved))

    def _way(self, token: str) -> PeopleConnection:
        return PeopleConnection(
            token=lambda: token, app=self.okta.app, clock=FakeClock(), section="idp.okta", writable=True
        )

    async def _plan(self) -> Plan:
        org, idp = connect("local:org.db", folder=self.folder), self._reader()
        with self.journal() as journal:
            try:
                memory: dict[str, Any] = {"applied": journal.applied, "sent": partial(sent, journal)}
                request = PlanRequest(self._target, org, org, NOW, NOW.date(), idp=idp, **memory)
                return (await make_plan(request)).plan
            finally:
                await org.close()
                await idp.close()

    async def _apply(self, approved: Plan) -> RunReport:
        org, idp = connect("local:org.db", folder=self.folder), self._reader()
        writer = connect_okta_writer(idp, self._url, self._way(WRITE))
        with self.journal() as journal:
            request = ApplyRequest(
                approved=approved,
                target=self._target,
                org=org,
                people=org,
                journal=journal,
                holder=Holder("test"),
                now=lambda: NOW,
                idp=idp,
                idp_writer=writer,
                parallelism=1,
            )
            try:
                return await apply_approved(request)
            finally:
                for connection in (org, idp, writer):
                    await connection.close()

    def _reader(self) -> Any:
        return connect_people("okta", self._url, self._way(READ))

    def reached(self, address: str) -> bool:
        """Return whether Okta has what the configuration asks for at an address; half of a push's end is not enough."""
        section, _, name = address.partition("/")
        if section == "idp_assignments":
            return (oid(name) in self.okta.assigned) == (name != "Former")
        mappings = [mapping for mapping in self.okta.mappings.values() if mapping.source == oid(name)]
        return not mappings if name == "Old" else [mapping.status for mapping in mappings] == ["ACTIVE"]

    def untouched(self, address: str) -> bool:
        """Return whether Okta still has there what it had."""
        if address == "idp_pushes/Old":
            return [m.status for m in self.okta.mappings.values() if m.source == oid("Old")] == ["ACTIVE"]
        return not self.reached(address)

    def steps(self) -> list[Step]:
        with self.journal() as journal:
            return [step for run in journal.runs() for step in run.steps]

    def open_steps(self) -> tuple[Step, ...]:
        with self.journal() as journal:
            return journal.open_steps("org_1")
