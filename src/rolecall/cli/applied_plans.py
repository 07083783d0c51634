"""Show the plan that is about to be applied, and find out whether it was applied before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.cli.console import Console
from rolecall.cli.journals import find_journal
from rolecall.cli.options import Invocation
from rolecall.cli.output import redacted, show_plan, shown
from rolecall.cli.planning import plan_request, read_audit
from rolecall.cli.session import Session
from rolecall.plan.saved.summary import needs_approval

if TYPE_CHECKING:
    from rolecall.jobs.apply import Earlier
    from rolecall.plan.value import Plan


async def applied_before(call: Invocation, opened: Session, plan: Plan) -> Earlier | None:
    """Return how a saved plan was applied before; None if the journal has no such run or something is left to apply."""
    from rolecall.apply.resume import LOOK_BACK
    from rolecall.jobs.apply import applied_before as earlier_runs

    journal = find_journal(call, opened.config)
    if journal is None:
        return None
    with journal:
        runs = journal.runs(plan.org.id, LOOK_BACK, ("apply", "rollback"))
    request = plan_request(call, opened)._replace(audit=read_audit(call, opened.config))
    return await earlier_runs(plan, request, runs)


def show_before_apply(
    call: Invocation, out: Console, opened: Session, plan: Plan, saved: Path | None, *, known: bool
) -> None:
    """Print a plan before it is applied: only its summary if its digest is ``known``, and that it is applied is not
    suggested. A plan that is refused is printed in full, with what to do next.
    """
    mode = shown(call, None, opened.config.reports_people, terminal=out.terminal)
    show_plan(
        out,
        redacted(call, plan, mode, opened.config.root),
        brief=known and not _blocked(plan),
        verbose=call.verbosity > 0,
        saved=str(saved or ""),
        applies=needs_approval(plan) and not _blocked(plan) and not any(test.refuses for test in plan.access_tests),
    )


def _blocked(plan: Plan) -> bool:
    return plan.errored or plan.verdict == "block"
