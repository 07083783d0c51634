"""What rolecall does over a socket, in a process of its own, so that server and client share no interpreter.

    python bench/client.py people URL TOKEN FOLDER [ANSWERS]     reads everybody
    python bench/client.py apply URL TOKEN FOLDER [ANSWERS]      plans the config in a folder, and applies it

The first answer to each request is kept in ANSWERS, for a server of answers made beforehand.
Prints JSON: seconds of the clock and of the processor, requests, how many went out in the busiest minute, refusals.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rolecall.cli.session import collect_rarely
from rolecall.desired.build import read_config
from rolecall.jobs.apply import ApplyRequest, apply_approved
from rolecall.jobs.plan import PlanRequest, from_config, from_plan, make_plan
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder
from rolecall.live.client import OrgClient
from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.http.transport import Answer, Request
from rolecall.model.directory import EVERYBODY


class Watched:
    """A transport that notes when each request went out and what came back."""

    def __init__(self, url: str, token: str) -> None:
        self._inner = HttpTransport(base_url(url), lambda: token)
        self.sent: list[float] = []
        self.refused = 0
        self.answers: dict[str, str] = {}
        self.keeps = False

    @property
    def name(self) -> str:
        return self._inner.name

    async def send(self, request: Request) -> Answer:
        self.sent.append(time.monotonic())
        answer = await self._inner.send(request)
        self.refused += answer.status == 429
        if self.keeps:
            query = "&".join(f"{key}={value}" for key, value in request.query)
            self.answers.setdefault(f"{request}?{query}" if query else str(request), answer.body.decode())
        return answer

    async def close(self) -> None:
        await self._inner.close()

    def busiest(self) -> int:
        """The most requests in any minute."""
        recent: deque[float] = deque()
        most = 0
        for at in self.sent:
            recent.append(at)
            while recent[0] <= at - 60:
                recent.popleft()
            most = max(most, len(recent))
        return most


async def people(wire: Watched) -> dict[str, Any]:
    org = OrgClient(wire)
    await org.read(frozenset({"idp_groups", "roles", "scim"}))
    before = len(wire.sent)
    began, spent = time.perf_counter(), time.process_time()
    directory = await org.read_people(EVERYBODY)
    took = {"wall": time.perf_counter() - began, "cpu": time.process_time() - spent}
    assert directory.coverage.state == "complete", directory.coverage
    return {**took, "requests": len(wire.sent) - before, "people": len(directory)}


async def applied(wire: Watched, folder: Path) -> dict[str, Any]:
    org = OrgClient(wire)
    now = datetime.now(UTC)
    approved = (await make_plan(PlanRequest(from_config(read_config(folder)), org, org, now, now.date()))).plan
    before = len(wire.sent)
    with open_journal("sqlite:journal.db", folder) as journal:
        request = ApplyRequest(
            approved=approved,
            target=from_plan(approved),
            org=org,
            people=org,
            journal=journal,
            holder=Holder("bench"),
            now=lambda: now,
        )
        began, spent = time.perf_counter(), time.process_time()
        report = await apply_approved(request)
        took = {"wall": time.perf_counter() - began, "cpu": time.process_time() - spent}
    assert report.run is not None
    assert report.run.outcome == "done", report
    return {**took, "requests": len(wire.sent) - before, "changes": len(approved.writes)}


async def main(what: str, url: str, token: str, folder: str, answers: str = "") -> None:
    wire = Watched(url, token)
    wire.keeps = bool(answers)
    try:
        found = await (applied(wire, Path(folder)) if what == "apply" else people(wire))
    finally:
        await wire.close()
    if answers:
        Path(answers).write_text(json.dumps(wire.answers), encoding="utf-8")
    print(json.dumps({**found, "busiest": wire.busiest(), "refused": wire.refused}))


if __name__ == "__main__":
    collect_rarely()
    asyncio.run(main(*sys.argv[1:]))
