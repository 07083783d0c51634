"""One apply in a process of its own, for tests that kill it: ``apply_child.py FOLDER JOURNAL PORT TOKEN [TIMEOUT]``.

Prints ``outcome NAME`` when the run ends, or the code of the first problem.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from workbench import WANTED

from rolecall.errors import RolecallError
from rolecall.jobs.apply import ApplyRequest, apply
from rolecall.jobs.plan import PlanRequest, Wanted, from_plan, plan
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Holder
from rolecall.live.connect import connect


async def main(folder: Path, journal_url: str, port: str, token: str, lock_timeout: float) -> str:
    org = connect(f"http://127.0.0.1:{port}", lambda: token)
    journal = open_journal(journal_url, folder)
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    try:
        asked = PlanRequest(Wanted(WANTED, "acme", "http"), org, org, now, date(2026, 11, 22), journal.applied)
        approved = (await plan(asked)).plan
        print("planned", flush=True)
        request = ApplyRequest(
            approved,
            from_plan(approved),
            org,
            org,
            journal,
            Holder("child"),
            lambda: now,
            parallelism=1,
            lock_timeout=lock_timeout,
            waiting=lambda holder: print("waiting for", holder.who if holder else "somebody", flush=True),
        )
        report = await apply(request)
        return f"outcome {report.run.outcome if report.run else 'none'}"
    except RolecallError as error:
        return error.problems[0].code
    finally:
        await org.close()
        journal.close()


if __name__ == "__main__":
    root, url, at, secret, *rest = sys.argv[1:]
    print(asyncio.run(main(Path(root), url, at, secret, float(rest[0]) if rest else 0.0)), flush=True)
