"""One apply in a process of its own, for tests that kill it.

``apply_child.py FOLDER JOURNAL PORT TOKEN [TIMEOUT [ROOM]]``.

Prints ``outcome NAME`` when the run ends, or the code of the first problem. With ROOM no file may grow beyond what the
journal has when the run begins by more than that many bytes: the disk is full then. Waiting is hurried.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from workbench import WANTED

from rolecall.errors import RolecallError
from rolecall.jobs.apply import ApplyRequest, apply_approved
from rolecall.jobs.plan import PlanRequest, PlanTarget, from_plan, make_plan
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder
from rolecall.live.client import OrgClient
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.http.pace import LoopClock

HURRY = 20


class HurriedClock(LoopClock):
    """Waits are real, and twenty times as short; everything else takes its time."""

    def __init__(self) -> None:
        self._skipped = 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HURRY)
        self._skipped += seconds - seconds / HURRY

    def now(self) -> float:
        return super().now() + self._skipped


async def main(folder: Path, journal_url: str, port: str, token: str, lock_timeout: float, room: int | None) -> str:
    transport = HttpTransport(base_url(f"http://127.0.0.1:{port}"), lambda: token)
    org = OrgClient(transport, Exchange(transport, HurriedClock()))
    journal = open_journal(journal_url, folder)
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    try:
        asked = PlanRequest(PlanTarget(WANTED, "acme", "http"), org, org, now, date(2026, 11, 22), journal.applied)
        approved = (await make_plan(asked)).plan
        print("planned", flush=True)
        request = ApplyRequest(
            approved=approved,
            target=from_plan(approved),
            org=org,
            people=org,
            journal=journal,
            holder=Holder("child"),
            now=lambda: now,
            parallelism=1,
            lock_timeout=lock_timeout,
            waiting=lambda holder: print("waiting for", holder.who if holder else "somebody", flush=True),
        )
        if room is not None:
            size = (folder / journal_url.removeprefix("sqlite:")).stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, size + room))
        report = await apply_approved(request)
        return f"outcome {report.run.outcome if report.run else 'none'}"
    except RolecallError as error:
        return error.problems[0].code
    finally:
        await org.close()
        journal.close()


if __name__ == "__main__":
    root, url, at, secret, *rest = sys.argv[1:]
    timeout, room = float(rest[0]) if rest else 0.0, int(rest[1]) if len(rest) > 1 else None
    print(asyncio.run(main(Path(root), url, at, secret, timeout, room)), flush=True)
