"""A local org whose groups the IdP renames: what tests of identity and rollback work on."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

from workbench import NOW, Workbench

from rolecall.jobs.drift import DriftRequest, check_drift
from rolecall.jobs.memory import DriftMemory
from rolecall.jobs.plan import PlanRequest, PlanTarget
from rolecall.jobs.rollback import rollback
from rolecall.localorg.store import keys
from rolecall.model.desired import Desired
from rolecall.model.settings import GroupMapping
from rolecall.plan.value import Plan

DAY = date(2026, 11, 22)
IDS = ("g1", "g2", "g3", "g4")
NAMES = ("A", "B", "C", "D", "E")
TEAMS = ("Everyone", "Marketing", "IT")
SNAPSHOT = "\n".join(
    (
        "snapshot: 1",
        "org: {id: org_1, name: acme}",
        f"teams: [{', '.join(TEAMS)}]",
        "roles: [org_admin, team_admin, member]",
        "domains: {acme.com: {discoverable: true, join: approval}}",
        "defaults: {role: member, teams: [Everyone]}",
        "sso: {enabled: true, name: Okta, idp: okta, allow_uninvited: false, allow_passwords: false}",
        "scim: {enabled: true, idp: okta, endpoint: new, manual_editing: false}",
        f"idp_groups: {{{', '.join(f'{name}: {{id: {known}}}' for name, known in zip(NAMES, IDS, strict=False))}}}",
        f"people: [{', '.join(f'{{email: {name}@acme.com, groups: [{name}]}}' for name in NAMES[:4])}]",
    )
)


class Bench(Workbench):
    """A local org whose groups can be renamed and mapped past rolecall, and what is done to it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SNAPSHOT)

    def rename(self, called: list[str]) -> None:
        """Give the groups other names, as the IdP does; two may get the same."""
        rows = [(name, keys.fold(name), known) for name, known in zip(called, IDS, strict=True)]
        self._sql("UPDATE groups SET display_name = ?, name_key = ? WHERE id = ?", rows)

    def map(self, held: list[GroupMapping]) -> None:
        """Put mappings in place by hand."""
        rows = [(None if one.blank else json.dumps(_json(one)), known) for one, known in zip(held, IDS, strict=True)]
        self._sql("UPDATE groups SET mapping = ? WHERE id = ?", rows)

    def _sql(self, statement: str, rows: list[tuple[str | None, ...]]) -> None:
        with closing(sqlite3.connect(self.folder / "org.db")) as database:
            database.executemany(statement, rows)
            database.commit()

    def state(self) -> dict[str, object]:
        """What stands in the org, groups by id."""
        live = asyncio.run(self._read())
        groups = {live.facts.groups[name].id: held for name, held in live.settings.idp_groups.items()}
        return {**groups, "defaults": live.settings.defaults}

    async def _read(self):
        org = self.org()
        try:
            return await org.read()
        finally:
            await org.close()

    def run(self, plan: Plan):
        """Apply a plan to its end."""
        report = self.apply(plan, kind="rollback" if any(c.reason == "rollback" for c in plan.changes) else "apply")
        assert report.run is None or report.run.outcome in ("done", "nothing"), report
        return report.run

    def back(self, number: int, config: Desired) -> Plan:
        return asyncio.run(self._back(number, config))

    async def _back(self, number: int, config: Desired) -> Plan:
        org, journal = self.org(), self.journal()
        try:
            request = PlanRequest(
                PlanTarget(config, "acme", "local:org.db"), org, org, NOW, DAY, applied=journal.applied
            )
            return (await rollback(request, journal.run(number))).plan
        finally:
            await org.close()
            journal.close()

    def drifts(self, config: Desired) -> list[tuple[str, str]]:
        return asyncio.run(self._drifts(config))

    async def _drifts(self, config: Desired) -> list[tuple[str, str]]:
        org, journal = self.org(), self.journal()
        try:
            request = DriftRequest(
                PlanRequest(PlanTarget(config, "acme", "local:org.db"), org, None, NOW, DAY), DriftMemory(journal), org
            )
            return [(row.address, row.kind) for row in (await check_drift(request)).drift_result.report.drifts]
        finally:
            await org.close()
            journal.close()


def _json(mapping: GroupMapping) -> dict[str, object]:
    return {"role": mapping.role, "teams": sorted(mapping.teams)}
